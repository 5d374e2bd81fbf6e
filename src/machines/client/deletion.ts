/** The deletion of stored messages at the user's wish (D-31): one request, one final answer. */

import { assign, setup } from 'xstate';
import { clientDefinition } from './definition.js';
import { effectsOf, perform, stopTimer } from './effect.js';
import type { DeletionEffect } from './effects.js';
import type { Answered, DeletionEvent } from './events.js';

export interface DeletionContext {
  readonly ids: readonly string[];
  /** ms for the final answer. */
  readonly answerMs: number;
}

/** What the parameters of an effect are made of. */
interface Scope {
  readonly context: DeletionContext;
  readonly event: DeletionEvent;
}

const effect = effectsOf<DeletionEffect>();

const machine = setup({
  types: { context: {} as DeletionContext, events: {} as DeletionEvent },
  actions: {
    'sip.delete': effect('sip.delete'),
    'timer.set': effect('timer.set'),
    'timer.cancel': effect('timer.cancel'),
    'call.settled': effect('call.settled'),
    'call.failed': effect('call.failed'),
    begin: assign(({ event }) =>
      event.type === 'delete' ? { ids: event.ids, answerMs: event.waits.answerMs } : {},
    ),
  },
});

const fail = perform('call.failed', ({ event }: Scope) => ({
  cause: event.type === 'failed' ? event.cause : ('timeout' as const),
}));

export const deletion = clientDefinition<DeletionEvent, DeletionEffect>(
  machine.createMachine({
    id: 'deletion',
    context: { ids: [], answerMs: 0 },
    initial: 'idle',
    states: {
      idle: { on: { delete: { target: 'asking', actions: 'begin' } } },
      asking: {
        entry: [
          perform('sip.delete', ({ context: { ids } }: Scope) => ({ ids })),
          perform('timer.set', ({ context, event }: Scope) => ({
            name: 'answer',
            at: event.at + context.answerMs,
          })),
        ],
        exit: stopTimer('answer'),
        on: {
          answered: {
            target: 'done',
            actions: perform('call.settled', ({ event }: { readonly event: Answered }) => ({
              answer: event.answer,
            })),
          },
          failed: { target: 'done', actions: fail },
          'timer.expired': { target: 'done', actions: fail },
        },
      },
      done: {},
    },
  }),
);
