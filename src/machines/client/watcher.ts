/** The subscription to message waiting (RFC 3842, RFC 6665 4.1): kept until the user leaves. */

import { assign, setup } from 'xstate';
import { clientDefinition } from './definition.js';
import { effectsOf, perform, stopTimer } from './effect.js';
import type { WatcherEffect } from './effects.js';
import type { DialogFacts, NotifyFacts, WatcherEvent, Waits } from './events.js';

export interface WatcherContext {
  readonly callId: string;
  readonly localTag: string;
  readonly cseq: number;
  /** Made by the 200 or by the first NOTIFY, whichever comes first (RFC 6665 4.4.1). */
  readonly dialog: DialogFacts | null;
  /** Seconds asked for. */
  readonly expires: number;
  readonly raised: boolean;
  readonly waits: Waits;
}

/** What the parameters of an effect are made of. */
interface Scope {
  readonly context: WatcherContext;
  readonly event: WatcherEvent;
}

type Notified = Extract<WatcherEvent, { type: 'notify.received' }>;

interface NotifyScope {
  readonly context: WatcherContext;
  readonly event: Notified;
}

const effectsInOrder = (_: unknown, effects: readonly WatcherEffect[]): unknown => effects;
const effect = effectsOf<WatcherEffect>();
const noWaits: Waits = { answerMs: 0, bindMs: 0, idleMs: 0, retryMs: 0, farewellMs: 0 };

/** These end the subscription with the dialog (RFC 6665 4.1.2.2); others leave it as it was. */
const fatal: ReadonlySet<number> = new Set([404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489]);
/** RFC 6665 4.1.3: the subscriber is to subscribe again at once. */
const renewing: ReadonlySet<string | undefined> = new Set(['deactivated', 'timeout']);
/** Again, but later. */
const delaying: ReadonlySet<string | undefined> = new Set(['probation', 'giveup']);

const machine = setup({
  types: { context: {} as WatcherContext, events: {} as WatcherEvent },
  actions: {
    'sip.subscribe': effect('sip.subscribe'),
    'sip.respond': effect('sip.respond'),
    show: effectsInOrder,
    schedule: effectsInOrder,
    'watch.ended': effect('watch.ended'),
    'timer.set': effect('timer.set'),
    'timer.cancel': effect('timer.cancel'),
    begin: assign(({ event }) =>
      event.type === 'watch' ? { expires: event.expires, waits: event.waits, raised: false } : {},
    ),
    /** A new subscription has a new Call-ID; the old one may linger at the notifier. */
    renew: assign(({ event }) =>
      'fresh' in event
        ? { callId: event.fresh, localTag: event.fresh.slice(0, 12), cseq: 0, dialog: null }
        : {},
    ),
    count: assign(({ context: { cseq, dialog } }) => ({
      cseq: cseq + 1,
      dialog: dialog && { ...dialog, localCseq: cseq + 1 },
    })),
    raise: assign(({ context, event }) =>
      event.type === 'answered'
        ? { expires: event.answer.minExpires ?? context.expires, raised: true }
        : {},
    ),
    keepDialog: assign(({ context, event }) => {
      if (context.dialog !== null) return {};
      if (event.type !== 'answered' || event.dialog === undefined) return {};
      return { dialog: event.dialog };
    }),
    keepNotifier: assign(({ context, event }) => {
      if (event.type !== 'notify.received') return {};
      const { dialog } = event.notify;
      return {
        dialog: context.dialog
          ? { ...context.dialog, remoteTarget: dialog.remoteTarget, remoteCseq: dialog.remoteCseq }
          : { ...dialog, localCseq: context.cseq },
      };
    }),
  },
  guards: {
    isAccepted: ({ event }) => event.type === 'answered' && event.answer.status < 300,
    isTooBrief: ({ context, event }) =>
      event.type === 'answered' &&
      event.answer.status === 423 &&
      !context.raised &&
      (event.answer.minExpires ?? 0) > context.expires,
    isGone: ({ event }) => event.type === 'answered' && fatal.has(event.answer.status),
    isForbidden: ({ event }) =>
      event.type === 'answered' && (event.answer.status === 403 || event.answer.status >= 600),
    isTimer: ({ event }, { name }: { readonly name: string }) =>
      event.type === 'timer.expired' && event.name === name,
    isForeign: ({ context, event }) =>
      event.type === 'notify.received' && !isOurs(context, event.notify),
    isStale: ({ context, event }) =>
      event.type === 'notify.received' &&
      context.dialog !== null &&
      event.notify.dialog.remoteCseq <= context.dialog.remoteCseq,
    isRenewing: ({ event }) =>
      event.type === 'notify.received' &&
      event.notify.state === 'terminated' &&
      renewing.has(event.notify.reason),
    isDelaying: ({ event }) =>
      event.type === 'notify.received' &&
      event.notify.state === 'terminated' &&
      delaying.has(event.notify.reason),
    isTerminated: ({ event }) =>
      event.type === 'notify.received' && event.notify.state === 'terminated',
  },
});

const waitForAnswer = perform('timer.set', ({ context, event }: Scope) => ({
  name: 'answer',
  at: event.at + context.waits.answerMs,
}));

const subscribe = [
  'count',
  perform('sip.subscribe', ({ context }: Scope) => {
    const { callId, localTag, cseq, expires, dialog } = context;
    return { callId, localTag, cseq, expires, ...(dialog && { dialog }) };
  }),
  waitForAnswer,
] as const;

const unsubscribe = [
  'count',
  perform('sip.subscribe', ({ context }: Scope) => {
    const { callId, localTag, cseq, dialog } = context;
    return { callId, localTag, cseq, expires: 0, ...(dialog && { dialog }) };
  }),
  perform('timer.set', ({ context, event }: Scope) => ({
    name: 'farewell',
    at: event.at + context.waits.farewellMs,
  })),
] as const;

const stopWaiting = stopTimer('answer');
const stopSchedule = [stopTimer('refresh'), stopTimer('expiry')] as const;

/** Half of what is left, for a NOTIFY or an answer may be late; as before when nothing is told. */
const schedule = {
  type: 'schedule',
  params: ({ context, event }: Scope) => {
    const left = secondsLeft(context, event);
    if (left === undefined) return [];
    return [
      { type: 'timer.set' as const, name: 'refresh', at: event.at + left * 500 },
      { type: 'timer.set' as const, name: 'expiry', at: event.at + left * 1000 },
    ];
  },
} as const;

const retry = perform('timer.set', ({ context, event }: Scope) => ({
  name: 'retry',
  at: event.at + delayMs(context, event),
}));

const respond = (status: number) =>
  perform('sip.respond', ({ event }: NotifyScope) => ({
    transaction: event.notify.transaction,
    status,
  }));

const show = {
  type: 'show',
  params: ({ event }: NotifyScope) =>
    event.notify.summary === undefined
      ? []
      : [{ type: 'waiting.show' as const, summary: event.notify.summary }],
} as const;

const end = perform('watch.ended', ({ event }: Scope) => {
  if (event.type === 'answered') return { answer: event.answer };
  if (event.type === 'failed') return { cause: event.cause };
  if (event.type === 'notify.received') return { cause: 'terminated' as const };
  return { cause: 'timeout' as const };
});

const leave = { type: 'watch.ended', params: { type: 'watch.ended' } } as const;

const take = ['keepNotifier', respond(200), show] as const;
const timer = (name: string) => ({ type: 'isTimer', params: { name } }) as const;
const refusals = [
  { guard: 'isForeign', actions: respond(481) },
  // RFC 3261 12.2.2: out of order.
  { guard: 'isStale', actions: respond(500) },
] as const;

/** The first SUBSCRIBE of a dialog is on its way. A NOTIFY may overtake its 200. */
const subscribing = machine.createStateConfig({
  entry: subscribe,
  exit: stopWaiting,
  on: {
    answered: [
      { guard: 'isAccepted', target: 'active', actions: ['keepDialog', schedule] },
      { guard: 'isTooBrief', target: 'subscribing', reenter: true, actions: ['raise', 'renew'] },
      { target: 'idle', actions: end },
    ],
    failed: { target: 'idle', actions: end },
    'timer.expired': { guard: timer('answer'), target: 'idle', actions: end },
    'notify.received': [
      ...refusals,
      { guard: 'isTerminated', target: 'idle', actions: [...take, end] },
      { actions: take },
    ],
    unwatch: 'leaving',
  },
});

/** What a NOTIFY does to a subscription that stands. */
const notified = [
  ...refusals,
  {
    guard: 'isRenewing',
    target: '#watcher.subscribing',
    actions: [...take, ...stopSchedule, 'renew'],
  },
  { guard: 'isDelaying', target: '#watcher.waiting', actions: [...take, ...stopSchedule, retry] },
  { guard: 'isTerminated', target: '#watcher.idle', actions: [...take, ...stopSchedule, end] },
  { actions: [...take, schedule] },
] as const;

const active = machine.createStateConfig({
  on: {
    'timer.expired': [
      { guard: timer('refresh'), target: 'refreshing' },
      { guard: timer('retry'), target: 'refreshing' },
      { guard: timer('expiry'), target: 'subscribing', actions: [...stopSchedule, 'renew'] },
    ],
    'notify.received': notified,
    unwatch: 'unsubscribing',
  },
});

const refreshing = machine.createStateConfig({
  entry: subscribe,
  exit: stopWaiting,
  on: {
    answered: [
      { guard: 'isAccepted', target: 'active', actions: schedule },
      { guard: 'isTooBrief', target: 'refreshing', reenter: true, actions: 'raise' },
      { guard: 'isGone', target: 'subscribing', actions: [...stopSchedule, 'renew'] },
      { guard: 'isForbidden', target: 'idle', actions: [...stopSchedule, end] },
      { target: 'active', actions: retry },
    ],
    failed: { target: 'active', actions: retry },
    'timer.expired': [
      { guard: timer('answer'), target: 'active', actions: retry },
      { guard: timer('expiry'), target: 'subscribing', actions: [...stopSchedule, 'renew'] },
    ],
    'notify.received': notified,
    unwatch: 'unsubscribing',
  },
});

/** The notifier asked for patience. */
const waiting = machine.createStateConfig({
  exit: stopTimer('retry'),
  on: {
    'timer.expired': { guard: timer('retry'), target: 'subscribing', actions: 'renew' },
    'notify.received': { actions: respond(481) },
    unwatch: { target: 'idle', actions: leave },
  },
});

/** The user left before there was a dialog in which to say so. */
const leaving = machine.createStateConfig({
  entry: waitForAnswer,
  exit: stopWaiting,
  on: {
    answered: [
      { guard: 'isAccepted', target: 'unsubscribing', actions: 'keepDialog' },
      { target: 'idle', actions: leave },
    ],
    failed: { target: 'idle', actions: leave },
    'timer.expired': { guard: timer('answer'), target: 'idle', actions: leave },
    'notify.received': [...refusals, { actions: ['keepNotifier', respond(200)] }],
  },
});

/** EVT-01: a last NOTIFY follows even the SUBSCRIBE with Expires 0. */
const unsubscribing = machine.createStateConfig({
  entry: [...stopSchedule, stopTimer('retry'), ...unsubscribe],
  exit: stopTimer('farewell'),
  on: {
    answered: [{ guard: 'isAccepted' }, { target: 'idle', actions: leave }],
    failed: { target: 'idle', actions: leave },
    'timer.expired': { guard: timer('farewell'), target: 'idle', actions: leave },
    'notify.received': [
      ...refusals,
      { guard: 'isTerminated', target: 'idle', actions: ['keepNotifier', respond(200), leave] },
      { actions: ['keepNotifier', respond(200)] },
    ],
  },
});

export const watcher = clientDefinition<WatcherEvent, WatcherEffect>(
  machine.createMachine({
    id: 'watcher',
    context: {
      callId: '',
      localTag: '',
      cseq: 0,
      dialog: null,
      expires: 0,
      raised: false,
      waits: noWaits,
    },
    initial: 'idle',
    states: {
      idle: {
        on: {
          watch: { target: 'subscribing', actions: ['begin', 'renew'] },
          'notify.received': { actions: respond(481) },
        },
      },
      subscribing,
      active,
      refreshing,
      waiting,
      leaving,
      unsubscribing,
    },
  }),
);

function isOurs(context: WatcherContext, { dialog }: NotifyFacts): boolean {
  if (dialog.callId !== context.callId || dialog.localTag !== context.localTag) return false;
  return context.dialog === null || context.dialog.remoteTag === dialog.remoteTag;
}

/** What the 200 or the NOTIFY says, else what was asked for by the SUBSCRIBE. */
function secondsLeft(context: WatcherContext, event: WatcherEvent): number | undefined {
  if (event.type === 'answered') return event.answer.expires ?? context.expires;
  return event.type === 'notify.received' ? event.notify.expires : undefined;
}

function delayMs(context: WatcherContext, event: WatcherEvent): number {
  const seconds =
    event.type === 'notify.received'
      ? event.notify.retryAfter
      : event.type === 'answered'
        ? event.answer.retryAfter
        : undefined;
  return seconds === undefined ? context.waits.retryMs : seconds * 1000;
}
