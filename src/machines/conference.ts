/** A subscription to the conference of a focus: the notifier of RFC 4575 for one dialog (CNF-01). */

import { setup } from 'xstate';
import { hasNews, noUsers, usersToTell } from './conference-state.js';
import { declarations, effectActions, tell, type On as EventOn } from './declaration.js';
import type { Effect } from './effects.js';
import type { ConferenceEvent } from './events.js';
import type { ConferenceFacts, ConferenceUser, Limits, Roster } from './facts.js';
import {
  notifierDeclarations,
  notifyDialog,
  secondsLeft,
  type NotifierContext,
} from './notifier.js';
import { subscriptionExpires } from './policy.js';
import { unborn, type Definition } from './step.js';

export interface ConferenceContext extends NotifierContext {
  readonly conference: number;
  readonly focus: number;
  /** It shares the dialog of the INVITE. */
  readonly inside: boolean;
  /** Of the last NOTIFY. */
  readonly version: number;
  readonly state: ConferenceFacts;
  /** What the subscriber has been told of the messages. */
  readonly known: Roster;
  /** The next NOTIFY tells everything. */
  readonly full: boolean;
  /** What the NOTIFY that is sent in this step says. */
  readonly users: readonly ConferenceUser[];
}

type On<Type extends ConferenceEvent['type']> = EventOn<ConferenceEvent, Type>;
type Born = On<'subscribe.received'>;
type Notify = Extract<Effect, { type: 'conference.notify' }>;

const { ask, change, effect } = declarations<ConferenceContext, ConferenceEvent>();
const notifier = notifierDeclarations<ConferenceContext, ConferenceEvent>({
  durable: false,
  limits: ({ conference }) => conference,
  contact: ({ focus }) => ({ contactOf: `focus/${focus}` }),
});
const { accept, refuseWith, refuseBrief, setExpiry, cancelExpiry } = notifier;
const { setThrottle, cancelThrottle, stop } = notifier;

/** In a shared dialog the focus sends requests too: the last NOTIFY leaves room for theirs. */
const cseqRoom = 1_000;

const keepFacts = change((_context, event: Born) => {
  const { conference, focus, subscribe, state, at, limits } = event;
  const { dialog, expires, inside } = subscribe;
  return {
    conference,
    focus,
    inside,
    dialog,
    cseq: dialog.localCseq,
    expiresAt: at + subscriptionExpires(expires, limits.conference) * 1000,
    due: false,
    throttleAt: undefined,
    version: 0,
    state,
    known: noUsers,
    full: true,
    users: [],
  };
});

const keepState = change(
  ({ due, known, state }, event: On<'conference.changed' | 'conference.over'>) => ({
    state: event.state,
    due: due || event.state.client !== state.client || hasNews(known, event.state.roster),
  }),
);

/** A refresh is answered with everything (RFC 4575 3.8). */
const markFull = change(() => ({ full: true, known: noUsers }));

/** What has no room in this NOTIFY waits for the next one: none is longer than the bound. */
const compose = change(({ state, known, full, version }, { limits }) => {
  const room = limits.conference.users - (full ? foreignTold(state, limits) : 0);
  const told = usersToTell(known, state.roster, { room, full });
  return {
    version: version + 1,
    known: told.known,
    users: [
      ...(full ? state.foreign.slice(0, limits.conference.users).map(absent) : []),
      ...told.users,
    ],
  };
});

const markSent = change(({ known, state }) => ({
  users: [],
  full: false,
  due: hasNews(known, state.roster),
}));

function foreignTold({ foreign }: ConferenceFacts, limits: Limits): number {
  return Math.min(foreign.length, limits.conference.users);
}

/** LIST-06: never contacted, so that nobody is there. */
function absent(uri: string): ConferenceUser {
  return { entity: uri, status: '404' };
}

const notify = effect('conference.notify', (context, { at }) => ({
  ...whatIsTold(context),
  state: 'active',
  expires: secondsLeft(context.expiresAt, at),
}));

const notifyTerminated = effect('conference.notify', (context, event) => ({
  ...whatIsTold(context),
  state: 'terminated',
  expires: 0,
  ...reasonOf(event),
}));

function whatIsTold(context: ConferenceContext): Omit<Notify, 'state' | 'expires'> {
  const { focus, version, full, users, state } = context;
  const { client, count } = state;
  const dialog = notifyDialog(context);
  return { type: 'conference.notify', focus, dialog, version, full, client, count, users };
}

/** EVT-04: the conference itself is what a subscription to it outlives as little as anything. */
function reasonOf(event: ConferenceEvent): Pick<Notify, 'reason' | 'retryAfter'> {
  if (event.type === 'conference.over') return { reason: 'noresource' };
  if (event.type !== 'subscription.withdrawn') return { reason: 'timeout' };
  const { reason, retryAfter } = event;
  return { reason, ...(retryAfter !== undefined && { retryAfter }) };
}

const tellLeft = effect('tell', ({ focus, conference }, { at, limits }) =>
  tell(`focus/${focus}`, { type: 'conference.left', at, conference, limits }),
);

const sendNotify = [
  'nextNotify',
  'compose',
  notify,
  'markSent',
  'beginThrottle',
  setThrottle,
] as const;
const sendFinal = ['lastNotify', 'compose', notifyTerminated] as const;

const conferenceSetup = setup({
  types: { context: {} as ConferenceContext, events: {} as ConferenceEvent },
  actions: {
    ...effectActions,
    ...notifier.actions,
    keepFacts,
    keepState,
    markFull,
    compose,
    markSent,
    lastNotify: change(({ cseq, inside }) => ({ cseq: cseq + (inside ? cseqRoom : 1) })),
  },
  guards: {
    ...notifier.guards,
    isFetch: ask((_context, { subscribe }: Born) => subscribe.expires === 0),
  },
});

const refresh = [
  { guard: 'isOtherDialog', actions: refuseWith(481) },
  { guard: 'isOutOfOrder', actions: refuseWith(500) }, // DLG-02
  { guard: 'isTooBrief', actions: refuseBrief },
  {
    guard: 'isUnsubscription',
    actions: [cancelExpiry, 'keepRefresh', 'markFull', accept, ...sendFinal],
    target: 'left',
  },
  { actions: [cancelExpiry, 'keepRefresh', 'markFull', setExpiry, accept] },
] as const;

/** A NOTIFY is under way, less than the throttle after it was sent. */
const sent = conferenceSetup.createStateConfig({
  on: {
    'notify.answered': [
      { guard: 'isRefusedForGood', target: '#conference.left' },
      { target: 'throttled' },
    ],
    'timer.expired': { guard: 'isThrottleTimer', target: 'unconfirmed' },
  },
});

/** A NOTIFY is under way, and the next one might be sent as soon as it is answered. */
const unconfirmed = conferenceSetup.createStateConfig({
  on: {
    'notify.answered': [
      { guard: 'isRefusedForGood', target: '#conference.left' },
      { target: 'idle' },
    ],
  },
});

const throttled = conferenceSetup.createStateConfig({
  on: { 'timer.expired': { guard: 'isThrottleTimer', target: 'idle' } },
});

const machine = conferenceSetup.createMachine({
  id: 'conference',
  // Born by `subscribe.received`, which sets every field.
  context: {} as ConferenceContext,
  initial: 'absent',
  states: {
    absent: {
      on: {
        'subscribe.received': [
          { guard: 'isFetch', actions: ['keepFacts', accept, ...sendFinal], target: 'left' },
          { actions: ['keepFacts', setExpiry, accept, ...sendNotify], target: 'active.sent' },
        ],
      },
    },
    active: {
      initial: 'idle',
      states: {
        idle: { always: { guard: 'isDue', actions: sendNotify, target: 'sent' } },
        sent,
        unconfirmed,
        throttled,
      },
      on: {
        'refresh.received': refresh,
        'conference.changed': { actions: 'keepState' },
        'conference.over': { actions: ['keepState', ...sendFinal], target: 'over' },
        'notify.answered': { guard: 'isRefusedForGood', target: 'left' },
        'notify.failed': { target: 'left' }, // EVT-05
        'subscription.withdrawn': { actions: sendFinal, target: 'left' },
        'timer.expired': { guard: 'isExpiryDue', actions: sendFinal, target: 'left' },
      },
    },
    /** The focus is told, which goes on without it. */
    left: { type: 'final', entry: [cancelExpiry, cancelThrottle, tellLeft, stop] },
    over: { type: 'final', entry: [cancelExpiry, cancelThrottle, stop] },
  },
});

/** The subscription; nothing of it is stored, for no conference outlives the process. */
export const conference: Definition = {
  machine,
  unborn: unborn(machine),
  birth: ['subscribe.received'],
  rest: () => undefined,
  revive: () => {
    throw new Error('MACHINE_NOT_STORED: conference');
  },
};
