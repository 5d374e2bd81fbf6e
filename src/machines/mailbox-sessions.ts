/** What a mailbox says to those who subscribe and retrieve: it gives them a number, and facts. */

import { tell } from './declaration.js';
import type { Address } from './events.js';
import {
  ask,
  change,
  deliversOffline,
  effect,
  kept,
  type MailboxContext,
  type On,
} from './mailbox-context.js';
import { isTooBrief } from './policy.js';
import { intersection } from './serial-set.js';

type Subscribed = On<'subscribe.received'>;
type Requested = On<'retrieval.requested'>;
type Watched = On<'conference.requested'>;

export const sessionGuards = {
  isOtherPackage: ask(
    (_context, { subscribe }: Subscribed) => subscribe.event !== 'message-summary',
  ),
  isUnauthorised: ask((_context, { subscribe }: Subscribed) => !subscribe.authorised),
  isUnacceptable: ask((_context, { subscribe }: Subscribed) => !subscribe.accepts),
  isBriefSubscription: ask((_context, { subscribe, limits }: Subscribed) =>
    isTooBrief(subscribe.expires, limits.subscribe),
  ),
  hasTooManySubscriptions: ask(
    ({ subscriptions }, { limits }: Subscribed) => subscriptions.length >= limits.subscribe.count,
  ),
  isUnauthorisedWatcher: ask((_context, { subscribe }: Watched) => !subscribe.authorised),
  isUnacceptableWatcher: ask((_context, { subscribe }: Watched) => !subscribe.accepts),
  isBriefWatcher: ask((_context, { subscribe, limits }: Watched) =>
    isTooBrief(subscribe.expires, limits.conference),
  ),
  isOtherConference: ask(({ foci }, { focus }: Watched) => !foci.includes(focus)),
};

export const sessionChanges = {
  addSubscription: change(({ number, subscriptions }) => ({
    number: number + 1,
    subscriptions: [...subscriptions, number],
  })),
  dropSubscription: change(({ subscriptions }, event: On<'subscription.ended'>) => ({
    subscriptions: without(subscriptions, event.subscription),
  })),
  addFocus: change(({ number, foci }) => ({ number: number + 1, foci: [...foci, number] })),
  dropFocus: change(({ foci }, { focus }: On<'retrieval.ended'>) => ({
    foci: without(foci, focus),
  })),
  takeNumber: change(({ number }) => ({ number: number + 1 })),
  dropAddressee: change((context, { to }: On<'undelivered'>) => ({
    subscriptions: others(context.subscriptions, 'subscription', to),
    foci: others(context.foci, 'focus', to),
    recordings: others(context.recordings, 'recording', to),
    forwards: others(context.forwards, 'forward', to),
    bridges: others(context.bridges, 'bridge', to),
  })),
  /** All of these are gone with the process. */
  dropSessions: change(() => ({ foci: [], recordings: [], forwards: [], bridges: [] })),
};

function others(
  numbers: readonly number[],
  kind: 'subscription' | 'focus' | 'recording' | 'forward' | 'bridge',
  to: Address,
): readonly number[] {
  return numbers.filter((number) => to !== `${kind}/${number}`);
}

function without(numbers: readonly number[], number: number): readonly number[] {
  return numbers.includes(number) ? numbers.filter((other) => other !== number) : numbers;
}

function refuse(status: number, warning?: string) {
  return effect('sip.respond', (_context, { transaction }: Subscribed | Watched) => ({
    type: 'sip.respond',
    transaction,
    status,
    ...(warning !== undefined && { warning }),
  }));
}

/** RFC 6665 4.2.1, RFC 3842 3; authorisation stands before everything that depends on the user. */
const subscribeRefusals = [
  {
    guard: 'isOtherPackage', // EVT-02
    actions: effect('sip.respond', (_context, { transaction }: Subscribed) => ({
      type: 'sip.respond',
      transaction,
      status: 489,
      allowEvents: true,
    })),
  },
  { guard: 'isUnauthorised', actions: refuse(403, '127 Service not authorised') }, // D-45
  {
    guard: 'isUnacceptable', // MWI-01
    actions: effect('sip.respond', (_context, { transaction }: Subscribed) => ({
      type: 'sip.respond',
      transaction,
      status: 406,
      accept: 'application/simple-message-summary',
    })),
  },
  {
    guard: 'isBriefSubscription', // EVT-03
    actions: effect('sip.respond', (_context, { transaction, limits }: Subscribed) => ({
      type: 'sip.respond',
      transaction,
      status: 423,
      minExpires: limits.subscribe.min,
    })),
  },
  { guard: 'hasTooManySubscriptions', actions: refuse(503, 'Too many subscriptions') },
] as const;

/** CONF-02: only the owner watches, so that nobody else learns which conferences there are. */
const watcherRefusals = [
  { guard: 'isUnauthorisedWatcher', actions: refuse(403, '127 Service not authorised') },
  {
    guard: 'isUnacceptableWatcher',
    actions: effect('sip.respond', (_context, { transaction }: Watched) => ({
      type: 'sip.respond',
      transaction,
      status: 406,
      accept: 'application/conference-info+xml',
    })),
  },
  {
    guard: 'isBriefWatcher', // EVT-03
    actions: effect('sip.respond', (_context, { transaction, limits }: Watched) => ({
      type: 'sip.respond',
      transaction,
      status: 423,
      minExpires: limits.conference.min,
    })),
  },
  { guard: 'isOtherConference', actions: refuse(404) },
] as const;

/** The focus judges whether there is room for another subscription. */
const tellWatch = effect('tell', ({ number }, event: Watched) => {
  const { focus, at, transaction, subscribe, limits } = event;
  const conference = number - 1;
  return tell(`focus/${focus}`, {
    type: 'conference.requested',
    at,
    transaction,
    conference,
    subscribe,
    limits,
  });
});

/** U23: a client that has lost our answer asks again in the same call; two would be one too many. */
const tellSuperseded = effect('tell', ({ subscriptions }, event: Subscribed) => {
  const { at, limits, subscribe } = event;
  const { dialog } = subscribe;
  return subscriptions.map((number) =>
    tell(`subscription/${number}`, { type: 'subscription.superseded', at, dialog, limits }),
  );
});

const tellSubscribe = effect('tell', ({ number, counts }, event: Subscribed) =>
  tell(`subscription/${number - 1}`, { ...event, subscription: number - 1, counts }),
);

/** The focus judges the request; it is told what of it exists (D-68). */
const tellRetrieval = effect('tell', (context, event: Requested) => {
  const { number, foci } = context;
  const { retrieval, limits, at, transaction } = event;
  const serials =
    retrieval.list === undefined
      ? kept(context)
      : intersection(retrieval.list.serials, kept(context));
  const focus = number - 1;
  return tell(`focus/${focus}`, {
    type: 'retrieval.requested',
    at,
    transaction,
    focus,
    retrieval,
    pushActive: isPushOnly(context, event),
    busy: foci.length > limits.retrieval.count,
    serials,
    limits,
  });
});

/** D-42: offline-delivery is active, and the operator forbids retrieval meanwhile. */
function isPushOnly(context: MailboxContext, { at, limits }: Requested): boolean {
  return limits.retrieval.whenPushActive === 'forbid' && deliversOffline(context, at, limits);
}

export const sessionEvents = {
  'subscribe.received': [
    ...subscribeRefusals,
    { actions: [tellSuperseded, 'addSubscription', tellSubscribe] },
  ],
  'subscription.ended': { actions: 'dropSubscription' },
  'retrieval.requested': { actions: ['addFocus', tellRetrieval] },
  'retrieval.ended': { actions: 'dropFocus' },
  'conference.requested': [...watcherRefusals, { actions: ['takeNumber', tellWatch] }],
} as const;
