/** What has to have been before a trace, so that what is seen in it can be explained. */

import type { MessageFacts } from '../../machines/events.js';
import { callIdOfBefore } from './call-ids.js';
import { undecidedBetween, type Assumption, type Course } from './assumption.js';
import { Debts } from './debts.js';
import type { Owed } from './owed.js';
import { TrackedAccount } from './tracked-account.js';

export interface Before {
  /** Messages that were stored, and of those the ones that had been delivered. */
  readonly fresh: number;
  readonly old: number;
  /** A client of the user was registered there. */
  readonly contact?: string;
}

export const nothingBefore: Before = { fresh: 0, old: 0 };

/** More than that is not made up for one user. */
export const beforeMax = 20_000;

const prefix = callIdOfBefore;

/** The accounts that a user may have had when the trace begins. */
export function accountsAfter(
  before: Before,
  assumptions: readonly Assumption[],
  { at, course }: { readonly at: number; readonly course: Course },
): readonly TrackedAccount[] {
  const { fresh, old, contact } = before;
  let accounts: readonly TrackedAccount[] = [
    new TrackedAccount(undecidedBetween(assumptions, course)),
  ];
  for (let count = 0; count < old + fresh; count++) {
    accounts = accounts.flatMap((account) => withMessage(account, count, count < old, at));
  }
  if (contact !== undefined) {
    accounts = accounts.flatMap((account) => registered(account, contact, at));
  }
  return accounts.map((account) =>
    account.withDebts(new Debts(account.debts.due.filter(isPush).map(asMayBe))),
  );
}

export function describeBefore({ fresh, old, contact }: Before): string[] {
  return [
    ...(fresh > 0 ? [`${fresh} new messages`] : []),
    ...(old > 0 ? [`${old} old messages`] : []),
    ...(contact === undefined ? [] : [`a registration of ${contact}`]),
  ];
}

function withMessage(
  account: TrackedAccount,
  count: number,
  read: boolean,
  at: number,
): readonly TrackedAccount[] {
  const message: MessageFacts = {
    ...{ class: 'Pager-Message', size: 1, urgent: false, transient: false },
    ...{ from: 'sip:unknown@anonymous.invalid', to: '', callId: `${prefix} ${count}` },
    digest: `${prefix} ${count}`,
  };
  return account.take({
    to: 'mailbox',
    event: {
      ...{ type: 'message.imported', at, transaction: prefix, message },
      ...{ imported: { message, receivedAt: at, read }, limits: account.limits },
      ...{ duplicate: false, block: account.block },
    },
    number: 0,
  });
}

function registered(account: TrackedAccount, uri: string, at: number): readonly TrackedAccount[] {
  const contacts = [{ uri, expires: 1_000_000, im: true, q: 1 }];
  const register = { by: 'ue', callId: prefix, cseq: 0, contacts, removeAll: false } as const;
  return account.take({
    to: 'mailbox',
    event: {
      ...{ type: 'register.received', at, transaction: prefix, limits: account.limits },
      register: { ...register, path: [] },
    },
    number: 0,
  });
}

function isPush({ effect }: Owed): boolean {
  return effect.type === 'sip.invite';
}

/** It may have been sent before. */
function asMayBe(owed: Owed): Owed {
  return { ...owed, until: undefined };
}
