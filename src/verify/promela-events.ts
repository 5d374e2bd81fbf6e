/** What the world may say to the actors of the Promela model, and how events are called there. */

import type {
  AccountEvent,
  Address,
  FocusEvent,
  MailboxEvent,
  MessageFacts,
  PushEvent,
  RegisterFacts,
  VirtualUaEvent,
} from '../machines/index.js';
import type { MailboxContext } from '../machines/mailbox-context.js';
import type { VirtualUaContext } from '../machines/virtual-ua-context.js';
import { clientSdp, early, later, limits, messages } from './promela-bounds.js';

const message: MessageFacts = {
  class: 'Pager-Message',
  size: 100,
  urgent: false,
  from: 'sip:alice@example.org',
  to: 'sip:bob@example.org',
  callId: 'a@example.org',
  digest: 'd',
  contentType: 'text/plain',
  transient: false,
};

const registration: RegisterFacts = {
  by: 'ue',
  callId: 'now',
  cseq: 1,
  contacts: [{ uri: 'sip:bob@192.0.2.1', expires: 3600, im: true, q: 1 }],
  removeAll: false,
  path: [],
};

export function mailboxWorld(context: MailboxContext, now: number): readonly MailboxEvent[] {
  const told = { at: now, limits };
  const asked = { ...told, transaction: 'w/0' };
  const { next } = context.block;
  const isRoom = now === early && next <= messages.length;
  const block = { from: 1, to: messages.length };
  const [contact] = registration.contacts;
  const timer = (name: 'push' | 'deletion'): MailboxEvent => ({
    ...told,
    type: 'timer.expired',
    name,
  });
  return [
    ...(isRoom
      ? ([
          {
            ...{ ...told, type: 'message.received', transaction: `w/${next}`, message },
            ...{ duplicate: false, block },
          },
        ] satisfies MailboxEvent[])
      : []),
    { ...asked, type: 'register.received', register: registration },
    {
      ...{ ...asked, type: 'register.received' },
      register: { ...registration, contacts: [{ ...contact!, expires: 0 }] },
    },
    { ...told, at: later, type: 'timer.expired', name: 'registration' },
    timer('push'),
    timer('deletion'),
    {
      ...{ ...asked, type: 'retrieval.requested' },
      retrieval: { accepts: true, authorised: true, owned: true, offer: clientSdp },
    },
    ...messages.map((serial): MailboxEvent => ({
      ...{ ...asked, type: 'deletion.requested' },
      ...{ serials: [serial, serial], foreign: [] },
    })),
    { ...told, type: 'session.lost' },
  ];
}

export function virtualUaWorld(
  { leases }: Partial<VirtualUaContext>,
  now: number,
): readonly VirtualUaEvent[] {
  if (leases === undefined) return [];
  const told = { at: now, limits };
  const outcomes = (['push/1', 'focus/2'] as const).flatMap((session): VirtualUaEvent[] => [
    { ...told, type: 'msrp.sent', session, status: 200 },
    { ...told, type: 'msrp.sent', session, status: 413 },
    { ...told, type: 'msrp.sent', session, status: 408 },
    { ...told, type: 'msrp.reported', session, status: 200 },
    { ...told, type: 'msrp.reported', session, status: 413 },
  ]);
  return [
    ...outcomes,
    { ...told, type: 'timer.expired', name: 'grace' },
    ...(now === early ? [] : [{ ...told, type: 'timer.expired', name: 'expiry' } as const]),
  ];
}

export function sessionWorld(
  kind: 'push' | 'focus',
  now: number,
): readonly (PushEvent | FocusEvent)[] {
  const told = { at: now, limits };
  const asked = { ...told, transaction: 'w/0' };
  const of = {
    push: [
      { ...told, type: 'invite.answered', status: 200, answer: clientSdp },
      { ...told, type: 'invite.answered', status: 486 },
      { ...told, type: 'invite.failed' },
    ],
    focus: [
      { ...told, type: 'ack.received' },
      { ...told, type: 'ack.missing' },
    ],
  } as const;
  return [
    ...of[kind],
    { ...told, type: 'msrp.connected' },
    { ...told, type: 'msrp.lost' },
    { ...asked, type: 'bye.received' },
    { ...told, type: 'bye.answered' },
    { ...told, type: 'timer.expired', name: 'wait' },
  ];
}

// ----------------------------------------------------------------------------------- names

/** How an event is called in the model: its type, what tells its kinds apart, and a number. */
export interface Word {
  readonly symbol: string;
  /** A serial, or serials as bits. */
  readonly argument: number;
}

export function wordOf(event: AccountEvent): Word {
  const symbol = [event.type, ...kindsOf(event)].join('_').replaceAll('.', '_');
  return { symbol, argument: argumentOf(event) };
}

/** What of an event is part of its name. */
function kindsOf(event: AccountEvent): (string | number)[] {
  switch (event.type) {
    case 'timer.expired':
      return [event.name];
    case 'register.received':
      return [event.register.contacts[0]?.expires === 0 ? 'unbind' : 'bind'];
    case 'undelivered':
      return [kindOf(event.to)];
    case 'invite':
    case 'introduce':
    case 'bye':
      return [kindOf(event.session)];
    case 'msrp.sent':
    case 'msrp.reported':
      return [kindOf(event.session), event.status];
    case 'invite.answered':
    case 'ua.failed':
      return [event.status];
    case 'push.ended':
      return [event.outcome];
    default:
      return [];
  }
}

function argumentOf(event: AccountEvent): number {
  if ('serial' in event) return event.serial;
  switch (event.type) {
    case 'start':
      return 'serials' in event ? bitsOf(event.serials) : 0;
    case 'retrieval.requested':
      return 'serials' in event ? bitsOf(event.serials) : 0;
    case 'deletion.requested':
      return event.serials[0] ?? 0;
    case 'push.ended':
      return bitsOf(event.failed);
    case 'message.received':
      return numberOf(event.transaction);
    case 'undelivered':
      return event.to.startsWith('ua/') ? numberOf(event.to) : 0;
    default:
      return 0;
  }
}

/** `push` of `push/3`. */
export function kindOf(address: Address): string {
  return address.split('/')[0]!;
}

export function numberOf(name: string): number {
  return Number(name.split('/')[1] ?? 0);
}

function bitsOf(serials: readonly number[]): number {
  let bits = 0;
  for (let i = 0; i < serials.length; i += 2) {
    for (let serial = serials[i]!; serial <= serials[i + 1]!; serial++) bits |= 1 << (serial - 1);
  }
  return bits;
}
