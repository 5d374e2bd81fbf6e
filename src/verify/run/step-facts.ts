/** The events that a step is to an account: the facts that a server makes of the request. */

import type { SubscriptionContext } from '../../machines/subscription.js';
import type {
  AccountEvent,
  Address,
  DialogFacts,
  Limits,
  MessageFacts,
  RegisterFacts,
  RetrievalFacts,
  SubscribeFacts,
} from '../../machines/events.js';
import { serialSet } from '../../machines/serial-set.js';
import { mailboxOf, messagesOf } from '../account-view.js';
import type { AccountState } from '../bounded-account.js';
import {
  clientSdp,
  digestOf,
  messageFacts,
  registerFacts,
  retrievalFacts,
  subscribeFacts,
} from '../bounded-facts.js';
import type { ListEntry, Step } from './step.js';

/** Seconds that a `brief` message is to be kept. */
export const briefSeconds = 3;
/** Seconds that no notifier grants (RFC 6665 4.2.1.1 lets it refuse them). */
export const tooBriefSeconds = 1;
export const unknownUri = 'sip:999999999@unknown.invalid';
/** Serials that a mailbox takes at a time. */
const block = 64;

interface Timed {
  readonly at: number;
  readonly limits: Limits;
}

interface Input {
  readonly to: Address;
  readonly event: AccountEvent;
}

type Requested = Exclude<Step, { readonly do: 'wait' | 'take' | 'reject' | 'disconnect' }>;

/** The transaction of a step, by its number. */
export function transactionOf(step: Step, number: number): string {
  return step.do === 'submit' ? `message ${step.message}` : `step ${number}`;
}

export function eventOf(state: AccountState, step: Requested, number: number, timed: Timed): Input {
  const asked = { ...timed, transaction: transactionOf(step, number) };
  const mailbox = (event: AccountEvent): Input => ({ to: 'mailbox', event });
  switch (step.do) {
    case 'submit': {
      const from = 1 + state.ledger.blocks * block;
      return mailbox({
        ...{ ...asked, type: 'message.received', message: submitted(step), duplicate: false },
        block: { from, to: from + block - 1 },
      });
    }
    case 'register':
      return mailbox({ ...asked, type: 'register.received', register: registered(step, number) });
    case 'subscribe':
      return mailbox({ ...asked, type: 'subscribe.received', subscribe: subscribed(step, number) });
    case 'retrieve':
      return mailbox({
        ...{ ...asked, type: 'retrieval.requested' },
        retrieval: retrieved(state, step),
      });
    case 'publish': {
      const settings = { offlineDelivery: step.deliver };
      const ifMatch = publicationOf(state);
      const publish = { etag: `e${number}`, settings, ...(ifMatch !== undefined && { ifMatch }) };
      return mailbox({ ...asked, type: 'settings.published', publish });
    }
    case 'unpublish':
      return mailbox({
        ...{ ...asked, type: 'settings.published' },
        publish: { etag: `e${number}`, ifMatch: publicationOf(state) ?? 'none', expires: 0 },
      });
    case 'delete': {
      const { serials, foreign } = namedBy(state, [step.entry]);
      return mailbox({ ...asked, type: 'deletion.requested', serials, foreign });
    }
    default:
      return dialogEvent(state, step, asked, timed);
  }
}

/** What is said inside a dialog, to the actor that has it. */
function dialogEvent(
  state: AccountState,
  step: Extract<
    Requested,
    { readonly do: 'refresh' | 'unsubscribe' | 'accept' | 'refuse' | 'hang-up' }
  >,
  asked: Timed & { readonly transaction: string },
  timed: Timed,
): Input {
  switch (step.do) {
    case 'accept':
    case 'refuse': {
      const [to] = state.peers.invites;
      if (to === undefined) throw new Error('STEP_IMPOSSIBLE: there is no push to answer');
      const status = step.do === 'accept' ? 200 : step.status;
      const answer = step.do === 'accept' && { answer: { ...clientSdp, setup: step.role } };
      return { to, event: { type: 'invite.answered', ...timed, status, ...answer } };
    }
    case 'hang-up': {
      const to = sessionOf(state);
      if (to === undefined) throw new Error('STEP_IMPOSSIBLE: there is no session to end');
      return { to, event: { type: 'bye.received', ...asked } };
    }
    default: {
      const to = subscriptionOf(state);
      if (to === undefined) throw new Error('STEP_IMPOSSIBLE: there is no subscription');
      const again = { ...dialogOf(state, to), remoteCseq: asked.at };
      const expires = step.do === 'unsubscribe' && { expires: 0 };
      return { to, event: { type: 'refresh.received', ...asked, dialog: again, ...expires } };
    }
  }
}

/** The session whose dialog is open. */
export function sessionOf({ peers }: AccountState): Address | undefined {
  return [...peers.dialogs][0];
}

function dialogOf({ memory }: AccountState, subscription: Address): DialogFacts {
  const { dialog } = memory!.actors.get(subscription)!.snapshot.context as SubscriptionContext;
  return dialog;
}

export function subscriptionOf({ memory }: AccountState): Address | undefined {
  return [...(memory?.actors.keys() ?? [])].find((one) => one.startsWith('subscription/'));
}

function submitted({ message, kind }: Extract<Step, { readonly do: 'submit' }>): MessageFacts {
  const { imdn } = messageFacts(0);
  const { urgent: _urgent, imdn: _imdn, ...facts } = messageFacts(message);
  const expires = kind === 'brief' ? briefSeconds : kind === 'zero' ? 0 : undefined;
  return {
    ...facts,
    urgent: kind === 'urgent',
    digest: digestOf(message),
    ...(expires !== undefined && { expires }),
    ...((kind === 'reports' || kind === 'brief') && { imdn: { ...imdn!, id: `imdn${message}` } }),
  };
}

function registered(
  { client }: Extract<Step, { readonly do: 'register' }>,
  number: number,
): RegisterFacts {
  const facts = registerFacts(number + 1, client === 'none' ? 0 : 240);
  const contacts = facts.contacts.map((contact) => ({ ...contact, im: client !== 'other' }));
  return { ...facts, contacts };
}

function subscribed(
  { fault }: Extract<Step, { readonly do: 'subscribe' }>,
  number: number,
): SubscribeFacts {
  return {
    ...subscribeFacts(number),
    ...(fault === 'event' && { event: 'unknown-event' }),
    ...(fault === 'accept' && { accepts: false }),
    ...(fault === 'identity' && { authorised: false }),
    ...(fault === 'brief' && { expires: tooBriefSeconds }),
  };
}

function retrieved(
  state: AccountState,
  { faults, list }: Extract<Step, { readonly do: 'retrieve' }>,
): RetrievalFacts {
  const wrong = new Set(faults);
  return {
    accepts: !wrong.has('tag'),
    authorised: !wrong.has('identity'),
    ...(wrong.has('account') && { hasAccount: false }),
    owned: !wrong.has('uri'),
    offer: wrong.has('media') ? { ...clientSdp, direction: 'sendrecv' } : retrievalFacts.offer!,
    ...(list && { list: namedBy(state, list) }),
  };
}

function namedBy(state: AccountState, entries: readonly ListEntry[]) {
  const serials: number[] = [];
  for (const { serial, message } of messagesOf(state)) {
    if (entries.some((entry) => entry !== 'unknown' && digestOf(entry) === message.digest)) {
      serials.push(serial);
    }
  }
  const foreign = entries.includes('unknown') ? [unknownUri] : [];
  return { serials: serialSet(serials.sort((one, other) => one - other)), foreign };
}

/** The entity tag of what is published. */
export function publicationOf(state: AccountState): string | undefined {
  return mailboxOf(state)?.publications[0]?.etag;
}
