/** The push: the UAC session that delivers a user's messages over MSRP (S2, D-47). */

import { setup } from 'xstate';
import { effectActions } from './declaration.js';
import { deliveryDeclarations, isTransient, noMedia } from './delivery.js';
import type { Limits, PushEvent, TargetFacts } from './events.js';
import { connectTo, isActiveOfferer, isSameSession, isUsableAnswer, mediaOf } from './policy.js';
import { ask, change, copyOf, effect, type On, type PushContext } from './push-context.js';
import {
  confirmCarried,
  senderChanges,
  senderGuards,
  tellCarried,
  tellIntroduce,
} from './push-sender.js';
import { addSerial, noSerials } from './serial-set.js';
import { unborn, type Definition } from './step.js';

const delivery = deliveryDeclarations<PushContext, PushEvent>(copyOf);
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
  sender: undefined,
  first: undefined,
  others: 0,
  waitAt: answerBy(event.targets, event.at, event.limits),
  path: [],
  active: false,
  bound: false,
  outcome: 'done' as const,
}));

const addMessage = change(({ todo }, event: On<'message.added'>) => ({
  todo: addSerial(todo, event.serial),
}));

const keepMedia = change((_context, { answer, limits }: On<'invite.answered'>) => {
  const media = answer ? mediaOf(answer, limits) : noMedia;
  const active = answer !== undefined && isActiveOfferer(answer);
  return { media, path: answer?.path ?? [], active };
});

const sipInvite = effect('sip.invite', ({ targets: [target], first }) =>
  target === undefined ? [] : { type: 'sip.invite', target, ...(first && { first }) },
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
    ...senderChanges,
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
    ...senderGuards,
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

/** 1.6 rules 1 and 3: whose message it is decides about the INVITE. */
const choosing = pushSetup.createStateConfig({
  on: {
    'ua.introduced': [
      { guard: 'isNotChosen' },
      {
        guard: 'isCarried',
        actions: ['keepCarried', tellCarried, sipInvite],
        target: 'inviting',
      },
      { actions: ['keepSender', sipInvite], target: 'inviting' },
    ],
    undelivered: { actions: ['noteAbsence', tellIntroduce, 'chooseFirst'] },
    'timer.expired': { guard: 'isWait', actions: 'fail', target: '#push.closing' },
  },
  always: { guard: 'isOver', target: '#push.closing' },
});

const inviting = pushSetup.createStateConfig({
  on: {
    'invite.answered': [
      { guard: 'isRefusedByOne', actions: inviteNext },
      { guard: 'isRefused', actions: ['fail', tellBye], target: '#push.ended' },
      { guard: 'isUnusable', actions: [confirmCarried, 'fail'], target: '#push.closing' },
      { guard: 'isBound', actions: [confirmCarried, 'keepMedia', connect], target: 'sending' },
      { actions: [confirmCarried, 'keepMedia', connect], target: 'binding' },
    ],
    'invite.failed': [
      { guard: 'hasOthers', actions: inviteNext },
      { actions: ['fail', tellBye], target: '#push.ended' },
    ],
    // The message that the INVITE was to bring cannot be given out: there is no INVITE.
    'ua.failed': { actions: ['noteFailure', 'failIfTransient'], target: '#push.closing' },
    'msrp.connected': { actions: 'markBound' },
    'timer.expired': { guard: 'isWait', actions: 'fail', target: '#push.closing' },
  },
});

const binding = pushSetup.createStateConfig({
  entry: [cancelWait, 'startWait', setWait],
  on: {
    'msrp.connected': { target: 'sending' },
    'ua.departed': { actions: 'noteDeparture' },
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
    'ua.other': { actions: ['noteOther', tellInvite, 'invite'] },
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
    'ua.other': { actions: 'noteOther' },
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
      on: {
        start: [
          {
            guard: 'isBySender',
            actions: ['keepFacts', setWait, tellIntroduce, 'chooseFirst'],
            target: 'running.choosing',
          },
          { actions: ['keepFacts', sipInvite, setWait], target: 'running' },
        ],
      },
    },
    running: {
      initial: 'inviting',
      states: { choosing, inviting, binding, sending, draining },
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
