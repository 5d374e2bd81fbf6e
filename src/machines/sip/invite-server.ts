/** The INVITE server transaction (RFC 3261 17.2.1, RFC 6026 8.7 and 8.8). */

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
import type { InviteServerEvent } from './events.js';

export interface InviteServerContext {
  /** Of Timer G. */
  readonly intervalMs: number;
  /** A provisional response has been sent and can be repeated. */
  readonly hasResponse: boolean;
}

/** A bound of ours: the user is asked to answer an INVITE that nobody answers. */
const startC = startTimer('C', ({ inviteMs }) => inviteMs);
const startH = startTimer('H', ({ t1 }) => 64 * t1);
const startI = startTimer('I', ({ reliable, t4 }) => (reliable ? 0 : t4));
const startL = startTimer('L', ({ t1 }) => 64 * t1);

const inviteServerSetup = setup({
  types: { context: {} as InviteServerContext, events: {} as InviteServerEvent },
  actions: {
    ...effectActions,
    beginInterval: assign({ intervalMs: ({ event }) => event.facts.t1 }),
    doubleInterval: assign({
      intervalMs: ({ context, event }) => Math.min(2 * context.intervalMs, event.facts.t2),
    }),
    keepResponse: assign({ hasResponse: true }),
  },
  guards: { ...guards, hasResponse: ({ context }) => context.hasResponse },
});

/** RFC 6026 8.8: the user is told, the transaction remains in its state. */
const remain = { actions: say('user.failed') } as const;

/** The 100 of 17.2.1 comes from the user, as every other provisional response. */
const proceeding = inviteServerSetup.createStateConfig({
  exit: stopTimer('C'),
  on: {
    'request.received': { guard: 'hasResponse', actions: say('response.repeat') },
    'response.handed': [
      { guard: 'isProvisional', actions: [say('response.send'), 'keepResponse'] },
      { guard: 'isSuccess', actions: [say('response.send'), startL], target: 'accepted' },
      {
        actions: [say('response.send'), 'beginInterval', startRepetition('G'), startH],
        target: 'completed',
      },
    ],
    'transport.failed': remain,
    'timer.fired': { guard: fired('C'), actions: say('user.overdue') },
  },
});

const completed = inviteServerSetup.createStateConfig({
  exit: [stopTimer('G'), stopTimer('H')],
  on: {
    'request.received': { actions: say('response.repeat') },
    'ack.received': { actions: startI, target: 'confirmed' },
    'transport.failed': remain,
    'timer.fired': [
      {
        guard: fired('G'),
        actions: [say('response.repeat'), 'doubleInterval', startRepetition('G')],
      },
      { guard: fired('H'), actions: say('user.timeout'), target: 'terminated' },
    ],
  },
});

/** RFC 6026 8.7: retransmissions of the INVITE end here, 2xx and ACK pass. */
const accepted = inviteServerSetup.createStateConfig({
  exit: stopTimer('L'),
  on: {
    'response.handed': { guard: 'isSuccess', actions: say('response.send') },
    'ack.received': { actions: say('ack.pass') },
    'transport.failed': remain,
    'timer.fired': { guard: fired('L'), target: 'terminated' },
  },
});

export const inviteServer = transactionDefinition<InviteServerEvent>(
  inviteServerSetup.createMachine({
    id: 'invite-server',
    context: { intervalMs: 0, hasResponse: false },
    initial: 'initial',
    states: {
      initial: {
        on: { start: { actions: [say('request.pass'), startC], target: 'proceeding' } },
      },
      proceeding,
      completed,
      /** Further copies of the ACK end here. */
      confirmed: {
        exit: stopTimer('I'),
        on: { 'timer.fired': { guard: fired('I'), target: 'terminated' } },
      },
      accepted,
      terminated: { type: 'final' },
    },
  }),
);
