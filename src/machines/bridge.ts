/**
 * The bridge: an INVITE for a user who is available, passed on to the user's clients, and the session
 * that comes of it. Media go from end to end. What reaches none of them is taken in here (D-12).
 */

import { setup } from 'xstate';
import { byes, forgets, legName, other, type BridgeContext } from './bridge-legs.js';
import { declarations, effectActions, tell, type On as EventOn } from './declaration.js';
import type { BridgeEvent } from './events.js';
import { isInaccessible } from './policy.js';
import { unborn, type Definition } from './step.js';
import { waitTimer } from './wait-timer.js';

type On<Type extends BridgeEvent['type']> = EventOn<BridgeEvent, Type>;
type Outcome = On<'leg.answered' | 'leg.failed'>;
type OfLeg = Extract<BridgeEvent, { readonly leg: unknown }>;
type Asking = On<'reinvite.received' | 'bye.received'>;

/** Provisional responses that the sender hears of; a client may ring as often as it likes. */
const ringsMax = 8;

const { ask, change, effect } = declarations<BridgeContext, BridgeEvent>();

const keepFacts = change((_context, event: On<'start'>) => {
  const { bridge, transaction, targets, offer, at, limits } = event;
  const asked = limits.forward.devices === 'all' ? targets.length : 1;
  return {
    ...{ bridge, transaction, targets, offer },
    pending: targets.slice(0, asked).map((_target, n) => legName(n)),
    next: asked,
    rings: 0,
    refusal: undefined,
    callee: undefined,
    answer: undefined,
    open: [],
    waitAt: at + limits.forward.ringMs,
  };
});

const sipForward = effect('sip.forward', ({ targets, pending, next }) =>
  pending.map((leg, n) => {
    return { type: 'sip.forward', target: targets[next - pending.length + n]!, leg };
  }),
);

/** What has come last goes back; a 2xx opens the dialog with the sender. */
const sipPass = effect('sip.pass', ({ transaction }, { leg }: OfLeg) => ({
  ...{ type: 'sip.pass', transaction, leg },
}));

const respondRefusal = effect('sip.respond', ({ transaction, refusal }) =>
  refusal === undefined ? [] : { type: 'sip.respond', transaction, status: refusal },
);

function respond(status: number) {
  return effect('sip.respond', (_context, { transaction }: Asking) => ({
    type: 'sip.respond',
    transaction,
    status,
  }));
}

const refresh = effect('sip.refresh', (_context, event: On<'reinvite.received'>) => ({
  type: 'sip.refresh',
  transaction: event.transaction,
  leg: event.leg,
}));

const defer = effect('message.defer', () => ({ type: 'message.defer', late: false }));

/** A 2xx that no session can come of. */
const byeUnusable = effect('sip.bye', (_context, event: Outcome) =>
  event.type === 'leg.answered' && event.status < 300 ? byes([event.leg]) : [],
);
const byePending = effect('sip.bye', ({ pending }) => byes(pending));
const byeOther = effect('sip.bye', (context, { leg, ...event }: OfLeg) =>
  byes(other(context, leg), 'reason' in event ? event.reason : undefined),
);
const byeBoth = effect('sip.bye', ({ callee }) => byes(['caller', ...(callee ? [callee] : [])]));
const byeCallee = effect('sip.bye', ({ callee }) => byes(callee ? [callee] : []));
const forgetLeg = effect('sip.forget', (_context, { leg }: OfLeg) => forgets([leg]));
const forgetOpen = effect('sip.forget', ({ open }) => forgets(open));

const { setWait, cancelWait } = waitTimer<BridgeContext, BridgeEvent>();

const tellEnded = effect('tell', ({ bridge }, { at, limits }) =>
  tell('mailbox', { type: 'bridge.ended', at, bridge, limits }),
);

const stop = effect('stop', () => ({ type: 'stop' }));

const bridgeSetup = setup({
  types: { context: {} as BridgeContext, events: {} as BridgeEvent },
  actions: {
    ...effectActions,
    keepFacts,
    countRing: change(({ rings }) => ({ rings: rings + 1 })),
    dropLeg: change(({ pending }, { leg }: OfLeg) => ({
      pending: pending.filter((one) => one !== leg),
    })),
    nextTarget: change(({ next }) => ({ pending: [legName(next)], next: next + 1 })),
    noteRefusal: change(({ refusal }, { status }: On<'leg.answered'>) => ({
      refusal: refusal ?? status,
    })),
    keepCallee: change(({ pending }, { leg, answer, at, limits }: On<'leg.answered'>) => ({
      callee: leg,
      answer,
      pending: pending.filter((one) => one !== leg),
      waitAt: at + limits.forward.sessionMs,
    })),
    awaitPending: change(({ pending }) => ({ open: pending, pending: [] })),
    awaitOther: change((context, { leg }: OfLeg) => ({ open: other(context, leg) })),
    awaitBoth: change(({ callee }) => ({ open: ['caller', ...(callee ? [callee] : [])] })),
    awaitCallee: change(({ callee }) => ({ open: callee ? [callee] : [] })),
    dropOpen: change(({ open }, { leg }: OfLeg) => ({ open: open.filter((one) => one !== leg) })),
    startClosing: change((_context, { at, limits }) => ({ waitAt: at + limits.retrieval.waitMs })),
  },
  guards: {
    isAccepted: ask((_context, { answer }: On<'leg.answered'>) => answer !== undefined),
    isRefusedByAll: ask(
      ({ pending }, { status }: On<'leg.answered'>) =>
        isRefusal(status) && (status >= 600 || pending.length === 1),
    ),
    isRefused: ask((_context, { status }: On<'leg.answered'>) => isRefusal(status)),
    hasOtherLegs: ask(({ pending }) => pending.length > 1),
    wasRefused: ask(({ refusal }) => refusal !== undefined),
    hasNextTarget: ask(({ targets, next }) => next < targets.length),
    mayRing: ask(({ rings }) => rings < ringsMax),
    isOfSession: ask(({ callee }, { leg }: OfLeg) => leg === 'caller' || leg === callee),
    isUnchanged: ask(
      (context, { leg, offer }: On<'reinvite.received'>) =>
        offer === undefined || offer === (leg === 'caller' ? context.offer : context.answer),
    ),
    isClosed: ask(({ open }) => open.length === 0),
  },
});

/**
 * An answer of the user. 488 is none: the two cannot exchange media with each other, such as when
 * both have to connect, and here each of them can.
 */
function isRefusal(status: number): boolean {
  return status >= 300 && status !== 488 && !isInaccessible(status);
}

/** A client that cannot be reached, or is of no use: others may be. */
const lost = [
  { guard: 'hasOtherLegs', actions: [byeUnusable, 'dropLeg'] },
  { guard: 'wasRefused', actions: [byeUnusable, 'dropLeg', respondRefusal], target: 'closing' },
  { guard: 'hasNextTarget', actions: [byeUnusable, 'nextTarget', sipForward] },
  { actions: [byeUnusable, 'dropLeg', defer], target: 'closing' },
] as const;

const pending = bridgeSetup.createStateConfig({
  on: {
    'leg.progressed': { guard: 'mayRing', actions: ['countRing', sipPass] },
    'leg.answered': [
      {
        guard: 'isAccepted',
        actions: ['keepCallee', sipPass, byePending, setWait],
        target: 'established',
      },
      {
        guard: 'isRefusedByAll',
        actions: ['dropLeg', sipPass, byePending, 'awaitPending'],
        target: 'closing',
      },
      { guard: 'isRefused', actions: ['noteRefusal', 'dropLeg'] },
      ...lost,
    ],
    'leg.failed': lost,
    'invite.cancelled': { actions: [byePending, 'awaitPending'], target: 'closing' },
    'timer.expired': [
      {
        guard: 'wasRefused',
        actions: [respondRefusal, byePending, 'awaitPending'],
        target: 'closing',
      },
      { actions: [defer, byePending, 'awaitPending'], target: 'closing' },
    ],
  },
});

/** Two dialogs, one session: whoever ends one of them ends the other. */
const established = bridgeSetup.createStateConfig({
  on: {
    'bye.received': [
      {
        guard: 'isOfSession',
        actions: [respond(200), forgetLeg, byeOther, 'awaitOther'],
        target: 'closing',
      },
      // A client that was too late with its 2xx.
      { actions: [respond(200), forgetLeg] },
    ],
    'leg.lost': { guard: 'isOfSession', actions: [byeOther, 'awaitOther'], target: 'closing' },
    // CANCEL has overtaken our 200, which nobody has seen.
    'invite.cancelled': { actions: [byeCallee, 'awaitCallee'], target: 'closing' },
    'reinvite.received': [{ guard: 'isUnchanged', actions: refresh }, { actions: respond(488) }],
    'timer.expired': { actions: [byeBoth, 'awaitBoth'], target: 'closing' },
  },
});

const machine = bridgeSetup.createMachine({
  id: 'bridge',
  // Born by `start`, which sets every field.
  context: {} as BridgeContext,
  initial: 'absent',
  states: {
    absent: {
      on: { start: { actions: ['keepFacts', sipForward, setWait], target: 'pending' } },
    },
    pending,
    established,
    closing: {
      entry: [cancelWait, 'startClosing', setWait],
      always: { guard: 'isClosed', target: 'ended' },
      on: {
        'bye.answered': { actions: 'dropOpen' },
        'bye.received': { actions: [respond(200), forgetLeg, 'dropOpen'] },
        'leg.lost': { actions: 'dropOpen' },
        'reinvite.received': { actions: respond(481) },
        'timer.expired': { actions: forgetOpen, target: 'ended' },
      },
    },
    ended: { type: 'final', entry: [cancelWait, tellEnded, stop] },
  },
});

/** The bridge; nothing of it is stored: a session ends with the process. */
export const bridge: Definition = {
  machine,
  unborn: unborn(machine),
  birth: ['start'],
  rest: () => undefined,
  revive: () => {
    throw new Error('MACHINE_NOT_STORED: bridge');
  },
};
