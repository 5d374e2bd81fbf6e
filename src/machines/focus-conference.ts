/** What a focus knows of the users of its conference, and tells those who watch it (RFC 4575). */

import { declarations, tell, type On as EventOn } from './declaration.js';
import type { Tell } from './effects.js';
import type { FocusEvent } from './events.js';
import type { ConferenceFacts, Limits, Roster, UserStatus } from './facts.js';
import { noUsers } from './conference-state.js';
import type { FocusContext } from './focus.js';
import { isTransient, serialOf } from './delivery.js';
import { addSerial, countSerials, difference, noSerials, serialSet, union } from './serial-set.js';

/** The outcomes that a focus keeps; every other status follows from what it has to do. */
export type Outcomes = Pick<Roster, 'departed' | 'booted' | '404' | '413' | '480' | '488'>;

export interface WatchedContext {
  readonly outcomes: Outcomes;
  /** Of the messages that were invited, those whose virtual UA has answered. */
  readonly answered: readonly number[];
  /** URIs of the list that name no message of this store, as many as are told (LIST-06). */
  readonly foreign: readonly string[];
  /** Messages that were asked for, and foreign URIs. */
  readonly count: number;
  /** The MSRP session is bound. */
  readonly joined: boolean;
  /** Numbers of the subscriptions to the conference. */
  readonly watchers: readonly number[];
  /** Of those, the one that shares the INVITE dialog. */
  readonly inside: number | undefined;
}

type On<Type extends FocusEvent['type']> = EventOn<FocusEvent, Type>;
type Requested = On<'conference.requested'>;

const { ask, change, effect } = declarations<FocusContext, FocusEvent>();

export const noOutcomes: Outcomes = noUsers;

/** What is known of the users when the conference begins (D-68). */
export function watchedAtFirst({
  retrieval,
  serials,
  limits,
}: On<'retrieval.requested'>): WatchedContext {
  const { list } = retrieval;
  const missing = list === undefined ? noSerials : difference(list.serials, serials);
  const foreign = list?.foreign ?? [];
  return {
    outcomes: { ...noOutcomes, '404': missing },
    answered: [],
    foreign: foreign.slice(0, limits.conference.users),
    count: countSerials(serials) + countSerials(missing) + foreign.length,
    joined: false,
    watchers: [],
    inside: undefined,
  };
}

export const conferenceChanges = {
  noteAnswer: change(({ answered }, { serial }: On<'ua.answered'>) => ({
    answered: [...answered, serial],
  })),
  noteOutcome: change((context, event: On<'ua.departed' | 'ua.failed'>) =>
    withOutcome(
      context,
      event.serial,
      event.type === 'ua.departed' ? 'departed' : failureOf(event.status),
    ),
  ),
  noteGone: change((context, { to }: On<'undelivered'>) => {
    const serial = serialOf(to);
    return serial === undefined ? {} : withOutcome(context, serial, '404');
  }),
  join: change(() => ({ joined: true })),
  /** Whatever is not delivered when the client has hung up was dropped by it. */
  bootRest: change((context) => withRest(context, 'booted')),
  loseRest: change((context) => withRest(context, '480')),
  addWatcher: change(({ watchers, inside }, { conference, subscribe }: Requested) => ({
    watchers: [...watchers, conference],
    inside: subscribe.inside ? conference : inside,
  })),
  dropWatcher: change(({ watchers, inside }, { conference }: On<'conference.left'>) => ({
    watchers: watchers.filter((other) => other !== conference),
    inside: inside === conference ? undefined : inside,
  })),
  dropWatchers: change(() => ({ watchers: [], inside: undefined })),
};

export const conferenceGuards = {
  isShared: ask(({ inside }, { subscribe }: Requested) => subscribe.inside && inside !== undefined),
  hasTooManyWatchers: ask(
    ({ watchers }, { limits }: Requested) => watchers.length >= limits.conference.count,
  ),
};

/** The INVITE dialog has a subscription already: this is its refresh (RFC 6665 4.4.1). */
const tellRefresh = effect('tell', ({ inside }, event: Requested) => {
  if (inside === undefined) return [];
  const { at, transaction, subscribe, limits } = event;
  const { dialog, expires } = subscribe;
  return tell(`conference/${inside}`, {
    type: 'refresh.received',
    at,
    transaction,
    dialog,
    ...(expires !== undefined && { expires }),
    limits,
  });
});

const tellSubscribe = effect('tell', (context, event: Requested) => {
  const { focus } = context;
  const { at, transaction, conference, subscribe, limits } = event;
  return tell(`conference/${conference}`, {
    type: 'subscribe.received',
    at,
    transaction,
    conference,
    focus,
    subscribe,
    state: conferenceOf(context),
    limits,
  });
});

const refuseWatcher = effect('sip.respond', (_context, { transaction }: Requested) => ({
  type: 'sip.respond',
  transaction,
  status: 503,
  warning: 'Too many subscriptions',
}));

export const tellChanged = effect('tell', (context, { at, limits }) =>
  tellWatchers(context, 'conference.changed', at, limits),
);

/** Everybody has left: the client as well. */
export const tellOver = effect('tell', (context, { at, limits }) =>
  tellWatchers(context, 'conference.over', at, limits),
);

export const conferenceEvents = {
  'conference.requested': [
    { guard: 'isShared', actions: tellRefresh },
    { guard: 'hasTooManyWatchers', actions: refuseWatcher },
    { actions: ['addWatcher', tellSubscribe] },
  ],
  'conference.left': { actions: 'dropWatcher' },
} as const;

function tellWatchers(
  context: FocusContext,
  type: 'conference.changed' | 'conference.over',
  at: number,
  limits: Limits,
): Tell[] {
  if (context.watchers.length === 0) return [];
  const facts = conferenceOf(context);
  const state = type === 'conference.over' ? { ...facts, client: 'disconnected' as const } : facts;
  return context.watchers.map((number) =>
    tell(`conference/${number}`, { type, at, state, limits }),
  );
}

function conferenceOf(context: FocusContext): ConferenceFacts {
  const { todo, invited, answered, outcomes, foreign, count, joined } = context;
  const connected = serialSet(answered);
  return {
    client: joined ? 'connected' : 'dialing-in',
    roster: {
      ...outcomes,
      pending: todo,
      'dialing-out': difference(serialSet(invited), connected),
      connected,
    },
    foreign,
    count,
  };
}

function withOutcome(
  { answered, outcomes }: FocusContext,
  serial: number,
  status: keyof Outcomes,
): Partial<FocusContext> {
  return {
    answered: answered.filter((other) => other !== serial),
    outcomes: { ...outcomes, [status]: addSerial(outcomes[status], serial) },
  };
}

function withRest(context: FocusContext, status: keyof Outcomes): Partial<FocusContext> {
  const { todo, invited, outcomes } = context;
  const rest = union(todo, serialSet(invited));
  return {
    todo: noSerials,
    invited: [],
    answered: [],
    outcomes: { ...outcomes, [status]: union(outcomes[status], rest) },
  };
}

/** The status that stands for why a message was not delivered; what the client refused is its doing. */
function failureOf(status: number): Exclude<UserStatus, 'pending' | 'dialing-out' | 'connected'> {
  if (status === 404 || status === 413 || status === 488) return `${status}`;
  if (status === 415) return '488';
  return isTransient(status) ? '480' : 'booted';
}
