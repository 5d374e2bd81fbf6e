/** The INVITE client transaction (RFC 3261 17.1.1, RFC 6026 8.4). */

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
import type { InviteClientEvent } from './events.js';

export interface InviteClientContext {
  /** Of Timer A. */
  readonly intervalMs: number;
  /** The INVITE has been cancelled: Timer X runs, provisional responses give no more time. */
  readonly isCancelled: boolean;
}

const startB = startTimer('B', ({ t1 }) => 64 * t1);
const startC = startTimer('C', ({ inviteMs }) => inviteMs);
/** 17.1.1.2: at least 32 s, whatever T1: the server may have another T1. */
const startD = startTimer('D', ({ reliable, t1 }) => (reliable ? 0 : Math.max(32_000, 64 * t1)));
const startM = startTimer('M', ({ t1 }) => 64 * t1);
/** 9.1: a cancelled INVITE that stays without a final response ends after 64*T1. */
const startX = startTimer('X', ({ t1 }) => 64 * t1);

const inviteClientSetup = setup({
  types: { context: {} as InviteClientContext, events: {} as InviteClientEvent },
  actions: {
    ...effectActions,
    beginInterval: assign({ intervalMs: ({ event }) => event.facts.t1 }),
    doubleInterval: assign({ intervalMs: ({ context }) => context.intervalMs * 2 }),
    markCancelled: assign({ isCancelled: true }),
  },
  guards: {
    ...guards,
    isProvisionalTooLate: ({ context, event }) =>
      context.isCancelled && event.type === 'response.received' && event.status < 200,
  },
});

const finalResponses = [
  { guard: 'isSuccess', actions: [say('response.pass'), startM], target: 'accepted' },
  { actions: [say('ack.send'), say('response.pass'), startD], target: 'completed' },
] as const;

const calling = inviteClientSetup.createStateConfig({
  exit: [stopTimer('A'), stopTimer('B')],
  on: {
    'timer.fired': [
      {
        guard: fired('A'),
        actions: [say('request.repeat'), 'doubleInterval', startRepetition('A')],
      },
      { guard: fired('B'), actions: say('user.timeout'), target: 'terminated' },
    ],
    'transport.failed': { actions: say('user.failed'), target: 'terminated' },
    'response.received': [
      {
        guard: 'isProvisional',
        actions: [say('response.pass'), startC],
        target: 'proceeding',
      },
      ...finalResponses,
    ],
  },
});

/** 16.8: Timer C is a duty of proxies; here it keeps an INVITE from ringing for ever. */
const proceeding = inviteClientSetup.createStateConfig({
  exit: [stopTimer('C'), stopTimer('X')],
  on: {
    'response.received': [
      { guard: 'isProvisionalTooLate', actions: say('response.pass') },
      { guard: 'isProvisional', actions: [say('response.pass'), startC] },
      ...finalResponses,
    ],
    cancelled: { actions: ['markCancelled', stopTimer('C'), startX] },
    'timer.fired': [
      { guard: fired('C'), actions: ['markCancelled', say('user.overdue'), startX] },
      { guard: fired('X'), actions: say('user.timeout'), target: 'terminated' },
    ],
  },
});

/** The response is known; every repetition of it gets the ACK again. */
const completed = inviteClientSetup.createStateConfig({
  exit: stopTimer('D'),
  on: {
    'response.received': { guard: 'isFailure', actions: say('ack.send') },
    'transport.failed': { actions: say('user.failed'), target: 'terminated' },
    'timer.fired': { guard: fired('D'), target: 'terminated' },
  },
});

/** RFC 6026 8.4: every 2xx goes to the user, who acknowledges it. */
const accepted = inviteClientSetup.createStateConfig({
  exit: stopTimer('M'),
  on: {
    'response.received': { guard: 'isSuccess', actions: say('response.pass') },
    'timer.fired': { guard: fired('M'), target: 'terminated' },
  },
});

export const inviteClient = transactionDefinition<InviteClientEvent>(
  inviteClientSetup.createMachine({
    id: 'invite-client',
    context: { intervalMs: 0, isCancelled: false },
    initial: 'initial',
    states: {
      initial: {
        on: {
          start: {
            actions: ['beginInterval', say('request.send'), startRepetition('A'), startB],
            target: 'calling',
          },
        },
      },
      calling,
      proceeding,
      completed,
      accepted,
      terminated: { type: 'final' },
    },
  }),
);
