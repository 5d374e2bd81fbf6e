/** The registration of the client (RFC 3261 10.2): kept alive until the user ends it. */

import { assign, setup } from 'xstate';
import { clientDefinition } from './definition.js';
import { effectsOf, perform, stopTimer } from './effect.js';
import type { RegistrationEffect } from './effects.js';
import type { Answered, RegistrationEvent, Waits } from './events.js';

export interface RegistrationContext {
  readonly callId: string;
  readonly cseq: number;
  /** Seconds asked for. */
  readonly expires: number;
  /** The registration runs out, ms since the epoch. */
  readonly until: number;
  /** The interval was raised once after a 423. */
  readonly raised: boolean;
  readonly waits: Waits;
}

/** What the parameters of an effect are made of. */
interface Scope {
  readonly context: RegistrationContext;
  readonly event: RegistrationEvent;
}

const noWaits: Waits = { answerMs: 0, bindMs: 0, idleMs: 0, retryMs: 0, farewellMs: 0 };

const effect = effectsOf<RegistrationEffect>();

const machine = setup({
  types: { context: {} as RegistrationContext, events: {} as RegistrationEvent },
  actions: {
    'sip.register': effect('sip.register'),
    'registration.lost': effect('registration.lost'),
    'timer.set': effect('timer.set'),
    'timer.cancel': effect('timer.cancel'),
    'call.settled': effect('call.settled'),
    'call.failed': effect('call.failed'),
    begin: assign(({ context, event }) =>
      event.type === 'register'
        ? {
            callId: context.callId === '' ? event.fresh : context.callId,
            expires: event.expires,
            raised: false,
            waits: event.waits,
          }
        : {},
    ),
    raise: assign(({ context, event }) =>
      event.type === 'answered'
        ? { expires: event.answer.minExpires ?? context.expires, raised: true }
        : {},
    ),
    keepGrant: assign(({ context, event }) =>
      event.type === 'answered' ? { until: event.at + granted(context, event) * 1000 } : {},
    ),
    leave: assign({ expires: 0 }),
    count: assign({ cseq: ({ context }) => context.cseq + 1 }),
  },
  guards: {
    isGranted: ({ event }) =>
      event.type === 'answered' && event.answer.status < 300 && event.answer.expires !== 0,
    /** RFC 3261 10.2.8: once, with the interval the registrar names. */
    isTooBrief: ({ context, event }) =>
      event.type === 'answered' &&
      event.answer.status === 423 &&
      !context.raised &&
      (event.answer.minExpires ?? 0) > context.expires,
    /** The registrar has judged; the same again would get the same. */
    isRefused: ({ event }) =>
      event.type === 'answered' && event.answer.status !== 408 && event.answer.status < 500,
    isTimer: ({ event }, { name }: { readonly name: string }) =>
      event.type === 'timer.expired' && event.name === name,
  },
});

const waitForAnswer = perform('timer.set', ({ context, event }: Scope) => ({
  name: 'answer',
  at: event.at + context.waits.answerMs,
}));

const register = [
  'count',
  perform('sip.register', ({ context: { callId, cseq, expires } }: Scope) => ({
    callId,
    cseq,
    expires,
  })),
  waitForAnswer,
] as const;

const stopWaiting = stopTimer('answer');
const stopAll = [stopTimer('refresh'), stopTimer('retry'), stopTimer('expiry')] as const;

const settle = perform('call.settled', ({ event }: { readonly event: Answered }) => ({
  answer: event.answer,
}));

const fail = perform('call.failed', ({ event }: Scope) => ({
  cause: event.type === 'failed' ? event.cause : ('timeout' as const),
}));

const lose = perform('registration.lost', ({ event }: Scope) =>
  event.type === 'answered' ? { status: event.answer.status } : {},
);

const schedule = [
  'keepGrant',
  perform('timer.set', ({ context, event }: Scope) => ({
    name: 'refresh',
    at: refreshAt(event.at, context.until),
  })),
  perform('timer.set', ({ context }: Scope) => ({ name: 'expiry', at: context.until })),
] as const;

const retry = perform('timer.set', ({ context, event }: Scope) => ({
  name: 'retry',
  at: event.at + context.waits.retryMs,
}));

const isAnswerTimer = { type: 'isTimer', params: { name: 'answer' } } as const;
const isExpiryTimer = { type: 'isTimer', params: { name: 'expiry' } } as const;

/** A REGISTER of the user is on its way. */
const registering = machine.createStateConfig({
  entry: register,
  exit: stopWaiting,
  on: {
    answered: [
      { guard: 'isGranted', target: 'registered', actions: [...schedule, settle] },
      { guard: 'isTooBrief', target: 'registering', reenter: true, actions: 'raise' },
      { target: 'idle', actions: [...stopAll, settle] },
    ],
    failed: { target: 'idle', actions: [...stopAll, fail] },
    'timer.expired': [
      { guard: isAnswerTimer, target: 'idle', actions: [...stopAll, fail] },
      { guard: isExpiryTimer, actions: [] },
    ],
    unregister: 'leaving',
  },
});

const registered = machine.createStateConfig({
  on: {
    'timer.expired': [
      { guard: isExpiryTimer, target: 'idle', actions: [...stopAll, lose] },
      { target: 'refreshing' },
    ],
    register: { target: 'registering', actions: 'begin' },
    unregister: 'unregistering',
  },
});

/** A REGISTER is on its way that nobody waits for; the binding stands until it runs out. */
const refreshing = machine.createStateConfig({
  entry: register,
  exit: stopWaiting,
  on: {
    answered: [
      { guard: 'isGranted', target: 'registered', actions: schedule },
      { guard: 'isTooBrief', target: 'refreshing', reenter: true, actions: 'raise' },
      { guard: 'isRefused', target: 'idle', actions: [...stopAll, lose] },
      { target: 'registered', actions: retry },
    ],
    failed: { target: 'registered', actions: retry },
    'timer.expired': [
      { guard: isExpiryTimer, target: 'idle', actions: [...stopAll, lose] },
      { guard: isAnswerTimer, target: 'registered', actions: retry },
    ],
    register: { target: 'registering', actions: 'begin' },
    unregister: 'leaving',
  },
});

/** The user has left while a REGISTER was on its way: two must not be pending at a time (10.2). */
const leaving = machine.createStateConfig({
  entry: waitForAnswer,
  exit: stopWaiting,
  on: {
    answered: 'unregistering',
    failed: 'unregistering',
    'timer.expired': { guard: isAnswerTimer, target: 'unregistering' },
  },
});

const unregistering = machine.createStateConfig({
  entry: ['leave', ...stopAll, ...register],
  exit: stopWaiting,
  on: {
    answered: { target: 'idle', actions: settle },
    failed: { target: 'idle', actions: fail },
    'timer.expired': { guard: isAnswerTimer, target: 'idle', actions: fail },
  },
});

/** One per client; its Call-ID is drawn with the first REGISTER and kept (10.2.4). */
const registrationMachine = machine.createMachine({
  id: 'registration',
  context: { callId: '', cseq: 0, expires: 0, until: 0, raised: false, waits: noWaits },
  initial: 'idle',
  states: {
    idle: { on: { register: { target: 'registering', actions: 'begin' } } },
    registering,
    registered,
    refreshing,
    leaving,
    unregistering,
  },
});

export const registration = clientDefinition<RegistrationEvent, RegistrationEffect>(
  registrationMachine,
);

function granted(context: RegistrationContext, event: Answered): number {
  return event.answer.expires ?? context.expires;
}

/** 24.229 5.1.1.4.1: 600 s before the end of a long registration, at half of a short one. */
function refreshAt(at: number, until: number): number {
  const left = until - at;
  return at + (left > 1_200_000 ? left - 600_000 : left / 2);
}
