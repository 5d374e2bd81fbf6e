/** What happens in the MSRP sessions of a served user. */

import type { MessageFacts } from '../../machines/events.js';
import { beforeMax, type Before } from './before.js';
import { isOfBefore } from './call-ids.js';
import type { ClauseId } from './clause.js';
import { tellOwner, type Deed } from './deed.js';
import { beginsMessage, innerCallId } from './encapsulated.js';
import type { Exchange } from './exchange.js';
import { recordedFacts } from './inbound-invitation.js';
import {
  rangeOf,
  type MsrpRequestSeen,
  type MsrpResponseSeen,
  type MsrpSeen,
  type MsrpTalk,
} from './msrp-talk.js';
import type { Owed } from './owed.js';
import type { TrackedAccount } from './tracked-account.js';

export class MsrpDeeds {
  readonly #write: (callId: string, deed: Deed) => void;
  readonly #invites: ReadonlyMap<string, Exchange>;
  readonly #bound = new Set<string>();
  /** Octets of the messages that REPORTs have covered. */
  readonly #covered = new Map<string, number>();
  readonly #totals = new Map<string, number>();

  readonly #talk: MsrpTalk;

  constructor(
    talk: MsrpTalk,
    invites: ReadonlyMap<string, Exchange>,
    write: (callId: string, deed: Deed) => void,
  ) {
    this.#talk = talk;
    this.#invites = invites;
    this.#write = write;
  }

  take(seen: MsrpSeen): void {
    this.#bind(seen);
    if (seen.kind === 'response') {
      if (seen.fromServer) this.#confirmed(seen);
      else this.#answered(seen);
    } else if (seen.head.method === 'REPORT') {
      if (!seen.fromServer) this.#reported(seen);
    } else if (seen.fromServer) this.#sent(seen);
    else this.#brought(seen);
  }

  /** The first frame shows that the two are connected. */
  #bind({ callId, spoken: { observed } }: MsrpSeen): void {
    if (this.#bound.has(callId)) return;
    this.#bound.add(callId);
    const { at } = observed;
    const connected = tellOwner(observed, callId, (_owner, { limits }) => ({
      ...{ type: 'msrp.connected', at, limits },
    }));
    this.#write(callId, connected);
  }

  #sent(seen: MsrpRequestSeen): void {
    const { head, callId } = seen;
    const key = `${callId} ${head.messageId}`;
    const { to, total } = rangeOf(seen);
    if (head.contentType !== undefined) {
      this.#totals.set(key, total ?? Math.max(to, this.#totals.get(key) ?? 0));
    }
    if (beginsMessage(seen.spoken)) {
      this.#write(callId, sentMessage(seen, key, this.#talk.sent(callId)));
    }
  }

  /** D-33: what counts is the answer to the last chunk, or a refusal of any. */
  #answered({ callId, head, request, spoken: { observed } }: MsrpResponseSeen): void {
    if (request?.head.method !== 'SEND' || request.head.contentType === undefined) return;
    const { status } = head;
    if (status === 200 && request.spoken.flag !== '$') return;
    const key = `${callId} ${request.head.messageId}`;
    this.#outcome(callId, key, observed, 'msrp.sent', status, request.head.successReport);
  }

  #reported({ callId, head, spoken: { observed } }: MsrpRequestSeen): void {
    const key = `${callId} ${head.messageId}`;
    const status = head.status?.code ?? 200;
    const { start = 1, end } = head.byteRange ?? {};
    const total = this.#totals.get(key) ?? 0;
    const covered = (this.#covered.get(key) ?? 0) + ((end ?? total) - start + 1);
    this.#covered.set(key, covered);
    if (status === 200 && covered < total) return;
    this.#outcome(callId, key, observed, 'msrp.reported', status, true);
  }

  #outcome(
    callId: string,
    key: string,
    observed: Deed['observed'],
    type: 'msrp.sent' | 'msrp.reported',
    status: number,
    reports: boolean,
  ): void {
    const { at } = observed;
    this.#write(callId, {
      observed,
      play: (flow) =>
        flow.feed(observed, (account) => {
          const session = account.notes.dialogs.get(callId);
          const serial = account.notes.sends.get(key);
          if (session === undefined || serial === undefined) return [undefined];
          // Who asks for no REPORT takes the 200 for the last word.
          const limits = reports ? account.limits : { ...account.limits, reportGraceMs: 0 };
          return [{ to: `ua/${serial}`, event: { type, at, session, status, limits } }];
        }),
    });
  }

  /** A message comes in: its last octets, as far as they were taken. */
  #brought(seen: MsrpRequestSeen): void {
    const { callId, head, spoken, response } = seen;
    const invite = this.#invites.get(callId);
    if (invite === undefined || head.contentType === undefined || spoken.flag !== '$') return;
    if (response === undefined || response.head.status !== 200) return;
    const { observed } = spoken;
    const { at } = observed;
    const { to, total } = rangeOf(seen);
    const what = { messageId: head.messageId, size: total ?? to, contentType: head.contentType };
    const message = recordedFacts(invite, what);
    const transaction = transactionOf(seen);
    this.#write(callId, {
      observed,
      play: (flow) =>
        flow.feed(observed, (account) => {
          const owner = account.notes.dialogs.get(callId);
          if (owner?.startsWith('recording/') !== true) return [undefined];
          const event = {
            ...{ type: 'message.recorded' as const, at, transaction, message },
            limits: account.limits,
            ...{ recording: Number(owner.slice('recording/'.length)), duplicate: false },
            block: account.block,
          } as const;
          return [{ to: 'mailbox', event }];
        }),
    });
  }

  #confirmed({ callId, head, request, spoken: { observed } }: MsrpResponseSeen): void {
    if (request === undefined || !this.#invites.has(callId)) return;
    if (request.head.contentType === undefined || request.spoken.flag !== '$') return;
    if (request.response?.spoken.observed !== observed || head.status !== 200) return;
    const transaction = transactionOf(request);
    this.#write(callId, {
      observed,
      play: (flow) =>
        void flow.expect({
          observed,
          what: `MSRP ${head.status}`,
          clause: 'D-16',
          match: ({ effect }) =>
            effect.type === 'msrp.confirm' &&
            effect.transaction === transaction &&
            effect.status === head.status,
          directly: true,
        }),
    });
  }
}

function transactionOf({ callId, head }: MsrpRequestSeen): string {
  return `${callId} ${head.transactionId}`;
}

/**
 * The first octets of a SEND: it has to be the next message of the session. `sent`: the Call-IDs of
 * all that the session brings.
 */
function sentMessage(
  { spoken, callId }: MsrpRequestSeen,
  key: string,
  sent: readonly string[],
): Deed {
  const { observed } = spoken;
  const inner = innerCallId(spoken);
  const isOfSession = ({ effect }: Owed, { notes }: TrackedAccount): boolean =>
    effect.type === 'msrp.send' && notes.dialogs.get(callId) === effect.session;
  return {
    observed,
    play: (flow) =>
      void flow.expect({
        observed,
        what: `SEND${inner === undefined ? '' : ` of the message of Call-ID ${inner}`}`,
        clause: 'IMSpec-DMT-S-012',
        match: (owed, account) =>
          isOfSession(owed, account) &&
          owed.effect.type === 'msrp.send' &&
          isMessage(owed.effect, inner, account),
        after: (account, { effect }) => {
          if (effect.type !== 'msrp.send') return account;
          const { serial, message } = effect;
          const noted = account.withSend(key, serial);
          if (inner === undefined || !isOfBefore(message.callId)) return noted;
          return noted.withCallId(serial, inner);
        },
        blame: (accounts) => blameOf(accounts, inner),
        excuse: (accounts, before) => excused(accounts, before, inner, sent),
      }),
  };
}

function isMessage(
  { serial, message }: { readonly serial: number; readonly message: MessageFacts },
  inner: string | undefined,
  account: TrackedAccount,
): boolean {
  if (inner === undefined) return true;
  const callId = account.notes.callIds.get(`${serial}`) ?? message.callId;
  return isOfBefore(callId) ? !isKnown(account, inner) : callId === inner;
}

/** Some message of the trace, or one before it that has shown itself, has this Call-ID. */
function isKnown(account: TrackedAccount, callId: string): boolean {
  return account.hasStored(callId) || account.notes.shown.has(callId);
}

function blameOf(accounts: readonly TrackedAccount[], inner: string | undefined): ClauseId {
  const known = inner === undefined || accounts.some((account) => isKnown(account, inner));
  return known ? 'D-72' : 'IMSpec-DMT-S-009';
}

/** It was stored before the trace, and so were others that the session brings. */
function excused(
  accounts: readonly TrackedAccount[],
  before: Before,
  inner: string | undefined,
  sent: readonly string[],
): Before | undefined {
  const isNew = (callId: string): boolean => !accounts.some((account) => isKnown(account, callId));
  if (inner !== undefined && !isNew(inner)) return undefined;
  const more = inner === undefined ? 1 : new Set(sent.filter(isNew)).size;
  const fresh = before.fresh + Math.max(1, more);
  return fresh > beforeMax ? undefined : { ...before, fresh };
}
