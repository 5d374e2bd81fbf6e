/** The submission of one pager message (RFC 3428 4): sent again only where that cannot double it. */

import { assign, setup } from 'xstate';
import { clientDefinition } from './definition.js';
import { effectsOf, perform, stopTimer } from './effect.js';
import type { SubmissionEffect } from './effects.js';
import type { Answered, SubmissionEvent, Waits } from './events.js';

export interface SubmissionContext {
  readonly callId: string;
  readonly localTag: string;
  readonly cseq: number;
  /** Attempts that are left. */
  readonly attempts: number;
  readonly waits: Waits;
}

/** What the parameters of an effect are made of. */
interface Scope {
  readonly context: SubmissionContext;
  readonly event: SubmissionEvent;
}

const effect = effectsOf<SubmissionEffect>();
const noWaits: Waits = { answerMs: 0, bindMs: 0, idleMs: 0, retryMs: 0, farewellMs: 0 };

const machine = setup({
  types: { context: {} as SubmissionContext, events: {} as SubmissionEvent },
  actions: {
    'sip.message': effect('sip.message'),
    'timer.set': effect('timer.set'),
    'timer.cancel': effect('timer.cancel'),
    'call.settled': effect('call.settled'),
    'call.failed': effect('call.failed'),
    begin: assign(({ event }) =>
      event.type === 'submit'
        ? {
            callId: event.fresh,
            localTag: event.fresh.slice(0, 12),
            cseq: 1,
            attempts: event.attempts,
            waits: event.waits,
          }
        : {},
    ),
    spend: assign({ attempts: ({ context }) => context.attempts - 1 }),
    /** The refused one was not stored: the next is another request. */
    count: assign({ cseq: ({ context }) => context.cseq + 1 }),
  },
  guards: {
    hasAttempts: ({ context }) => context.attempts > 0,
    /** 503 with Retry-After asks for the same later (RFC 3261 21.5.4), within what we wait. */
    isPutOff: ({ context, event }) =>
      event.type === 'answered' &&
      event.answer.status === 503 &&
      event.answer.retryAfter !== undefined &&
      event.answer.retryAfter * 1000 <= context.waits.answerMs &&
      context.attempts > 0,
    /** Our earlier request is still being worked on there (RFC 3261 8.2.2.2). */
    isMerged: ({ context, event }) =>
      event.type === 'answered' && event.answer.status === 482 && context.attempts > 0,
    isAnswerTimer: ({ event }) => event.type === 'timer.expired' && event.name === 'answer',
    isRetryTimer: ({ event }) => event.type === 'timer.expired' && event.name === 'retry',
    canRepeat: ({ context, event }) =>
      event.type === 'timer.expired' && event.name === 'answer' && context.attempts > 0,
  },
});

const fail = perform('call.failed', ({ event }: Scope) => ({
  cause:
    event.type === 'failed'
      ? event.cause
      : event.type === 'withdraw'
        ? ('withdrawn' as const)
        : ('timeout' as const),
}));

const waitToRepeat = perform('timer.set', ({ context, event }: Scope) => ({
  name: 'retry',
  at: event.at + context.waits.retryMs,
}));

const sending = machine.createStateConfig({
  entry: [
    'spend',
    perform('sip.message', ({ context: { callId, localTag, cseq } }: Scope) => ({
      callId,
      localTag,
      cseq,
    })),
    perform('timer.set', ({ context, event }: Scope) => ({
      name: 'answer',
      at: event.at + context.waits.answerMs,
    })),
  ],
  exit: stopTimer('answer'),
  on: {
    answered: [
      {
        guard: 'isPutOff',
        target: 'waiting',
        actions: [
          'count',
          perform('timer.set', ({ event }: { readonly event: Answered }) => ({
            name: 'retry',
            at: event.at + (event.answer.retryAfter ?? 0) * 1000,
          })),
        ],
      },
      { guard: 'isMerged', target: 'waiting', actions: waitToRepeat },
      {
        target: 'settled',
        actions: perform('call.settled', ({ event }: { readonly event: Answered }) => ({
          answer: event.answer,
        })),
      },
    ],
    // The same Call-ID, tag and CSeq again: a server that has stored it knows it (D-18).
    failed: [
      { guard: 'hasAttempts', target: 'waiting', actions: waitToRepeat },
      { target: 'settled', actions: fail },
    ],
    'timer.expired': [
      { guard: 'canRepeat', target: 'waiting', actions: waitToRepeat },
      { guard: 'isAnswerTimer', target: 'settled', actions: fail },
    ],
    withdraw: { target: 'settled', actions: fail },
  },
});

export const submission = clientDefinition<SubmissionEvent, SubmissionEffect>(
  machine.createMachine({
    id: 'submission',
    context: { callId: '', localTag: '', cseq: 0, attempts: 0, waits: noWaits },
    initial: 'idle',
    states: {
      idle: { on: { submit: { target: 'sending', actions: 'begin' } } },
      sending,
      waiting: {
        on: {
          'timer.expired': { guard: 'isRetryTimer', target: 'sending' },
          withdraw: { target: 'settled', actions: [stopTimer('retry'), fail] },
        },
      },
      settled: {},
    },
  }),
);
