/** For every machine the events that it may meet in some state, hostile ones included. */

import type {
  Address,
  FocusEvent,
  Limits,
  MailboxEvent,
  PushEvent,
} from '../../src/machines/events.js';
import type { AccountEvent } from '../../src/machines/events.js';
import {
  conference,
  focus,
  mailbox,
  push,
  subscription,
  type ActorSnapshot,
  type Definition,
} from '../../src/machines/index.js';
import type { ConferenceContext } from '../../src/machines/conference.js';
import type { FocusContext } from '../../src/machines/focus.js';
import type { DeliveryContext } from '../../src/machines/delivery.js';
import type { PushContext } from '../../src/machines/push-context.js';
import type { SubscriptionContext } from '../../src/machines/subscription.js';
import { kept, type MailboxContext } from '../../src/machines/mailbox-context.js';
import { bridgeAlphabet } from './alphabet-bridge.js';
import { forwardAlphabet } from './alphabet-forward.js';
import { virtualUaAlphabet } from './alphabet-virtual-ua.js';
import { operationEvents } from './alphabet-operation.js';
import { recordingAlphabet, recordingsOf } from './alphabet-recording.js';
import { conferenceEvents, subscriptionEvents, watches } from './alphabet-notifiers.js';
import {
  limits,
  noPush,
  offer,
  pager,
  register,
  retrieval,
  senderProfile,
  subscribe,
  watch,
  without,
} from './facts.js';

export interface Alphabet {
  readonly name: string;
  readonly definition: Definition;
  events(snapshot: ActorSnapshot, at: number): readonly AccountEvent[];
  /** The part of a snapshot that tells states apart, bounded where the machine counts on. */
  essence(snapshot: ActorSnapshot): unknown;
}

const passing = { ...limits.forward, mode: 'all' } as const;
const tight: Limits = { ...limits, quota: { messages: 3, octets: 100_000 }, forward: passing };

function mailboxEvents(snapshot: ActorSnapshot, at: number): readonly MailboxEvent[] {
  const context = snapshot.context as MailboxContext;
  const { stored, foci, subscriptions, number } = context;
  const at1 = { at, limits: tight };
  const received = {
    ...at1,
    type: 'message.received',
    transaction: 't',
    duplicate: false,
  } as const;
  const block = { from: context.block.end + 1, to: context.block.end + 2 };
  const [fallback] = register.contacts;
  const contact = { ...fallback!, uri: context.bindings[0]?.uri ?? fallback!.uri };
  const registered = (facts: Partial<typeof register>, given = tight): MailboxEvent => ({
    type: 'register.received',
    at,
    limits: given,
    transaction: 't',
    register: { ...register, contacts: [contact], callId: 'r', cseq: number + at, ...facts },
  });
  const subscribed = (facts: Partial<typeof subscribe>): MailboxEvent => ({
    ...at1,
    type: 'subscribe.received',
    transaction: 't',
    subscribe: { ...subscribe, ...facts },
  });
  const serial = stored[0] ?? 1;
  const current = context.push ?? number - 1;
  const pushEnded = { ...at1, type: 'push.ended' } as const;
  const absent = (to: Address): MailboxEvent => ({ ...at1, type: 'undelivered', to });
  return [
    { ...received, message: pager, block },
    { ...received, message: { ...pager, urgent: true }, block, limits: noPush },
    { ...received, message: pager, block, duplicate: true },
    { ...received, message: { ...pager, transient: true }, block },
    { ...received, message: { ...pager, expires: 0 }, block },
    { ...received, message: { ...pager, size: 1_000_000 }, block },
    ...recordingsOf(context, at, tight),
    { ...received, message: pager, block, forward: { hops: 9 } },
    { ...received, message: pager, block, forward: { hops: 0 } },
    { ...received, message: pager, block, deferred: { receivedAt: at, forward: 1 } },
    { ...at1, type: 'forward.ended', forward: context.forwards[0] ?? 0 },
    registered({}),
    registered({}, noPush),
    registered({ callId: context.bindings[0]?.callId ?? 'r', cseq: 0 }),
    registered({ contacts: [{ ...contact, im: false }] }),
    registered({ contacts: [{ ...contact, expires: 0 }] }),
    registered({ contacts: [{ ...contact, expires: 1 }] }),
    registered({ contacts: [1, 2, 3, 4].map((n) => ({ ...contact, uri: `sip:${n}@x` })) }),
    registered({ contacts: [{ ...contact, uri: 'sip:other@192.0.2.2', expires: 100 }] }),
    registered({ contacts: [] }),
    registered({ by: 'scscf' }),
    registered({ by: 'scscf', contacts: [{ ...contact, uri: `tel:+${at}` }] }),
    registered({ contacts: [], removeAll: true }),
    subscribed({}),
    subscribed({ event: 'presence' }),
    subscribed({ authorised: false }),
    subscribed({ accepts: false }),
    subscribed({ expires: 1 }),
    { ...at1, type: 'retrieval.requested', transaction: 't', retrieval },
    ...watchRequests(foci[0] ?? 0, at),
    ...deletionEvents(context, at),
    ...settingsEvents(context, at),
    ...removalEvents(context, at),
    ...operationEvents(context, at, tight),
    { ...at1, type: 'message.gone', serial, message: pager },
    { ...at1, type: 'message.gone', serial: 9999, message: pager },
    { ...at1, type: 'message.read', serial, message: pager },
    { ...pushEnded, push: current, outcome: 'done', failed: [] },
    { ...pushEnded, push: current, outcome: 'done', failed: stored },
    { ...pushEnded, push: current, outcome: 'failed', failed: [] },
    { ...pushEnded, push: 9999, outcome: 'failed', failed: [] },
    { ...at1, type: 'retrieval.ended', focus: foci[0] ?? 0 },
    { ...at1, type: 'subscription.ended', subscription: subscriptions[0] ?? 0 },
    { type: 'timer.expired', limits: tight, at, name: 'registration' },
    { type: 'timer.expired', limits: tight, at: at + 200_000, name: 'registration' },
    { type: 'timer.expired', limits: tight, at: at + 8_000_000, name: 'registration' },
    { ...at1, type: 'timer.expired', name: 'push' },
    { at, limits: noPush, type: 'timer.expired', name: 'push' },
    { ...at1, type: 'session.lost' },
    absent(`push/${current}`),
    absent(`subscription/${subscriptions[0] ?? 0}`),
  ];
}

function deletionEvents({ stored }: MailboxContext, at: number): readonly MailboxEvent[] {
  const given = { ...tight, deletion: { batch: 1, removalMs: 1000 } };
  const requested = { type: 'deletion.requested', at, transaction: 't', limits: given } as const;
  return [
    { ...requested, serials: stored, foreign: [] },
    { ...requested, serials: [stored[0] ?? 1, stored[0] ?? 1], foreign: ['sip:other@x'] },
    { ...requested, serials: [9999, 9999], foreign: [] },
    { type: 'deletion.postponed', at, serial: stored[0] ?? 1, limits: given },
    { type: 'timer.expired', name: 'deletion', at, limits: given },
  ];
}

function removalEvents({ removalAt }: MailboxContext, at: number): readonly MailboxEvent[] {
  const given = { ...tight, deletion: { batch: 1, removalMs: 1000 } };
  const timer: MailboxEvent = { type: 'timer.expired', name: 'removal', at, limits: given };
  return [
    { type: 'account.removed', at, transaction: 't', limits: given },
    { type: 'account.forgotten', at, limits: given },
    ...(removalAt === undefined ? [] : [timer]),
  ];
}

function settingsEvents({ publications }: MailboxContext, at: number): readonly MailboxEvent[] {
  const one = { ...tight, publish: { ...tight.publish, count: 1 } };
  const given = { at, limits: one, transaction: 't' };
  const published = { ...given, type: 'settings.published' } as const;
  const etag = `e${at}`;
  const [first] = publications;
  const known = { etag, ifMatch: first?.etag ?? 'none' };
  return [
    { ...given, type: 'settings.received', settings: { offlineDelivery: false } },
    { ...given, type: 'settings.received', settings: {} },
    { ...published, publish: { etag, settings: { offlineDelivery: false } } },
    { ...published, publish: { etag, settings: {}, expires: 100 } },
    { ...published, publish: { etag, settings: {}, expires: 0 } },
    { ...published, publish: { etag, settings: {}, expires: 1 } },
    { ...published, publish: { etag } },
    { ...published, publish: { etag, ifMatch: 'unknown' } },
    { ...published, publish: known },
    { ...published, publish: { ...known, settings: { offlineDelivery: true } } },
    { ...published, publish: { ...known, expires: 0 } },
    { type: 'timer.expired', name: 'publication', at, limits: tight },
    { type: 'timer.expired', name: 'publication', at: at + 200_000, limits: tight },
  ];
}

function watchRequests(number: number, at: number): readonly MailboxEvent[] {
  const watched = {
    type: 'conference.requested',
    at,
    limits: tight,
    transaction: 't',
    focus: number,
    subscribe: watch,
  } as const;
  return [
    watched,
    { ...watched, focus: 9999 },
    { ...watched, subscribe: { ...watch, authorised: false } },
    { ...watched, subscribe: { ...watch, accepts: false } },
    { ...watched, subscribe: { ...watch, expires: 1 } },
  ];
}

type SimpleType =
  | 'invite.failed'
  | 'invite.cancelled'
  | 'ack.received'
  | 'ack.missing'
  | 'bye.answered'
  | 'msrp.connected'
  | 'msrp.lost';

const simpleTypes: readonly SimpleType[] = [
  'invite.failed',
  'invite.cancelled',
  'ack.received',
  'ack.missing',
  'bye.answered',
  'msrp.connected',
  'msrp.lost',
];

function sessionEvents(at: number): readonly (PushEvent & FocusEvent)[] {
  const of = { at, limits };
  return [
    ...simpleTypes.map((type) => ({ ...of, type })),
    { ...of, type: 'bye.received', transaction: 't' },
    { ...of, type: 'timer.expired', name: 'wait' },
    ...[1, 2, 3].flatMap((serial): (PushEvent & FocusEvent)[] => [
      { ...of, type: 'ua.answered', serial },
      { ...of, type: 'ua.departed', serial },
      { ...of, type: 'ua.failed', serial, status: 488 },
      { ...of, type: 'ua.failed', serial, status: 408 },
      { ...of, type: 'undelivered', to: `ua/${serial}` },
    ]),
  ];
}

function pushEvents(_snapshot: ActorSnapshot, at: number): readonly PushEvent[] {
  const of = { at, limits };
  const target = { uri: 'sip:bob@192.0.2.1', route: [] };
  const bySender = { at, limits: { ...limits, profile: senderProfile } };
  const introduced = {
    ...bySender,
    type: 'ua.introduced',
    serial: 1,
    sender: 'sip:alice@example.com',
    receivedAt: at,
  } as const;
  return [
    { ...of, type: 'start', push: 1, targets: [target], serials: [1, 2] },
    { ...of, type: 'start', push: 1, targets: [target, target], serials: [1, 2] },
    { ...bySender, type: 'start', push: 1, targets: [target], serials: [1, 2] },
    { ...bySender, type: 'undelivered', to: 'ua/1' },
    { ...introduced, message: pager },
    { ...introduced, message: { ...pager, notification: true } },
    { ...bySender, type: 'ua.other', serial: 2 },
    { ...of, type: 'message.added', serial: 3 },
    { ...of, type: 'withdraw' },
    { ...of, type: 'invite.answered', status: 200, answer: offer },
    { ...of, type: 'invite.answered', status: 200 },
    { ...of, type: 'invite.answered', status: 486 },
    ...reinvites(at),
    ...sessionEvents(at),
  ];
}

/** Offers in the dialog: the same session, another direction, a list. */
function reinvites(at: number): readonly (PushEvent & FocusEvent)[] {
  const reinvite = { type: 'reinvite.received', at, limits, transaction: 't' } as const;
  return [
    { ...reinvite, list: true },
    { ...reinvite, list: false, offer },
    { ...reinvite, list: false, offer: { ...offer, direction: 'sendonly' } },
  ];
}

function focusEvents(_snapshot: ActorSnapshot, at: number): readonly FocusEvent[] {
  const requested = {
    type: 'retrieval.requested',
    at,
    limits,
    transaction: 't',
    focus: 2,
    retrieval,
    pushActive: false,
    busy: false,
    serials: [1, 3],
  } as const;
  const bare = without(retrieval, 'offer');
  return [
    requested,
    { ...requested, serials: [] },
    { ...requested, retrieval: { ...retrieval, accepts: false } },
    { ...requested, retrieval: { ...retrieval, authorised: false } },
    { ...requested, retrieval: { ...retrieval, forbidden: 'suspended' } },
    { ...requested, retrieval: { ...retrieval, owned: false } },
    { ...requested, retrieval: bare },
    { ...requested, pushActive: true },
    { ...requested, busy: true },
    { ...requested, serials: [], retrieval: { ...retrieval, list: { serials: [], foreign: [] } } },
    {
      ...requested,
      serials: [],
      retrieval: { ...retrieval, list: { serials: [5, 5], foreign: [] } },
    },
    { ...requested, retrieval: { ...retrieval, hasAccount: false } },
    ...watches(at),
    ...reinvites(at),
    ...sessionEvents(at),
  ];
}

export const alphabets: readonly Alphabet[] = [
  {
    name: 'mailbox',
    definition: mailbox,
    events: mailboxEvents,
    essence: ({ value, context }) => {
      const mailboxContext = context as MailboxContext;
      const { stored, untaken, bindings, foci } = mailboxContext;
      const { subscriptions, publications, forwards, bridges } = mailboxContext;
      if (mailboxContext.removalAt !== undefined) {
        const { moved } = mailboxContext;
        return [value, 'removal', stored.length > 0, kept(mailboxContext).length > 0, moved];
      }
      // States of their own, not times all the others.
      if (mailboxContext.deletionAt !== undefined)
        return [value, 'deletion', kept(mailboxContext).length];
      if (bindings.some(({ by }) => by === 'scscf')) return [value, 'core', stored.length > 0];
      if (mailboxContext.paused) return [value, 'paused', stored.length > 0, bindings.length > 0];
      if (mailboxContext.old.length > 0) return [value, 'old', bindings.length > 0];
      if (publications.length > 0) return [value, 'published', bindings.length > 0];
      if (foci.length > 0) return [value, 'retrieving'];
      if (bridges.length > 0) return [value, 'bridged', Math.min(bridges.length, 2)];
      const listed = [bindings, subscriptions, forwards];
      const counted = listed.map(({ length }) => Math.min(length, 2));
      return [value, stored.length > 0, untaken.length > 0, ...counted];
    },
  },
  virtualUaAlphabet,
  {
    name: 'push',
    definition: push,
    events: pushEvents,
    essence: ({ value, context }) => {
      const { targets, bound, first } = context as Partial<PushContext>;
      return [value, targets?.length, ...pending(context), bound, first?.carried];
    },
  },
  {
    name: 'focus',
    definition: focus,
    events: focusEvents,
    essence: ({ value, context }) => {
      const { watchers, inside } = context as Partial<FocusContext>;
      return [value, ...pending(context), Math.min(watchers?.length ?? 0, 2), inside];
    },
  },
  recordingAlphabet,
  {
    name: 'subscription',
    definition: subscription,
    events: subscriptionEvents,
    essence: ({ value, context }) => {
      const { due, added } = context as Partial<SubscriptionContext>;
      return [value, due, added?.length];
    },
  },
  forwardAlphabet,
  bridgeAlphabet,
  {
    name: 'conference',
    definition: conference,
    events: conferenceEvents,
    essence: ({ value, context }) => {
      const { due, full, inside } = context as Partial<ConferenceContext>;
      return [value, due, full, inside];
    },
  },
];

/** The alphabet of the actor at an address. */
export function alphabetOf(address: Address): Alphabet | undefined {
  const kind = address.split('/')[0]!;
  return alphabets.find(({ name }) => name === (kind === 'ua' ? 'virtual-ua' : kind));
}

function pending(context: unknown): readonly unknown[] {
  const { todo, invited } = context as Partial<DeliveryContext>;
  return [todo?.length, invited?.length];
}
