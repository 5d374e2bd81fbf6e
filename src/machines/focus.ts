/** The focus of a retrieval conference: the Deferred Messaging Function (S3 11.3.1.1, D-60 to D-75). */

import { setup } from 'xstate';
import { declarations, effectActions, type On as EventOn } from './declaration.js';
import type { SipRespond } from './effects.js';
import type { Limits } from './facts.js';
import { deliveryDeclarations, noMedia, type DeliveryContext } from './delivery.js';
import type { FocusEvent } from './events.js';
import {
  conferenceChanges,
  conferenceEvents,
  conferenceGuards,
  tellChanged,
  tellOver,
  watchedAtFirst,
  type WatchedContext,
} from './focus-conference.js';
import {
  connectTo,
  isActiveAnswerer,
  isRecvonly,
  isSameSession,
  mediaOf,
  retrievalChecks,
} from './policy.js';
import { noSerials } from './serial-set.js';
import { unborn, type Definition } from './step.js';

export interface FocusContext extends DeliveryContext, WatchedContext {
  readonly focus: number;
  /** The offer's path: a re-INVITE may not move the MSRP session. */
  readonly path: readonly string[];
  readonly active: boolean;
  /** There was nothing to retrieve (D-69). */
  readonly empty: boolean;
}

type On<Type extends FocusEvent['type']> = EventOn<FocusEvent, Type>;
type Requested = On<'retrieval.requested'>;

const { ask, change, effect } = declarations<FocusContext, FocusEvent>();
const delivery = deliveryDeclarations<FocusContext, FocusEvent>();
const { tellInvite, tellBye, setWait, cancelWait, respond, forget, release, stop } = delivery;

const keepNumber = change((_context, { focus }: Requested) => ({ focus }));

const keepFacts = change((_context, event: Requested) => {
  const { focus, at, limits, serials } = event;
  const { offer } = event.retrieval;
  const empty = serials.length === 0;
  return {
    session: `focus/${focus}` as const,
    focus,
    media: offer ? mediaOf(offer, limits) : noMedia,
    path: offer?.path ?? [],
    active: offer !== undefined && isActiveAnswerer(offer),
    todo: serials,
    invited: [],
    delivered: 0,
    failed: noSerials,
    ...watchedAtFirst(event),
    empty,
    waitAt: at + bindingMs(empty, limits),
  };
});

/** Nobody binds a session without reason: that nothing comes may end it soon. */
function bindingMs(empty: boolean, { retrieval }: Limits): number {
  return empty ? retrieval.emptyMs : retrieval.waitMs;
}

const waitAgain = change(({ empty }, { at, limits }: On<'timer.expired'>) => ({
  waitAt: at + bindingMs(empty, limits),
}));

const accept = effect(
  'sip.accept',
  ({ active }, { transaction }: Requested | On<'reinvite.received'>) => ({
    type: 'sip.accept',
    transaction,
    active,
  }),
);

const connect = effect('msrp.connect', (_context, { retrieval: { offer } }: Requested) =>
  offer === undefined ? [] : [connectTo(offer, isActiveAnswerer(offer))],
);

const sipBye = effect('sip.bye', ({ empty }) => ({
  type: 'sip.bye',
  ...(empty && { reason: 'SIP;cause=200;text="No deferred messages"' }),
}));

const tellEnded = effect('tell', ({ focus }, { at, limits }) => ({
  type: 'tell',
  to: 'mailbox',
  event: { type: 'retrieval.ended', at, focus, limits },
}));

function refuse(answer: Omit<SipRespond, 'type' | 'transaction'>) {
  return effect('sip.respond', (_context, { transaction }: Requested) => ({
    type: 'sip.respond',
    transaction,
    ...answer,
  }));
}

const refuseList = effect('sip.respond', (_context, { transaction }: On<'reinvite.received'>) => ({
  type: 'sip.respond',
  transaction,
  status: 420,
  unsupported: 'recipient-list-invite',
}));

/** MSRP statuses of a SEND that speak of the whole session: no other would fare better (MSRP-23). */
const sessionStatuses: ReadonlySet<number> = new Set([408, 481, 506]);

/** One transition for each check, in their order: the first that fails answers (D-60). */
const checks = retrievalChecks.map((check) => ({
  guard: check.guard,
  actions: [
    'keepNumber' as const,
    effect('sip.respond', (_context, event: Requested) => ({
      type: 'sip.respond',
      transaction: event.transaction,
      status: check.status,
      ...('warning' in check && { warning: check.warning(event) }),
    })),
  ],
  target: 'refused' as const,
}));

const checkGuards = Object.fromEntries(
  retrievalChecks.map(({ guard, fails }) => [
    guard,
    ask((_context, event: Requested) => fails(event)),
  ]),
) as Record<(typeof retrievalChecks)[number]['guard'], ReturnType<typeof ask>>;

const focusSetup = setup({
  types: { context: {} as FocusContext, events: {} as FocusEvent },
  actions: {
    ...effectActions,
    ...delivery.actions,
    ...conferenceChanges,
    keepNumber,
    keepFacts,
    waitAgain,
  },
  guards: {
    ...delivery.guards,
    ...checkGuards,
    ...conferenceGuards,
    endsSession: ask((_context, { status }: On<'ua.failed'>) => sessionStatuses.has(status)),
    namesNothing: ask(
      (_context, { retrieval: { list } }: Requested) =>
        list !== undefined && list.serials.length === 0 && list.foreign.length === 0,
    ),
    namesOnlyUnknown: ask(
      (_context, { retrieval, serials }: Requested) =>
        retrieval.list !== undefined && serials.length === 0,
    ),
    isBusy: ask((_context, { busy }: Requested) => busy),
    hasList: ask((_context, { list }: On<'reinvite.received'>) => list),
    movesMedia: ask(
      (context, { offer }: On<'reinvite.received'>) =>
        offer !== undefined && !(isRecvonly(offer) && isSameSession(offer, context)),
    ),
  },
});

const absent = focusSetup.createStateConfig({
  on: {
    'retrieval.requested': [
      ...checks,
      {
        guard: 'namesNothing', // D-70
        actions: ['keepNumber', refuse({ status: 400, warning: 'URI list names nothing' })],
        target: 'refused',
      },
      {
        guard: 'namesOnlyUnknown', // D-68
        actions: ['keepNumber', refuse({ status: 404 })],
        target: 'refused',
      },
      {
        guard: 'isBusy',
        actions: ['keepNumber', refuse({ status: 486, warning: 'Too many retrievals' })],
        target: 'refused',
      },
      { actions: ['keepFacts', accept, connect, setWait], target: 'established' },
    ],
  },
});

/**
 * ACK and binding come in either order. Without ACK the answer may not have left yet, such as behind
 * a relay that takes its time; that it never comes is told by `ack.missing`.
 */
const waiting = focusSetup.createStateConfig({
  initial: 'unconfirmed',
  states: {
    unconfirmed: {
      on: {
        'ack.received': { target: 'confirmed' },
        'msrp.connected': { target: 'bound' },
        'timer.expired': { guard: 'isWait', actions: ['waitAgain', setWait] },
      },
    },
    confirmed: { on: { 'msrp.connected': { target: '#focus.established.conversing' } } },
    bound: { on: { 'ack.received': { target: '#focus.established.conversing' } } },
  },
  on: { 'timer.expired': { guard: 'isWait', target: '#focus.closing' } },
});

const inviteNext = [tellInvite, 'invite', tellChanged] as const;

/** D-72: in ascending order; the MSRP session sends one message after the other. */
const conversing = focusSetup.createStateConfig({
  entry: [cancelWait, 'endWait', 'join', ...inviteNext],
  on: {
    'ua.answered': { actions: ['noteAnswer', tellChanged] },
    'ua.departed': { actions: ['noteDeparture', 'noteOutcome', ...inviteNext] },
    'ua.failed': [
      {
        guard: 'endsSession',
        actions: ['noteFailure', 'noteOutcome'],
        target: '#focus.closing',
      },
      { actions: ['noteFailure', 'noteOutcome', ...inviteNext] },
    ],
    undelivered: { actions: ['noteAbsence', 'noteGone', ...inviteNext] },
  },
  always: { guard: 'isOver', target: '#focus.closing' },
});

const machine = focusSetup.createMachine({
  id: 'focus',
  // Born by `retrieval.requested`, which sets every field of an accepted request.
  context: {} as FocusContext,
  initial: 'absent',
  states: {
    absent,
    established: {
      initial: 'waiting',
      states: { waiting, conversing },
      on: {
        'reinvite.received': [
          { guard: 'hasList', actions: refuseList },
          { guard: 'movesMedia', actions: respond(488) },
          { actions: accept },
        ],
        ...conferenceEvents,
        'msrp.lost': { target: 'closing' },
        'bye.received': {
          actions: [tellBye, 'bootRest', respond(200), forget, tellOver],
          target: 'ended',
        },
        'invite.cancelled': { actions: [tellBye, 'loseRest', forget, tellOver], target: 'ended' },
        'ack.missing': { actions: [tellBye, 'loseRest', tellOver], target: 'ended' },
      },
    },
    closing: {
      entry: [
        tellBye,
        'loseRest',
        tellOver,
        'dropWatchers',
        sipBye,
        cancelWait,
        'startWait',
        setWait,
      ],
      on: {
        'bye.answered': { target: 'ended' },
        'bye.received': { actions: [respond(200), forget], target: 'ended' },
        'reinvite.received': { actions: respond(481) },
        'conference.requested': { actions: respond(404) },
        'invite.cancelled': { actions: forget, target: 'ended' },
        'ack.missing': { target: 'ended' },
        'timer.expired': { guard: 'isWait', actions: forget, target: 'ended' },
      },
    },
    ended: { type: 'final', entry: [cancelWait, release, tellEnded, stop] },
    refused: { type: 'final', entry: [tellEnded, stop] },
  },
});

/** The focus; nothing of it is stored. */
export const focus: Definition = {
  machine,
  unborn: unborn(machine),
  birth: ['retrieval.requested'],
  rest: () => undefined,
  revive: () => {
    throw new Error('MACHINE_NOT_STORED: focus');
  },
};
