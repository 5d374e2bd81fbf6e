/** The non-INVITE client transaction (RFC 3261 17.1.2). */

import { assign, setup } from 'xstate';
import {
  effectActions,
  fired,
  guards,
  say,
  startRepetition,
  startTimer,
  stopTimer,
  transactionDefinition,
} from './declaration.js';
import type { ClientEvent } from './events.js';

export interface ClientContext {
  /** Of Timer E. */
  readonly intervalMs: number;
}

const startF = startTimer('F', ({ t1 }) => 64 * t1);
const startK = startTimer('K', ({ reliable, t4 }) => (reliable ? 0 : t4));
/** E and F run on from `trying` to `proceeding`. */
const stopEAndF = [stopTimer('E'), stopTimer('F')] as const;

const clientSetup = setup({
  types: { context: {} as ClientContext, events: {} as ClientEvent },
  actions: {
    ...effectActions,
    beginInterval: assign({ intervalMs: ({ event }) => event.facts.t1 }),
    doubleInterval: assign({
      intervalMs: ({ context, event }) => Math.min(2 * context.intervalMs, event.facts.t2),
    }),
    longestInterval: assign({ intervalMs: ({ event }) => event.facts.t2 }),
  },
  guards,
});

const finalResponse = {
  actions: [say('response.pass'), ...stopEAndF, startK],
  target: 'completed',
} as const;

const timeout = {
  guard: fired('F'),
  actions: [say('user.timeout'), ...stopEAndF],
  target: 'terminated',
} as const;

const failure = { actions: [say('user.failed'), ...stopEAndF], target: 'terminated' } as const;

const trying = clientSetup.createStateConfig({
  on: {
    'timer.fired': [
      {
        guard: fired('E'),
        actions: [say('request.repeat'), 'doubleInterval', startRepetition('E')],
      },
      timeout,
    ],
    'transport.failed': failure,
    'response.received': [
      { guard: 'isProvisional', actions: say('response.pass'), target: 'proceeding' },
      finalResponse,
    ],
  },
});

/** The request is repeated on, so that a lost final response is sent again. */
const proceeding = clientSetup.createStateConfig({
  on: {
    'timer.fired': [
      {
        guard: fired('E'),
        actions: [say('request.repeat'), 'longestInterval', startRepetition('E')],
      },
      timeout,
    ],
    'transport.failed': failure,
    'response.received': [{ guard: 'isProvisional', actions: say('response.pass') }, finalResponse],
  },
});

export const client = transactionDefinition<ClientEvent>(
  clientSetup.createMachine({
    id: 'client',
    context: { intervalMs: 0 },
    initial: 'initial',
    states: {
      initial: {
        on: {
          start: {
            actions: ['beginInterval', startF, say('request.send'), startRepetition('E')],
            target: 'trying',
          },
        },
      },
      trying,
      proceeding,
      /** Repetitions of the response end here. */
      completed: { on: { 'timer.fired': { guard: fired('K'), target: 'terminated' } } },
      terminated: { type: 'final' },
    },
  }),
);
