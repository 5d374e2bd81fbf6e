/**
 * The forward: a MESSAGE for a user who is available, passed on to the user's clients one after
 * another, or to all at the same time (U10). What ends without reaching any of them is deferred (D-12).
 */

import { setup } from 'xstate';
import { declarations, effectActions, tell, type On as EventOn } from './declaration.js';
import type { ForwardEvent, TargetFacts } from './events.js';
import { isInaccessible } from './policy.js';
import { unborn, type Definition } from './step.js';
import { waitTimer } from './wait-timer.js';

export interface ForwardContext {
  readonly forward: number;
  readonly transaction: string;
  /** The client that is asked, and those after it. */
  readonly targets: readonly TargetFacts[];
  /** Clients that are asked and have not answered. */
  readonly pending: number;
  /** A client has refused while others were asked. */
  readonly refusal: number | undefined;
  /** When the timer `wait` is set for. */
  readonly waitAt: number;
  /** The message as it is stored, when it was given up before it was answered. */
  readonly serial: number | undefined;
}

type On<Type extends ForwardEvent['type']> = EventOn<ForwardEvent, Type>;

const { ask, change, effect } = declarations<ForwardContext, ForwardEvent>();

const keepFacts = change((_context, event: On<'start'>) => ({
  forward: event.forward,
  transaction: event.transaction,
  targets: event.targets,
  pending: event.limits.forward.devices === 'all' ? event.targets.length : 1,
  refusal: undefined,
  waitAt: event.at + event.limits.forward.waitMs,
  serial: undefined,
}));

const sipForward = effect('sip.forward', ({ targets, pending }) =>
  targets.slice(0, pending).map((target, fork) => ({
    ...{ type: 'sip.forward', target },
    ...(fork > 0 && { fork }),
  })),
);

const respondRefusal = effect('sip.respond', ({ transaction, refusal }) =>
  refusal === undefined ? [] : { type: 'sip.respond', transaction, status: refusal },
);

const sipPass = effect('sip.pass', ({ transaction }) => ({ type: 'sip.pass', transaction }));

const defer = effect('message.defer', () => ({ type: 'message.defer', late: false }));
const deferLate = effect('message.defer', () => ({ type: 'message.defer', late: true }));
const passed = effect('message.passed', () => ({ type: 'message.passed' }));

const { setWait, cancelWait } = waitTimer<ForwardContext, ForwardEvent>();

/** U11: the message that is stored is one that the user has. */
const tellTaken = effect('tell', ({ serial }, { at, limits }) =>
  serial === undefined ? [] : tell(`ua/${serial}`, { type: 'taken', at, limits }),
);

const tellEnded = effect('tell', ({ forward }, { at, limits }) =>
  tell('mailbox', { type: 'forward.ended', at, forward, limits }),
);

const stop = effect('stop', () => ({ type: 'stop' }));

const forwardSetup = setup({
  types: { context: {} as ForwardContext, events: {} as ForwardEvent },
  actions: {
    ...effectActions,
    keepFacts,
    /** Nobody is left to ask when all are asked. */
    keepUnasked: change(({ targets, pending }) => ({
      targets: pending > 1 ? targets.slice(0, 1) : targets,
    })),
    nextTarget: change(({ targets }) => ({ targets: targets.slice(1) })),
    countAnswer: change(({ pending }) => ({ pending: pending - 1 })),
    noteRefusal: change(({ pending, refusal }, { status }: On<'forward.answered'>) => ({
      pending: pending - 1,
      refusal: refusal ?? status,
    })),
    keepSerial: change((_context, { serial }: On<'message.stored'>) => ({ serial })),
  },
  guards: {
    isTaken: ask((_context, { status }: On<'forward.answered'>) => status >= 200 && status < 300),
    isInaccessible: ask((_context, { status }: On<'forward.answered'>) => isInaccessible(status)),
    isInaccessibleThere: ask(
      ({ targets }, { status }: On<'forward.answered'>) =>
        isInaccessible(status) && targets.length > 1,
    ),
    hasOthers: ask(({ targets }) => targets.length > 1),
    isOneOfSeveral: ask(({ pending }) => pending > 1),
    isRefusedBesideOthers: ask(
      ({ pending }, { status }: On<'forward.answered'>) => pending > 1 && !isInaccessible(status),
    ),
    wasRefused: ask(({ refusal }) => refusal !== undefined),
    isInaccessibleAfterRefusal: ask(
      ({ refusal }, { status }: On<'forward.answered'>) =>
        refusal !== undefined && isInaccessible(status),
    ),
  },
});

const pending = forwardSetup.createStateConfig({
  on: {
    'forward.answered': [
      { guard: 'isTaken', actions: [sipPass, passed], target: 'ended' },
      { guard: 'isRefusedBesideOthers', actions: 'noteRefusal' },
      { guard: 'isOneOfSeveral', actions: 'countAnswer' },
      { guard: 'isInaccessibleAfterRefusal', actions: respondRefusal, target: 'ended' },
      { guard: 'isInaccessibleThere', actions: ['nextTarget', sipForward] },
      { guard: 'isInaccessible', actions: defer, target: 'ended' },
      { actions: sipPass, target: 'ended' },
    ],
    'forward.failed': [
      { guard: 'isOneOfSeveral', actions: 'countAnswer' },
      { guard: 'wasRefused', actions: respondRefusal, target: 'ended' },
      { guard: 'hasOthers', actions: ['nextTarget', sipForward] },
      { actions: defer, target: 'ended' },
    ],
    'timer.expired': [
      { guard: 'wasRefused', actions: respondRefusal, target: 'ended' },
      { actions: deferLate, target: 'late' },
    ],
  },
});

/** Stored, for the sender waits no longer; the user may have the message all the same. */
const late = forwardSetup.createStateConfig({
  on: {
    'message.stored': { actions: 'keepSerial' },
    'forward.answered': [
      { guard: 'isTaken', actions: tellTaken, target: 'ended' },
      { guard: 'isOneOfSeveral', actions: 'countAnswer' },
      { target: 'ended' },
    ],
    'forward.failed': [{ guard: 'isOneOfSeveral', actions: 'countAnswer' }, { target: 'ended' }],
  },
});

const machine = forwardSetup.createMachine({
  id: 'forward',
  // Born by `start`, which sets every field.
  context: {} as ForwardContext,
  initial: 'absent',
  states: {
    absent: {
      on: {
        start: { actions: ['keepFacts', sipForward, 'keepUnasked', setWait], target: 'pending' },
      },
    },
    pending,
    late,
    ended: { type: 'final', entry: [cancelWait, tellEnded, stop] },
  },
});

/** The forward; nothing of it is stored: until it is answered, the sender has no promise. */
export const forward: Definition = {
  machine,
  unborn: unborn(machine),
  birth: ['start'],
  rest: () => undefined,
  revive: () => {
    throw new Error('MACHINE_NOT_STORED: forward');
  },
};
