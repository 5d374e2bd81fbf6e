/** The non-INVITE server transaction (RFC 3261 17.2.2, RFC 6026 8.8). */

import { setup } from 'xstate';
import {
  effectActions,
  fired,
  guards,
  say,
  startTimer,
  stopTimer,
  transactionDefinition,
} from './declaration.js';
import type { ServerEvent } from './events.js';

const startJ = startTimer('J', ({ reliable, t1 }) => (reliable ? 0 : 64 * t1));
/** A bound of ours: after Timer F of the client an answer would reach nobody. */
const startX = startTimer('X', ({ t1 }) => 64 * t1);

const serverSetup = setup({
  types: { events: {} as ServerEvent },
  actions: effectActions,
  guards,
});

const finalResponse = {
  actions: [say('response.send'), stopTimer('X'), startJ],
  target: 'completed',
} as const;

const givenUp = { guard: fired('X'), target: 'terminated' } as const;

/** RFC 6026 8.8: the user is told, the transaction remains in its state. */
const remain = { actions: say('user.failed') } as const;

/** Nothing has been sent, so that a retransmission of the request is discarded. */
const trying = serverSetup.createStateConfig({
  on: {
    'response.handed': [
      { guard: 'isProvisional', actions: say('response.send'), target: 'proceeding' },
      finalResponse,
    ],
    'timer.fired': givenUp,
  },
});

const proceeding = serverSetup.createStateConfig({
  on: {
    'request.received': { actions: say('response.repeat') },
    'response.handed': [{ guard: 'isProvisional', actions: say('response.send') }, finalResponse],
    'transport.failed': remain,
    'timer.fired': givenUp,
  },
});

/** Other final responses of the user are discarded. */
const completed = serverSetup.createStateConfig({
  on: {
    'request.received': { actions: say('response.repeat') },
    'transport.failed': remain,
    'timer.fired': { guard: fired('J'), target: 'terminated' },
  },
});

export const server = transactionDefinition<ServerEvent>(
  serverSetup.createMachine({
    id: 'server',
    context: {},
    initial: 'initial',
    states: {
      initial: {
        on: { start: { actions: [say('request.pass'), startX], target: 'trying' } },
      },
      trying,
      proceeding,
      completed,
      terminated: { type: 'final' },
    },
  }),
);
