/** One step of a machine by its table. */

import type { Effect } from './effects.js';

/** A machine between two events: plain data. Opaque outside `machines`; never altered. */
export interface ActorSnapshot {
  /** Name of the state, or the names from the outer to the inner one as nested objects. */
  readonly value: unknown;
  readonly context: unknown;
  /** `done` once the actor has said `stop`. */
  readonly status: 'active' | 'done' | 'error' | 'stopped';
}

export interface Step {
  readonly snapshot: ActorSnapshot;
  /** In the order in which they are to be done. */
  readonly effects: readonly Effect[];
  /** False when the machine has no transition for the event in its state: nothing changed. */
  readonly handled: boolean;
}

/** What guards, changes and effects are told. One record for all of them: they only read it. */
export interface Told {
  context: unknown;
  event: unknown;
}

type Effects = Effect | readonly Effect[];
export type Copy = (context: object) => object;

/** One thing that a transition does: exactly one of the three is there. */
export interface Action {
  readonly name: string;
  /** Fields of the context that get these values. */
  readonly change: ((told: Told) => object) | undefined;
  /** Copies the context for that; absent: any context. */
  readonly copy: Copy | undefined;
  readonly make: ((told: Told) => Effects | undefined) | undefined;
  readonly said: Effects | undefined;
}

/** A transition as it is taken from one innermost state. */
export interface Way {
  readonly guard: ((told: Told, params: unknown) => boolean) | undefined;
  readonly params: unknown;
  /** Of the states that are left, of the transition, of the states that are entered. */
  readonly actions: readonly Action[];
  /** Undefined: the states stay as they are. */
  readonly to: Place | undefined;
}

/** An innermost state with all that holds in it, its own before what holds around it. */
export interface Place {
  readonly value: string | object;
  readonly status: 'active' | 'done';
  readonly on: ReadonlyMap<string, readonly Way[]>;
  readonly always: readonly Way[];
}

/** The places of a machine by their value, and by its names with points between them. */
export type Table = ReadonlyMap<unknown, Place>;

/** Eventless transitions in one step; more of them would never end. */
const eventlessMax = 100;

const none: readonly Effect[] = Object.freeze([]);
const told: Told = { context: undefined, event: undefined };

/** Steps the machine of this table; an actor that is done has no transitions. */
export function stepTable(
  table: Table,
  snapshot: ActorSnapshot,
  event: { readonly type: string },
): Step {
  if (snapshot.status !== 'active') return { snapshot, effects: none, handled: false };
  let place = placeOf(table, snapshot.value);
  told.context = snapshot.context;
  told.event = event;
  let way = open(place.on.get(event.type));
  let eventless = way === undefined;
  way ??= open(place.always);
  if (way === undefined) return { snapshot, effects: none, handled: false };
  const effects: Effect[] = [];
  for (let taken = 0; way !== undefined; taken++) {
    if (taken > eventlessMax) throw new Error(`MACHINE_ENDLESS: ${JSON.stringify(place.value)}`);
    const before: unknown = told.context;
    for (const action of way.actions) perform(action, effects);
    const moved: boolean = way.to !== undefined && way.to !== place;
    if (moved) place = way.to!;
    // As in XState, an eventless transition that changes nothing is the last one.
    if (eventless && !moved && told.context === before) break;
    eventless = true;
    way = open(place.always);
  }
  return { snapshot: follow(snapshot, place, told.context), effects, handled: true };
}

/** The place of this value; values of places themselves are found at once. */
export function placeOf(table: Table, value: unknown): Place {
  const place = table.get(value) ?? table.get(namesOf(value));
  if (place === undefined) throw new Error(`MACHINE_STATE_UNKNOWN: ${JSON.stringify(value)}`);
  return place;
}

/** The first of the ways whose guard lets us through. */
function open(ways: readonly Way[] | undefined): Way | undefined {
  if (ways === undefined) return undefined;
  for (const way of ways) {
    if (way.guard === undefined || way.guard(told, way.params)) return way;
  }
  return undefined;
}

function perform(action: Action, effects: Effect[]): void {
  if (action.change !== undefined) {
    told.context = changed(told.context as object, action.change(told), action.copy);
    return;
  }
  const said = action.make === undefined ? action.said : action.make(told);
  if (said === undefined) throw new Error(`MACHINE_ACTION_WITHOUT_EFFECT: ${action.name}`);
  if ('type' in said) effects.push(said);
  else for (const effect of said) effects.push(effect);
}

/** The context with these fields; the same context when it has them already. */
function changed(context: object, fields: object, copy: Copy | undefined): object {
  const former = context as Readonly<Record<string, unknown>>;
  const given = fields as Readonly<Record<string, unknown>>;
  for (const name in given) {
    if (given[name] === former[name] && name in context) continue;
    return merged(former, given, copy);
  }
  return context;
}

/** A second spread would define field by field, at five times the cost. */
function merged(
  former: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, unknown>>,
  copy: Copy = spread,
): object {
  if (isEmpty(former)) return given;
  const next = copy(former) as Record<string, unknown>;
  for (const name in given) next[name] = given[name];
  return next;
}

function spread(context: object): object {
  return { ...context };
}

/** That of an actor that is not born yet. */
function isEmpty(context: object): boolean {
  for (const name in context) if (name in context) return false;
  return true;
}

function follow(snapshot: ActorSnapshot, place: Place, context: unknown): ActorSnapshot {
  const { value, status } = place;
  if (context === snapshot.context && value === snapshot.value) return snapshot;
  return { value, context, status };
}

/** `{ available: 'idle' }` as `available.idle`. */
function namesOf(value: unknown): string {
  let names = '';
  let rest = value;
  while (typeof rest === 'object' && rest !== null) {
    const [entry, ...others] = Object.entries(rest);
    if (entry === undefined || others.length > 0) return '';
    names += `${entry[0]}.`;
    rest = entry[1];
  }
  return typeof rest === 'string' ? names + rest : '';
}
