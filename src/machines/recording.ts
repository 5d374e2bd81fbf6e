/** The recording: the UAS session that takes in large messages for its user (S4 X.X.2, D-16). */

import { setup } from 'xstate';
import { declarations, effectActions, tell, type On as EventOn } from './declaration.js';
import type { FieldFacts, RecordingEvent } from './events.js';
import { connectTo, isActiveAnswerer, isOfferToSend, isSameSession } from './policy.js';
import { unborn, type Definition } from './step.js';
import { waitTimer } from './wait-timer.js';

export interface RecordingContext {
  readonly recording: number;
  /** The path and role of the offer: a re-INVITE may not move the MSRP session. */
  readonly path: readonly string[];
  readonly active: boolean;
  readonly maxSize: number;
  /** Messages of this session that are stored; bounded by `limits.recording.messages`. */
  readonly kept: readonly number[];
  /** When the timer `wait` is set for. */
  readonly waitAt: number | undefined;
}

type On<Type extends RecordingEvent['type']> = EventOn<RecordingEvent, Type>;
type Invited = On<'invitation.received'>;

const { ask, change, effect } = declarations<RecordingContext, RecordingEvent>();

const keepFacts = change((_context, { recording, invitation, maxSize, at, limits }: Invited) => ({
  recording,
  path: invitation.offer?.path ?? [],
  active: invitation.offer !== undefined && isActiveAnswerer(invitation.offer),
  maxSize,
  kept: [],
  waitAt: at + limits.retrieval.waitMs,
}));

const accept = effect(
  'sip.accept',
  ({ active, maxSize }, { transaction }: Invited | On<'reinvite.received'>) => ({
    type: 'sip.accept',
    transaction,
    active,
    direction: 'recvonly',
    maxSize,
  }),
);

const connect = effect('msrp.connect', (_context, { invitation: { offer } }: Invited) =>
  offer === undefined ? [] : [connectTo(offer, isActiveAnswerer(offer))],
);

const { setWait, cancelWait } = waitTimer<RecordingContext, RecordingEvent>();

function respond(status: number, unsupported?: string) {
  type Asking = On<'reinvite.received' | 'bye.received'>;
  return effect('sip.respond', (_context, { transaction }: Asking) => ({
    type: 'sip.respond',
    transaction,
    status,
    ...(unsupported !== undefined && { unsupported }),
  }));
}

const sipBye = effect('sip.bye', () => ({ type: 'sip.bye' }));
const forget = effect('sip.forget', () => ({ type: 'sip.forget' }));
const release = effect('msrp.release', () => ({ type: 'msrp.release' }));
const stop = effect('stop', () => ({ type: 'stop' }));

/** D-14: the header fields of the BYE belong to what is stored of each message. */
const tellClosed = effect('tell', ({ kept }, { fields, at, limits }: On<'bye.received'>) =>
  fields === undefined ? [] : kept.map((serial) => tellMessage(serial, fields, at, limits)),
);

function tellMessage(
  serial: number,
  fields: FieldFacts,
  at: number,
  limits: RecordingEvent['limits'],
) {
  return tell(`ua/${serial}`, { type: 'session.closed', at, fields, limits });
}

const tellEnded = effect('tell', ({ recording }, { at, limits }) =>
  tell('mailbox', { type: 'recording.ended', at, recording, limits }),
);

const recordingSetup = setup({
  types: { context: {} as RecordingContext, events: {} as RecordingEvent },
  actions: {
    ...effectActions,
    keepFacts,
    noteMessage: change(({ kept }, { serial, limits }: On<'message.kept'>) => ({
      kept: kept.length < limits.recording.messages ? [...kept, serial] : kept,
    })),
    startWait: change((_context, { at, limits }) => ({ waitAt: at + limits.retrieval.waitMs })),
    startIdle: change((_context, { at, limits }) => ({ waitAt: at + limits.recording.idleMs })),
  },
  guards: {
    isWait: ask((_context, { name }: On<'timer.expired'>) => name === 'wait'),
    hasList: ask((_context, { list }: On<'reinvite.received'>) => list),
    movesMedia: ask(
      (context, { offer }: On<'reinvite.received'>) =>
        offer !== undefined && !(isOfferToSend(offer) && isSameSession(offer, context)),
    ),
  },
});

/** ACK and binding come in either order. */
const waiting = recordingSetup.createStateConfig({
  initial: 'unconfirmed',
  states: {
    unconfirmed: {
      on: { 'ack.received': { target: 'confirmed' }, 'msrp.connected': { target: 'bound' } },
    },
    confirmed: { on: { 'msrp.connected': { target: '#recording.established.receiving' } } },
    bound: { on: { 'ack.received': { target: '#recording.established.receiving' } } },
  },
});

/** A sender that sends nothing more and does not say so is not waited for without end. */
const receiving = recordingSetup.createStateConfig({
  entry: ['startIdle', setWait],
  on: {
    'msrp.progress': { actions: ['startIdle', setWait] },
    'message.kept': { actions: ['noteMessage', 'startIdle', setWait] },
  },
});

const machine = recordingSetup.createMachine({
  id: 'recording',
  // Born by `invitation.received`, which sets every field.
  context: {} as RecordingContext,
  initial: 'absent',
  states: {
    absent: {
      on: {
        'invitation.received': {
          actions: ['keepFacts', accept, connect, setWait],
          target: 'established',
        },
      },
    },
    established: {
      initial: 'waiting',
      states: { waiting, receiving },
      on: {
        'message.kept': { actions: 'noteMessage' },
        'reinvite.received': [
          { guard: 'hasList', actions: respond(420, 'recipient-list-invite') },
          { guard: 'movesMedia', actions: respond(488) },
          { actions: accept },
        ],
        'timer.expired': { guard: 'isWait', target: 'closing' },
        'msrp.lost': { target: 'closing' },
        'bye.received': { actions: [tellClosed, respond(200), forget], target: 'ended' },
        'invite.cancelled': { actions: forget, target: 'ended' },
        'ack.missing': { target: 'ended' },
      },
    },
    closing: {
      entry: [sipBye, cancelWait, 'startWait', setWait],
      on: {
        'message.kept': { actions: 'noteMessage' },
        'bye.answered': { target: 'ended' },
        'bye.received': { actions: [tellClosed, respond(200), forget], target: 'ended' },
        'reinvite.received': { actions: respond(481) },
        'invite.cancelled': { actions: forget, target: 'ended' },
        'ack.missing': { target: 'ended' },
        'timer.expired': { guard: 'isWait', actions: forget, target: 'ended' },
      },
    },
    ended: { type: 'final', entry: [cancelWait, release, tellEnded, stop] },
  },
});

/** The recording; nothing of it is stored. */
export const recording: Definition = {
  machine,
  unborn: unborn(machine),
  birth: ['invitation.received'],
  rest: () => undefined,
  revive: () => {
    throw new Error('MACHINE_NOT_STORED: recording');
  },
};
