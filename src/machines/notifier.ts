/** What all notifiers have in common (RFC 6665): expiry, refreshes, throttle, the CSeq of NOTIFY. */

import type { ActionFunction } from 'xstate';
import { declarations } from './declaration.js';
import type { SipRespond } from './effects.js';
import type { DialogFacts, Limits } from './facts.js';
import type { NotifyOutcome, RefreshReceived } from './notifier-events.js';
import {
  endsSubscription,
  isTooBrief,
  subscriptionExpires,
  type NotifierLimits,
} from './policy.js';

export interface NotifierContext {
  readonly dialog: DialogFacts;
  /** CSeq of the last NOTIFY. */
  readonly cseq: number;
  readonly expiresAt: number;
  /** Something changed, or a refresh wants its answer, since the last NOTIFY was sent. */
  readonly due: boolean;
  /** When the timer `throttle` is set for. */
  readonly throttleAt: number | undefined;
}

interface AnyEvent {
  readonly type: string;
  readonly at: number;
  readonly limits: Limits;
}

type Asking = AnyEvent & { readonly transaction: string };
type Answered = Extract<NotifyOutcome, { type: 'notify.answered' }>;

/** How this notifier differs from others. */
export interface NotifierTraits<Context> {
  /** Whether it outlives the process. */
  readonly durable: boolean;
  limits(limits: Limits): NotifierLimits;
  /** Whose Contact a subscriber is given, when it is not the notifier's own. */
  contact?(context: Context): Pick<SipRespond, 'contactOf'>;
}

/** The declarations of a notifier, for a machine whose context includes ours. */
export function notifierDeclarations<Context extends NotifierContext, Event extends AnyEvent>(
  traits: NotifierTraits<Context>,
) {
  const { effect } = declarations<Context, Event>();
  const { durable } = traits;
  const refusal = (make: (limits: Limits) => Omit<SipRespond, 'type' | 'transaction'>) =>
    effect('sip.respond', (_context, event) => ({
      type: 'sip.respond',
      transaction: (event as unknown as Asking).transaction,
      ...make(event.limits),
    }));
  return {
    actions: notifierChanges<Context, Event>(traits),
    guards: notifierGuards<Context, Event>(traits),
    /** EVT-01: 200, and no longer than was asked for. */
    accept: effect('sip.respond', (context, event) => ({
      type: 'sip.respond',
      transaction: (event as unknown as Asking).transaction,
      status: 200,
      expires: secondsLeft(context.expiresAt, event.at),
      localTag: context.dialog.localTag,
      contact: true,
      ...traits.contact?.(context),
    })),
    refuseWith: (status: number) => refusal(() => ({ status })),
    refuseBrief: refusal((limits) => ({ status: 423, minExpires: traits.limits(limits).min })),
    setExpiry: effect('timer.set', ({ expiresAt: at }) => ({
      type: 'timer.set',
      name: 'expiry',
      at,
      durable,
    })),
    cancelExpiry: effect('timer.cancel', ({ expiresAt: at }) => ({
      type: 'timer.cancel',
      name: 'expiry',
      at,
      durable,
    })),
    setThrottle: effect('timer.set', ({ throttleAt: at }) =>
      at === undefined ? [] : { type: 'timer.set', name: 'throttle', at, durable: false },
    ),
    cancelThrottle: effect('timer.cancel', ({ throttleAt: at }) =>
      at === undefined ? [] : { type: 'timer.cancel', name: 'throttle', at, durable: false },
    ),
    stop: effect('stop', () => ({ type: 'stop' })),
  };
}

/** The dialog as the NOTIFY that leaves is sent in it. */
export function notifyDialog({ dialog, cseq }: NotifierContext): DialogFacts {
  return { ...dialog, localCseq: cseq };
}

/** What is left of the subscription, in whole seconds. */
export function secondsLeft(expiresAt: number, at: number): number {
  return Math.max(0, Math.ceil((expiresAt - at) / 1000));
}

function notifierChanges<Context extends NotifierContext, Event extends AnyEvent>(
  traits: NotifierTraits<Context>,
) {
  const { change } = declarations<NotifierContext, AnyEvent>();
  const changes = {
    /** EVT-06: a refresh carries the later CSeq, and perhaps another target (RFC 6665 4.4.1). */
    keepRefresh: change(({ dialog }, event: RefreshReceived) => ({
      dialog: {
        ...dialog,
        remoteCseq: event.dialog.remoteCseq,
        remoteTarget: event.dialog.remoteTarget,
      },
      expiresAt: event.at + subscriptionExpires(event.expires, traits.limits(event.limits)) * 1000,
      due: true,
    })),
    nextNotify: change(({ cseq }) => ({ cseq: cseq + 1 })),
    /** The next NOTIFY has to wait. */
    beginThrottle: change((_context, { at, limits }) => ({
      throttleAt: at + traits.limits(limits).throttleMs,
    })),
    markDue: change(() => ({ due: true })),
  };
  // The changes touch our part of the context only, whatever else the machine keeps.
  return changes as unknown as Record<
    keyof typeof changes,
    ActionFunction<Context, Event, Event, undefined, never, never, never, never, never>
  >;
}

function notifierGuards<Context extends NotifierContext, Event extends AnyEvent>(
  traits: NotifierTraits<Context>,
) {
  const { ask } = declarations<Context, Event>();
  const refresh = (event: Event) => event as unknown as RefreshReceived;
  const named = (event: Event, name: string) => 'name' in event && event.name === name;
  return {
    isOtherDialog: ask(({ dialog }, event) => {
      const { callId, localTag, remoteTag } = refresh(event).dialog;
      return (
        callId !== dialog.callId || localTag !== dialog.localTag || remoteTag !== dialog.remoteTag
      );
    }),
    isOutOfOrder: ask(({ dialog }, event) => refresh(event).dialog.remoteCseq <= dialog.remoteCseq),
    isTooBrief: ask((_context, event) =>
      isTooBrief(refresh(event).expires, traits.limits(event.limits)),
    ),
    isUnsubscription: ask((_context, event) => refresh(event).expires === 0),
    isRefusedForGood: ask((_context, event) =>
      endsSubscription((event as unknown as Answered).status),
    ),
    isExpiryDue: ask(({ expiresAt }, event) => named(event, 'expiry') && expiresAt <= event.at),
    isThrottleTimer: ask((_context, event) => named(event, 'throttle')),
    isDue: ask(({ due }) => due),
  };
}
