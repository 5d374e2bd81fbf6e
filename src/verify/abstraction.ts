/**
 * Machines walked through in a small world: every situation that one of them may be in, each alone
 * among everything that it may be told, in any order. What the machines tell each other is found on
 * the way.
 */

import assert from 'node:assert';
import type { Place, Table, Told, Way } from '../machines/compiled.js';
import { tableOf } from '../machines/compiled-table.js';
import { step } from '../machines/index.js';
import type { AccountEvent, ActorSnapshot, Address, Effect } from '../machines/index.js';
import type { Features } from './decision-tree.js';
import { early, late, limits, messages } from './promela-bounds.js';
import { kindOf, wordOf } from './promela-events.js';
import type { ActorName, ActorTable } from './promela-table.js';

/** What a machine is told, and what its variables are then. */
export interface Situation {
  readonly told: Told;
  readonly features: Features;
}

/** What a machine does by one transition. */
export interface Move {
  readonly context: unknown;
  readonly effects: readonly Effect[];
  readonly to: Place;
}

export interface WalkedActor {
  readonly table: ActorTable;
  readonly places: ReadonlyMap<string, Place>;
  /** By place and symbol of the event. */
  readonly told: ReadonlyMap<string, ReadonlyMap<string, readonly Situation[]>>;
  /** By place: what is looked at as soon as it is entered. */
  readonly eventless: ReadonlyMap<string, readonly Situation[]>;
  /** By place: before and behind a restart; undefined: there is nothing behind it. */
  readonly restarts: ReadonlyMap<string, readonly Restart[]>;
  readonly contexts: number;
}

export interface Restart {
  readonly features: Features;
  readonly revived: ActorSnapshot | undefined;
}

/** Contexts of one actor beyond which the world is not small. */
const contextsMax = 50_000;

/** Walks until nobody is told anything that was not told before. */
export function walk(tables: readonly ActorTable[]): readonly WalkedActor[] {
  const walkers = new Map(tables.map((table) => [table.name, new Walker(table)]));
  const tell = (by: ActorName, effect: Effect): void => {
    if (effect.type !== 'tell') return;
    const addressee = walkers.get(kindOf(effect.to) as ActorName);
    for (const event of bySerials(by, effect.event)) addressee?.hear(effect.to, event);
    const absent = { type: 'undelivered', at: early, to: effect.to, limits } as const;
    walkers.get(by)?.hear(by === 'ua' ? 'ua/1' : `${by}/1`, absent);
  };
  let heard: number;
  do {
    heard = 0;
    for (const walker of walkers.values()) heard += walker.walk(tell);
  } while (heard > 0);
  return [...walkers.values()].map((walker) => walker.result());
}

class Walker {
  readonly #table: ActorTable;
  readonly #machine: Table;
  readonly #heard = new Map<string, AccountEvent>();
  readonly #snapshots = new Map<string, ActorSnapshot>();
  readonly #told = new Map<string, Map<string, Map<string, Situation>>>();
  readonly #eventless = new Map<string, Situation[]>();
  readonly #met = new Set<string>();

  constructor(table: ActorTable) {
    this.#table = table;
    this.#machine = tableOf(table.definition.machine);
    this.#reach(table.definition.unborn);
  }

  /** Only the first virtual UA is walked through: the others do as it does. */
  hear(to: Address | `${string}/1`, event: AccountEvent): void {
    if (to.startsWith('ua/') && to !== 'ua/1') return;
    const told = canonicalEvent(event);
    this.#heard.set(keyOf(told), told);
  }

  /** Returns how many events it has met that it had not met before. */
  walk(tell: (by: ActorName, effect: Effect) => void): number {
    const before = this.#met.size;
    for (const [key, snapshot] of this.#snapshots) {
      assert(this.#snapshots.size < contextsMax, 'the world is small');
      for (const now of [early, late]) {
        const world = this.#table.world(snapshot.context as never, now);
        const events = [...world.map((event) => [keyOf(event), event] as const), ...this.#heard];
        for (const [eventKey, event] of events) {
          const met = `${now} ${eventKey} ${key}`;
          if (this.#met.has(met)) continue;
          this.#met.add(met);
          for (const effect of this.#meet(snapshot, timed(event, now), met)) {
            tell(this.#table.name, effect);
          }
        }
      }
    }
    return this.#met.size - before;
  }

  result(): WalkedActor {
    const restarts = new Map<string, Restart[]>();
    for (const snapshot of this.#snapshots.values()) {
      const { definition } = this.#table;
      const atRest = definition.rest(snapshot);
      const revived = atRest === undefined ? undefined : definition.revive(atRest);
      const features = this.#table.variables(snapshot.context as never);
      push(restarts, nameOf(this.#placeOf(snapshot)), { features, revived });
    }
    const told = [...this.#told].map(
      ([place, symbols]) =>
        [
          place,
          new Map([...symbols].map(([symbol, found]) => [symbol, [...found.values()]])),
        ] as const,
    );
    return {
      table: this.#table,
      places: new Map([...this.#machine.values()].map((place) => [nameOf(place), place])),
      told: new Map(told),
      eventless: this.#eventless,
      restarts,
      contexts: this.#snapshots.size,
    };
  }

  /** One event in one situation, transition by transition; what comes of it is what `step` says. */
  #meet(snapshot: ActorSnapshot, event: AccountEvent, met: string): readonly Effect[] {
    const { variables, definition } = this.#table;
    const place = this.#placeOf(snapshot);
    const { symbol, argument } = wordOf(event);
    const isLate = met.startsWith(`${early} `) ? 0 : 1;
    const features = {
      ...variables(snapshot.context as never),
      argument,
      late: isLate,
    };
    const told: Told = { context: snapshot.context, event };
    const symbols = this.#told.get(nameOf(place)) ?? new Map<string, Map<string, Situation>>();
    this.#told.set(nameOf(place), symbols);
    const found = symbols.get(symbol) ?? new Map<string, Situation>();
    symbols.set(symbol, found);
    found.set(met, { told, features });

    let way = openWay(place.on.get(event.type), told);
    if (way === undefined) return [];
    const effects: Effect[] = [];
    let at = { context: snapshot.context, place };
    while (way !== undefined) {
      const move = moveBy(way, { context: at.context, event }, at.place);
      effects.push(...move.effects);
      at = { context: move.context, place: move.to };
      const next: Told = { context: at.context, event };
      const late = { ...variables(at.context as never), late: isLate };
      if (at.place.always.length > 0) {
        push(this.#eventless, nameOf(at.place), { told: next, features: late });
      }
      way = openWay(at.place.always, next);
    }
    const whole = step(definition, snapshot, event);
    assert.deepStrictEqual([whole.effects, whole.snapshot.context], [effects, at.context]);
    this.#reach(whole.snapshot);
    return effects;
  }

  #reach(snapshot: ActorSnapshot): void {
    const context = this.#table.canonical(snapshot.context as never);
    const { variables } = this.#table;
    assert.deepStrictEqual(variables(context as never), variables(snapshot.context as never));
    const key = `${JSON.stringify(snapshot.value)} ${JSON.stringify(context)}`;
    if (!this.#snapshots.has(key)) this.#snapshots.set(key, { ...snapshot, context });
  }

  #placeOf({ value }: ActorSnapshot): Place {
    const place = this.#machine.get(typeof value === 'string' ? value : nameOfValue(value));
    assert(place !== undefined);
    return place;
  }
}

/** The first way that is open. */
function openWay(ways: readonly Way[] | undefined, told: Told): Way | undefined {
  return ways?.find((way) => isOpen(way, told));
}

export function isOpen(way: Way, told: Told): boolean {
  return way.guard === undefined || way.guard({ ...told }, way.params);
}

/** Takes a way. */
export function moveBy(way: Way, { context, event }: Told, from: Place): Move {
  const told: Told = { context, event };
  const effects: Effect[] = [];
  for (const action of way.actions) {
    if (action.change !== undefined) {
      told.context = { ...(told.context as object), ...action.change(told) };
      continue;
    }
    const said = action.make === undefined ? action.said : action.make(told);
    if (said === undefined) continue;
    effects.push(...('type' in said ? [said] : said));
  }
  return { context: told.context, effects, to: way.to ?? from };
}

/** `available.idle` of a place. */
export function nameOf({ value }: Place): string {
  return nameOfValue(value);
}

function nameOfValue(value: unknown): string {
  if (typeof value === 'string') return value;
  const [[outer, inner] = ['', '']] = Object.entries(value as object);
  return `${outer}.${nameOfValue(inner)}`;
}

function push<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}

/** Numbers of sessions are never used twice; in the model there is one of each kind. */
function canonicalEvent(event: AccountEvent): AccountEvent {
  const plain: Record<string, unknown> = { ...event };
  const renamed = (address: unknown): unknown => {
    if (typeof address !== 'string') return address;
    if (address.startsWith('push/')) return 'push/1';
    return address.startsWith('focus/') ? 'focus/2' : address;
  };
  if ('push' in plain) plain['push'] = 1;
  if ('focus' in plain) plain['focus'] = 2;
  if ('session' in plain) plain['session'] = renamed(plain['session']);
  if ('to' in plain) plain['to'] = renamed(plain['to']);
  return plain as unknown as AccountEvent;
}

/** The virtual UA of the first message speaks for those of all messages. */
function bySerials(by: ActorName, event: AccountEvent): readonly AccountEvent[] {
  if (by !== 'ua' || !('serial' in event)) return [event];
  return messages.map((serial) => ({ ...event, serial }));
}

/** The event but for its time. */
function keyOf(event: AccountEvent): string {
  return JSON.stringify({ ...event, at: 0, limits: 0 });
}

/** A message is stored while it is early; a registration ends behind everything else. */
function timed(event: AccountEvent, now: number): AccountEvent {
  if (event.type === 'store') return event;
  if (event.type === 'timer.expired' && event.name === 'registration') return event;
  return { ...event, at: now };
}
