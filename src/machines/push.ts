/** The push: the UAC session that delivers a user's messages over MSRP (S2, D-47). */

import { setup } from 'xstate';
import { declarations, effectActions, type On as EventOn } from './declaration.js';
import { deliveryDeclarations, isTransient, noMedia, type DeliveryContext } from './delivery.js';
import type { Limits, PushEvent, TargetFacts } from './events.js';
import { connectTo, isActiveOfferer, isSameSession, isUsableAnswer } from './policy.js';
import { addSerial, noSerials } from './serial-set.js';
import { unborn, type Definition } from './step.js';

export interface PushContext extends DeliveryContext {
  readonly push: number;
  /** The client that is invited, and those after it. */
  readonly targets: readonly TargetFacts[];
  /** The path and role of the answer: an INVITE inside the dialog may not move the session. */
  readonly path: readonly string[];
  readonly active: boolean;
  /** The client has bound the MSRP session before its 200 arrived. */
  readonly bound: boolean;
  readonly outcome: 'done' | 'failed';
}

type On<Type extends PushEvent['type']> = EventOn<PushEvent, Type>;

const { ask, change, effect } = declarations<PushContext, PushEvent>();
const delivery = deliveryDeclarations<PushContext, PushEvent>();
const { tellInvite, tellBye, setWait, cancelWait, respond, forget, release, stop } = delivery;

const keepFacts = change((_context, event: On<'start'>) => ({
  session: `push/${event.push}` as const,
  push: event.push,
  targets: event.targets,
  media: noMedia,
  todo: event.serials,
  invited: [],
  delivered: 0,
  failed: noSerials,
  waitAt: answerBy(event.targets, event.at, event.limits),
  path: [],
  active: false,
  bound: false,
  outcome: 'done' as const,
}));

const addMessage = change(({ todo }, event: On<'message.added'>) => ({
  todo: addSerial(todo, event.serial),
}));

const keepMedia = change((_context, { answer }: On<'invite.answered'>) => {
  const { acceptTypes = [], acceptWrappedTypes = [], maxSize } = answer ?? {};
  const media = { acceptTypes, acceptWrappedTypes, ...(maxSize !== undefined && { maxSize }) };
  const active = answer !== undefined && isActiveOfferer(answer);
  return { media, path: answer?.path ?? [], active };
});

const sipInvite = effect('sip.invite', ({ targets: [target] }) =>
  target === undefined ? [] : { type: 'sip.invite', target },
);
const sipBye = effect('sip.bye', () => ({ type: 'sip.bye' }));

const connect = effect('msrp.connect', (_context, { answer }: On<'invite.answered'>) =>
  answer === undefined ? [] : [connectTo(answer, isActiveOfferer(answer))],
);

const accept = effect('sip.accept', ({ active }, { transaction }: On<'reinvite.received'>) => ({
  type: 'sip.accept',
  transaction,
  active,
}));

const tellEnded = effect('tell', ({ push, outcome, failed }, { at, limits }) => ({
  type: 'tell',
  to: 'mailbox',
  event: { type: 'push.ended', at, push, outcome, failed, limits },
}));

const pushSetup = setup({
  types: { context: {} as PushContext, events: {} as PushEvent },
  actions: {
    ...effectActions,
    ...delivery.actions,
    keepFacts,
    addMessage,
    keepMedia,
    nextTarget: change(({ targets }, { at, limits }) => ({
      targets: targets.slice(1),
      waitAt: answerBy(targets.slice(1), at, limits),
    })),
    dropTodo: change(() => ({ todo: noSerials })),
    markBound: change(() => ({ bound: true })),
    fail: change(() => ({ outcome: 'failed' })),
    failIfTransient: change(({ outcome }, { status }: On<'ua.failed'>) => ({
      outcome: isTransient(status) ? 'failed' : outcome,
    })),
  },
  guards: {
    ...delivery.guards,
    isRefused: ask((_context, { status }: On<'invite.answered'>) => status >= 300),
    /** D-47: another client of the user may take what this one does not; 6xx speaks for all. */
    isRefusedByOne: ask(
      ({ targets }, { status }: On<'invite.answered'>) =>
        status >= 300 && status < 600 && targets.length > 1,
    ),
    hasOthers: ask(({ targets }) => targets.length > 1),
    isUnusable: ask((_context, { answer }: On<'invite.answered'>) => !isUsableAnswer(answer)),
    isBound: ask(({ bound }) => bound),
    /** A push offers what it has: no list, no other media (RFC 3261 14.2). */
    movesMedia: ask(
      (context, { offer, list }: On<'reinvite.received'>) =>
        list || (offer !== undefined && !(isUsableAnswer(offer) && isSameSession(offer, context))),
    ),
  },
});

const inviteNext = [cancelWait, 'nextTarget', sipInvite, setWait] as const;

const inviting = pushSetup.createStateConfig({
  on: {
    'invite.answered': [
      { guard: 'isRefusedByOne', actions: inviteNext },
      { guard: 'isRefused', actions: 'fail', target: '#push.ended' },
      { guard: 'isUnusable', actions: 'fail', target: '#push.closing' },
      { guard: 'isBound', actions: ['keepMedia', connect], target: 'sending' },
      { actions: ['keepMedia', connect], target: 'binding' },
    ],
    'invite.failed': [
      { guard: 'hasOthers', actions: inviteNext },
      { actions: 'fail', target: '#push.ended' },
    ],
    'msrp.connected': { actions: 'markBound' },
    'timer.expired': { guard: 'isWait', actions: 'fail', target: '#push.closing' },
  },
});

const binding = pushSetup.createStateConfig({
  entry: [cancelWait, 'startWait', setWait],
  on: {
    'msrp.connected': { target: 'sending' },
    'timer.expired': { guard: 'isWait', actions: 'fail', target: '#push.closing' },
  },
});

/** One bad message never blocks the rest: whatever becomes of it, the next one is invited. */
const sending = pushSetup.createStateConfig({
  entry: [cancelWait, 'endWait', tellInvite, 'invite'],
  on: {
    'ua.departed': { actions: ['noteDeparture', tellInvite, 'invite'] },
    'ua.failed': { actions: ['noteFailure', 'failIfTransient', tellInvite, 'invite'] },
    undelivered: { actions: ['noteAbsence', tellInvite, 'invite'] },
    'message.added': { actions: ['addMessage', tellInvite, 'invite'] },
    withdraw: { actions: ['fail', 'dropTodo'], target: 'draining' },
  },
  always: { guard: 'isOver', target: '#push.closing' },
});

/** The user leaves: what is in flight may still be confirmed, nothing further is begun. */
const draining = pushSetup.createStateConfig({
  entry: ['startWait', setWait],
  on: {
    'ua.departed': { actions: 'noteDeparture' },
    'ua.failed': { actions: 'noteFailure' },
    undelivered: { actions: 'noteAbsence' },
    'message.added': {},
    withdraw: {},
    'timer.expired': { guard: 'isWait', target: '#push.closing' },
  },
  always: { guard: 'isOver', target: '#push.closing' },
});

const machine = pushSetup.createMachine({
  id: 'push',
  // Born by `start`, which sets every field.
  context: {} as PushContext,
  initial: 'absent',
  states: {
    absent: {
      on: { start: { actions: ['keepFacts', sipInvite, setWait], target: 'running' } },
    },
    running: {
      initial: 'inviting',
      states: { inviting, binding, sending, draining },
      on: {
        'message.added': { actions: 'addMessage' },
        withdraw: { actions: 'fail', target: 'closing' },
        'msrp.lost': { actions: 'fail', target: 'closing' },
        'reinvite.received': [{ guard: 'movesMedia', actions: respond(488) }, { actions: accept }],
        'bye.received': { actions: ['fail', tellBye, respond(200), forget], target: 'ended' },
      },
    },
    closing: {
      entry: [tellBye, 'forgetInvited', sipBye, cancelWait, 'startWait', setWait],
      on: {
        'bye.answered': { target: 'ended' },
        'bye.received': { actions: [respond(200), forget], target: 'ended' },
        'reinvite.received': { actions: respond(481) },
        'timer.expired': { guard: 'isWait', actions: forget, target: 'ended' },
      },
    },
    ended: { type: 'final', entry: [cancelWait, release, tellEnded, stop] },
  },
});

/** The push; nothing of it is stored. */
export const push: Definition = {
  machine,
  unborn: unborn(machine),
  birth: ['start'],
  rest: () => undefined,
  revive: () => {
    throw new Error('MACHINE_NOT_STORED: push');
  },
};

/** Twice the time while another client waits: INVITE ends by Timer B before that. */
function answerBy(targets: readonly TargetFacts[], at: number, { retrieval }: Limits): number {
  return at + (targets.length > 1 ? 2 : 1) * retrieval.waitMs;
}
