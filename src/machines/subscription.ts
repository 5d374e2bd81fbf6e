/** A subscription to message waiting: the notifier of RFC 3842 for one dialog. */

import { setup } from 'xstate';
import { declarations, effectActions, tell, type On as EventOn } from './declaration.js';
import type { SubscriptionEvent } from './events.js';
import type { Counts, DialogFacts, HeaderBlock } from './facts.js';
import {
  notifierDeclarations,
  notifyDialog,
  secondsLeft,
  type NotifierContext,
} from './notifier.js';
import { subscriptionExpires } from './policy.js';
import { snapshotAt, unborn, type ActorSnapshot, type AtRest, type Definition } from './step.js';

export interface SubscriptionContext extends NotifierContext {
  readonly subscription: number;
  readonly messageAccount: string;
  readonly counts: Counts;
  /** Messages added since the last NOTIFY (MWI-03). */
  readonly added: readonly HeaderBlock[];
}

type On<Type extends SubscriptionEvent['type']> = EventOn<SubscriptionEvent, Type>;
type Born = On<'subscribe.received'>;

const { ask, change, effect } = declarations<SubscriptionContext, SubscriptionEvent>();
const notifier = notifierDeclarations<SubscriptionContext, SubscriptionEvent>({
  durable: true,
  limits: ({ subscribe }) => subscribe,
});
const { accept, refuseWith, refuseBrief, setExpiry, cancelExpiry } = notifier;
const { setThrottle, cancelThrottle, stop } = notifier;

const keepFacts = change((_context, event: Born) => {
  const { subscription, subscribe, counts, at, limits } = event;
  const { dialog, messageAccount, expires } = subscribe;
  return {
    subscription,
    dialog,
    cseq: dialog.localCseq,
    messageAccount,
    expiresAt: at + subscriptionExpires(expires, limits.subscribe) * 1000,
    counts,
    added: [],
    due: false,
    throttleAt: undefined,
  };
});

/** Header blocks of messages that are gone again are kept: they are news, not an inventory. */
const keepChange = change(({ added }, event: On<'counts.changed'>) => ({
  counts: event.counts,
  added:
    event.added === undefined
      ? added
      : [...added, event.added].slice(-event.limits.subscribe.headers),
  due: true,
}));

const markSent = change(() => ({ added: [], due: false }));

const notify = effect('sip.notify', (context, { at }) => ({
  type: 'sip.notify',
  dialog: notifyDialog(context),
  state: 'active',
  expires: secondsLeft(context.expiresAt, at),
  messageAccount: context.messageAccount,
  counts: context.counts,
  added: context.added,
}));

/** EVT-04: `timeout` after expiry and after unsubscription alike. */
const notifyTerminated = effect('sip.notify', (context, event: SubscriptionEvent) => ({
  type: 'sip.notify',
  dialog: notifyDialog(context),
  state: 'terminated',
  expires: 0,
  reason: 'reason' in event ? event.reason : 'timeout',
  ...('retryAfter' in event && { retryAfter: event.retryAfter }),
  messageAccount: context.messageAccount,
  counts: context.counts,
  added: context.added,
}));

const tellEnded = effect('tell', ({ subscription }, { at, limits }) =>
  tell('mailbox', { type: 'subscription.ended', at, subscription, limits }),
);

const sendNotify = ['nextNotify', notify, 'markSent', 'beginThrottle', setThrottle] as const;
const sendFinal = ['nextNotify', notifyTerminated] as const;
/** What was not confirmed is told again, with what else happens meanwhile. */
const resume = ['markDue', 'beginThrottle', setThrottle] as const;

const subscriptionSetup = setup({
  types: { context: {} as SubscriptionContext, events: {} as SubscriptionEvent },
  actions: { ...effectActions, ...notifier.actions, keepFacts, keepChange, markSent },
  guards: {
    ...notifier.guards,
    isFetch: ask((_context, { subscribe }: Born) => subscribe.expires === 0),
    isSameCall: ask(
      (context, { dialog }: On<'subscription.superseded'>) =>
        dialog.callId === context.dialog.callId && dialog.remoteTag === context.dialog.remoteTag,
    ),
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
  },
});

/** A NOTIFY is under way, and the next one might be sent as soon as it is answered. */
const unconfirmed = subscriptionSetup.createStateConfig({
  on: {
    'notify.answered': [
      { guard: 'isRefusedForGood', actions: cancelExpiry, target: '#subscription.ended' },
      { target: 'idle' },
    ],
  },
});

const throttled = subscriptionSetup.createStateConfig({
  on: { 'timer.expired': { guard: 'isThrottleTimer', target: 'idle' } },
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
        'subscription.superseded': { guard: 'isSameCall', actions: cancelExpiry, target: 'ended' },
        'subscription.withdrawn': { actions: [cancelExpiry, ...sendFinal], target: 'ended' },
        'timer.expired': { guard: 'isExpiryDue', actions: sendFinal, target: 'ended' },
        'session.lost': { actions: resume, target: '.throttled' },
      },
    },
    ended: { type: 'final', entry: [cancelThrottle, tellEnded, stop] },
  },
});

/**
 * The subscription. Its row says nothing of NOTIFYs that were sent, so that none of them costs a
 * commit: what was told last is told again after a restart.
 */
export const subscription: Definition = {
  machine,
  unborn: unborn(machine),
  birth: ['subscribe.received'],
  rest: restOf,
  revive,
};

const schema = 2;

/** CSeqs are stored in steps; a restart skips the rest of the last one, so that they rise. */
const cseqStep = 64;

function restOf(snapshot: ActorSnapshot): AtRest | undefined {
  if (typeof snapshot.value === 'string') return undefined;
  const context = snapshot.context as SubscriptionContext;
  const { subscription, dialog, messageAccount, expiresAt, counts } = context;
  const cseq = Math.ceil(context.cseq / cseqStep) * cseqStep;
  return {
    schema,
    state: 'idle',
    context: { subscription, dialog, cseq, messageAccount, expiresAt, counts },
  };
}

/** Schema 1 had the CSeq in the dialog, and what was not confirmed. */
type Stored = Pick<
  SubscriptionContext,
  'subscription' | 'messageAccount' | 'expiresAt' | 'counts'
> & {
  readonly dialog: DialogFacts;
  readonly cseq?: number;
};

function revive(atRest: AtRest): ActorSnapshot {
  if (atRest.schema !== schema && atRest.schema !== 1) {
    throw new Error(`MACHINE_SCHEMA_UNKNOWN: subscription ${atRest.schema}`);
  }
  const { subscription, dialog, cseq, messageAccount, expiresAt, counts } =
    atRest.context as unknown as Stored;
  return snapshotAt(machine, { active: 'idle' }, {
    subscription,
    dialog,
    cseq: cseq ?? dialog.localCseq,
    messageAccount,
    expiresAt,
    counts,
    added: [],
    due: false,
    throttleAt: undefined,
  } satisfies SubscriptionContext);
}
