/** A subscription to message waiting: the notifier of RFC 3842 for one dialog. */

import { setup } from 'xstate';
import { declarations, effectActions, tell, type On as EventOn } from './declaration.js';
import type { SipRespond } from './effects.js';
import type { SubscriptionEvent } from './events.js';
import type { Counts, DialogFacts, HeaderBlock } from './facts.js';
import { endsSubscription, isTooBrief, subscriptionExpires } from './policy.js';
import { snapshotAt, unborn, type ActorSnapshot, type AtRest, type Definition } from './step.js';

export interface SubscriptionContext {
  readonly subscription: number;
  /** Its `localCseq` is that of the last NOTIFY. */
  readonly dialog: DialogFacts;
  readonly messageAccount: string;
  readonly expiresAt: number;
  readonly counts: Counts;
  /** Messages added since the last NOTIFY (MWI-03). */
  readonly added: readonly HeaderBlock[];
  /** Something changed, or a refresh wants its answer, since the last NOTIFY was sent. */
  readonly due: boolean;
  /** When the timer `throttle` is set for. */
  readonly throttleAt: number | undefined;
}

type On<Type extends SubscriptionEvent['type']> = EventOn<SubscriptionEvent, Type>;
type Born = On<'subscribe.received'>;
type Refreshed = On<'refresh.received'>;

const { ask, change, effect } = declarations<SubscriptionContext, SubscriptionEvent>();

const keepFacts = change((_context, event: Born) => {
  const { subscription, subscribe, counts, at, limits } = event;
  const { dialog, messageAccount, expires } = subscribe;
  const expiresAt = at + subscriptionExpires(expires, limits) * 1000;
  return {
    subscription,
    dialog,
    messageAccount,
    expiresAt,
    counts,
    added: [],
    due: false,
    throttleAt: undefined,
  };
});

/** EVT-06: a refresh carries the later CSeq, and perhaps another target (RFC 6665 4.4.1). */
const keepRefresh = change(({ dialog }, event: Refreshed) => ({
  dialog: {
    ...dialog,
    remoteCseq: event.dialog.remoteCseq,
    remoteTarget: event.dialog.remoteTarget,
  },
  expiresAt: event.at + subscriptionExpires(event.expires, event.limits) * 1000,
  due: true,
}));

/** Header blocks of messages that are gone again are kept: they are news, not an inventory. */
const keepChange = change(({ added }, event: On<'counts.changed'>) => ({
  counts: event.counts,
  added:
    event.added === undefined
      ? added
      : [...added, event.added].slice(-event.limits.subscribe.headers),
  due: true,
}));

/** What the next NOTIFY is sent with. */
const nextNotify = change(({ dialog }) => ({
  dialog: { ...dialog, localCseq: dialog.localCseq + 1 },
}));

const markSent = change((_context, { at, limits }) => ({
  added: [],
  due: false,
  throttleAt: at + limits.subscribe.throttleMs,
}));

/** Whether it arrived is unknown: it is sent again with the next CSeq. */
const markDue = change(() => ({ due: true }));

const notify = effect('sip.notify', (context, { at }) => ({
  type: 'sip.notify',
  dialog: context.dialog,
  state: 'active',
  expires: Math.max(0, Math.ceil((context.expiresAt - at) / 1000)),
  messageAccount: context.messageAccount,
  counts: context.counts,
  added: context.added,
}));

/** EVT-04: after expiry and after unsubscription alike. */
const notifyTerminated = effect('sip.notify', (context) => ({
  type: 'sip.notify',
  dialog: context.dialog,
  state: 'terminated',
  expires: 0,
  reason: 'timeout',
  messageAccount: context.messageAccount,
  counts: context.counts,
  added: context.added,
}));

const accept = effect(
  'sip.respond',
  ({ dialog, expiresAt }, { transaction, at }: Born | Refreshed): SipRespond => ({
    type: 'sip.respond',
    transaction,
    status: 200,
    expires: Math.max(0, Math.ceil((expiresAt - at) / 1000)),
    localTag: dialog.localTag,
    contact: true,
  }),
);

function refuseWith(status: number) {
  return effect('sip.respond', (_context, { transaction }: Refreshed) => ({
    type: 'sip.respond',
    transaction,
    status,
  }));
}

const refuseBrief = effect('sip.respond', (_context, { transaction, limits }: Refreshed) => ({
  type: 'sip.respond',
  transaction,
  status: 423,
  minExpires: limits.subscribe.min,
}));

const setExpiry = effect('timer.set', ({ expiresAt }) => ({
  type: 'timer.set',
  name: 'expiry',
  at: expiresAt,
  durable: true,
}));

const cancelExpiry = effect('timer.cancel', ({ expiresAt }) => ({
  type: 'timer.cancel',
  name: 'expiry',
  at: expiresAt,
  durable: true,
}));

const setThrottle = effect('timer.set', ({ throttleAt: at }) =>
  at === undefined ? [] : { type: 'timer.set', name: 'throttle', at, durable: false },
);

const cancelThrottle = effect('timer.cancel', ({ throttleAt: at }) =>
  at === undefined ? [] : { type: 'timer.cancel', name: 'throttle', at, durable: false },
);

const tellEnded = effect('tell', ({ subscription }, { at, limits }) =>
  tell('mailbox', { type: 'subscription.ended', at, subscription, limits }),
);

const stop = effect('stop', () => ({ type: 'stop' }));

const sendNotify = ['nextNotify', notify, 'markSent', setThrottle] as const;
const sendFinal = ['nextNotify', notifyTerminated] as const;

const subscriptionSetup = setup({
  types: { context: {} as SubscriptionContext, events: {} as SubscriptionEvent },
  actions: { ...effectActions, keepFacts, keepRefresh, keepChange, nextNotify, markSent, markDue },
  guards: {
    isFetch: ask((_context, { subscribe }: Born) => subscribe.expires === 0),
    isOtherDialog: ask(
      ({ dialog }, event: Refreshed) =>
        event.dialog.callId !== dialog.callId ||
        event.dialog.localTag !== dialog.localTag ||
        event.dialog.remoteTag !== dialog.remoteTag,
    ),
    isOutOfOrder: ask(
      ({ dialog }, event: Refreshed) => event.dialog.remoteCseq <= dialog.remoteCseq,
    ),
    isTooBrief: ask((_context, { expires, limits }: Refreshed) => isTooBrief(expires, limits)),
    isUnsubscription: ask((_context, { expires }: Refreshed) => expires === 0),
    isRefusedForGood: ask((_context, { status }: On<'notify.answered'>) =>
      endsSubscription(status),
    ),
    isExpiryDue: ask(
      ({ expiresAt }, event: On<'timer.expired'>) =>
        event.name === 'expiry' && expiresAt <= event.at,
    ),
    isThrottleTimer: ask((_context, event: On<'timer.expired'>) => event.name === 'throttle'),
    isDue: ask(({ due }) => due),
  },
});

/** RFC 3261 12.2.2 and EVT-03, then what was asked for; every refresh has its NOTIFY (MWI-06). */
const refresh = [
  { guard: 'isOtherDialog', actions: refuseWith(481) },
  { guard: 'isOutOfOrder', actions: refuseWith(500) }, // DLG-02
  { guard: 'isTooBrief', actions: refuseBrief },
  {
    guard: 'isUnsubscription',
    actions: [cancelExpiry, 'keepRefresh', accept, ...sendFinal],
    target: 'ended',
  },
  { actions: [cancelExpiry, 'keepRefresh', setExpiry, accept] },
] as const;

/** A NOTIFY is under way, less than the throttle after it was sent (MWI-05). */
const sent = subscriptionSetup.createStateConfig({
  on: {
    'notify.answered': [
      { guard: 'isRefusedForGood', actions: cancelExpiry, target: '#subscription.ended' },
      { target: 'throttled' },
    ],
    'timer.expired': { guard: 'isThrottleTimer', target: 'unconfirmed' },
    'session.lost': { actions: 'markDue', target: 'idle' },
  },
});

/** A NOTIFY is under way, and the next one might be sent as soon as it is answered. */
const unconfirmed = subscriptionSetup.createStateConfig({
  on: {
    'notify.answered': [
      { guard: 'isRefusedForGood', actions: cancelExpiry, target: '#subscription.ended' },
      { target: 'idle' },
    ],
    'session.lost': { actions: 'markDue', target: 'idle' },
  },
});

const throttled = subscriptionSetup.createStateConfig({
  on: {
    'timer.expired': { guard: 'isThrottleTimer', target: 'idle' },
    'session.lost': { target: 'idle' },
  },
});

const machine = subscriptionSetup.createMachine({
  id: 'subscription',
  // Born by `subscribe.received`, which sets every field.
  context: {} as SubscriptionContext,
  initial: 'absent',
  states: {
    absent: {
      on: {
        'subscribe.received': [
          { guard: 'isFetch', actions: ['keepFacts', accept, ...sendFinal], target: 'ended' },
          { actions: ['keepFacts', setExpiry, accept, ...sendNotify], target: 'active.sent' },
        ],
      },
    },
    active: {
      initial: 'idle',
      states: {
        idle: { always: { guard: 'isDue', actions: sendNotify, target: 'sent' } },
        sent,
        unconfirmed,
        throttled,
      },
      on: {
        'refresh.received': refresh,
        'counts.changed': { actions: 'keepChange' },
        'notify.answered': {
          guard: 'isRefusedForGood',
          actions: cancelExpiry,
          target: 'ended',
        },
        'notify.failed': { actions: cancelExpiry, target: 'ended' }, // EVT-05
        'timer.expired': { guard: 'isExpiryDue', actions: sendFinal, target: 'ended' },
      },
    },
    ended: { type: 'final', entry: [cancelThrottle, tellEnded, stop] },
  },
});

/** The subscription; a NOTIFY without its answer is sent again after a restart. */
export const subscription: Definition = {
  machine,
  unborn: unborn(machine),
  birth: ['subscribe.received'],
  rest: restOf,
  revive,
};

const schema = 1;

const values = { idle: { active: 'idle' }, unconfirmed: { active: 'unconfirmed' } } as const;

function restOf(snapshot: ActorSnapshot): AtRest | undefined {
  const value = snapshot.value as string | { readonly active: string };
  if (typeof value === 'string') return undefined;
  const context = snapshot.context as SubscriptionContext;
  const { subscription, dialog, messageAccount, expiresAt, counts, added, due } = context;
  return {
    schema,
    state: value.active === 'sent' || value.active === 'unconfirmed' ? 'unconfirmed' : 'idle',
    context: { subscription, dialog, messageAccount, expiresAt, counts, added, due },
  };
}

function revive(atRest: AtRest): ActorSnapshot {
  if (atRest.schema !== schema) {
    throw new Error(`MACHINE_SCHEMA_UNKNOWN: subscription ${atRest.schema}`);
  }
  const context = atRest.context as unknown as Omit<SubscriptionContext, 'throttleAt'>;
  const value = values[atRest.state as keyof typeof values];
  return snapshotAt(machine, value, { ...context, throttleAt: undefined });
}
