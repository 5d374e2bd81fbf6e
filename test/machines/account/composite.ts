/** All machines of one account together, as a value that generators of paths step: turn, rows, timers. */

import type { Effect } from '../../../src/machines/effects.js';
import type { AccountEvent, Address, Limits } from '../../../src/machines/events.js';
import type { AtRest, Definition } from '../../../src/machines/index.js';
import { keyOfActor } from '../../../src/actors/change.js';
import { takeTurn, type Actor, type Asked, type TurnResult } from '../../../src/actors/turn.js';
import type { Row, RowKey } from '../../../src/ports.js';
import type { Given } from './inputs.js';

export interface VolatileTimer {
  readonly of: Address;
  readonly name: string;
  readonly at: number;
}

/** A message on its way over MSRP, or with its request held back: nobody has said what became of it. */
export interface Sending {
  readonly serial: number;
  readonly session: Address;
}

/** An account between two inputs. Never altered. */
export interface Composite {
  readonly status: 'active';
  readonly now: number;
  readonly actors: ReadonlyMap<Address, Actor>;
  readonly timers: ReadonlyMap<string, VolatileTimer>;
  readonly rows: ReadonlyMap<string, Row>;
  readonly contents: ReadonlySet<number>;
  readonly sends: readonly Sending[];
  /** Requests that are passed on, by who does it. */
  readonly held: ReadonlyMap<Address, AccountEvent>;
  /** Serials that the document of history elements names. */
  readonly document: ReadonlySet<number>;
  /** Digests of what is or was stored. */
  readonly digests: readonly string[];
  /** Blocks of serials that were taken. */
  readonly blocks: number;
  /** Inputs so far, and those of them for the mailbox. */
  readonly given: number;
  readonly asked: number;
}

export const blockSize = 2;
/** As long as a digest is known. */
export const duplicateMs = 1e12;

const payload = Buffer.from('hi');

export function firstComposite(now: number): Composite {
  return {
    status: 'active',
    now,
    actors: new Map(),
    timers: new Map(),
    rows: new Map(),
    contents: new Set(),
    sends: [],
    held: new Map(),
    document: new Set(),
    digests: [],
    blocks: 0,
    given: 0,
    asked: 0,
  };
}

type Open = {
  -readonly [K in keyof Composite]: Composite[K] extends ReadonlyMap<infer Key, infer Value>
    ? Map<Key, Value>
    : Composite[K] extends ReadonlySet<infer Value>
      ? Set<Value>
      : Composite[K];
};

/** The account while an input is dealt with. */
export class Composing {
  readonly #definitionOf: (address: Address) => Definition;
  readonly #limits: Limits;
  readonly #state: Open;

  constructor(state: Composite, limits: Limits, definitionOf: (address: Address) => Definition) {
    this.#definitionOf = definitionOf;
    this.#limits = limits;
    const { actors, timers, rows, contents, held, document } = state;
    this.#state = {
      ...state,
      actors: new Map(actors),
      timers: new Map(timers),
      rows: new Map(rows),
      contents: new Set(contents),
      held: new Map(held),
      document: new Set(document),
    };
  }

  /** The account behind the input. */
  give(input: Given): Composite {
    const state = this.#state;
    const isAsked = input.type === 'event' ? input.to === 'mailbox' : input.type === 'bring';
    state.given++;
    if (isAsked) state.asked++;
    switch (input.type) {
      case 'time':
        this.#passTime();
        break;
      case 'restart':
      case 'passivate':
        this.#load();
        break;
      case 'event':
        this.#take(input.to, input.event);
        break;
      default:
        this.#bring(input.event);
    }
    return state;
  }

  /** What brings a message gets its serials; whether it is a repetition is known by its digest. */
  #bring(event: AccountEvent): void {
    const state = this.#state;
    const from = state.blocks * blockSize + 1;
    const block = { from, to: from + blockSize - 1 };
    const { message } = event as { readonly message?: { readonly digest: string } };
    if (!message) {
      this.#take('mailbox', event);
      return;
    }
    const duplicate = state.digests.includes(message.digest);
    const before = state.contents.size;
    this.#take('mailbox', { ...event, duplicate, block } as AccountEvent);
    if (state.contents.size > before) state.digests = [...state.digests, message.digest];
  }

  /** To the next timers: those that run in memory, or whatever is due in the store. */
  #passTime(): void {
    const state = this.#state;
    const [first] = this.#inOrder();
    const durable = durableTimers(state)[0];
    if (first && (durable === undefined || first.at <= durable.at)) {
      state.now = Math.max(state.now, first.at);
      for (const { of, name } of this.#inOrder()) {
        const key = `${of} ${name}`;
        // Those before it may have put it off.
        if ((state.timers.get(key)?.at ?? Infinity) > state.now) continue;
        state.timers.delete(key);
        this.#expire(of, name);
      }
    } else if (durable !== undefined) {
      state.now = Math.max(state.now, durable.at);
      this.#wake();
    }
  }

  /** Those that run out at the same time as they were set. */
  #inOrder(): VolatileTimer[] {
    return [...this.#state.timers.values()].sort((one, other) => one.at - other.at);
  }

  #expire(of: Address, name: string, removes?: RowKey): void {
    const { now } = this.#state;
    const event = { type: 'timer.expired', at: now, name, limits: this.#limits } as AccountEvent;
    this.#take(of, event, removes);
  }

  #wake(): void {
    const state = this.#state;
    for (const { of, name, at, key } of durableTimers(state)) {
      if (at > state.now || !state.rows.has(key.join(' '))) continue;
      this.#expire(of, name, key);
    }
  }

  /** Memory is gone; what was at rest in it hears that its sessions are. */
  #load(): void {
    const state = this.#state;
    state.timers.clear();
    state.held.clear();
    state.sends = [];
    state.actors.clear();
    const addresses: Address[] = [];
    for (const { key, value } of state.rows.values()) {
      if (key[0] !== 'actor') continue;
      const address = key[1] as Address;
      addresses.push(address);
      const atRest = value as AtRest;
      const { revive } = this.#definitionOf(address);
      state.actors.set(address, { snapshot: revive(atRest), atRest });
    }
    for (const address of addresses.sort()) {
      this.#take(address, { type: 'session.lost', at: state.now, limits: this.#limits });
    }
    this.#wake();
  }

  #take(to: Address, event: AccountEvent, removes?: RowKey): void {
    const state = this.#state;
    const result = this.#turn(to, event);
    if (removes) state.rows.delete(removes.join(' '));
    const { puts, deletes, keeps, drops } = result.change.build();
    for (const key of deletes) state.rows.delete(key.join(' '));
    for (const row of puts) state.rows.set(row.key.join(' '), row);
    for (const { serial } of keeps) state.contents.add(serial);
    for (const serial of drops) state.contents.delete(serial);
    for (const { address, actor } of result.actors.values()) {
      if (actor) state.actors.set(address, actor);
      else state.actors.delete(address);
    }
    const answered = event.type === 'msrp.sent' || event.type === 'msrp.reported';
    if (answered) this.#answered(to, event.session);
    for (const { effect, by } of result.effects) {
      if (effect.type === 'sip.forward') state.held.set(by, event);
    }
    for (const asked of result.effects) this.#perform(asked);
  }

  #turn(to: Address, event: AccountEvent): Extract<TurnResult, { kind: 'done' }> {
    const { actors, rows, now } = this.#state;
    const read = new Map<Address, AtRest | undefined>();
    for (;;) {
      const world = { actors, read, limits: event.limits, steps: 10_000, duplicateMs };
      const result = takeTurn(
        { ...world, definitionOf: this.#definitionOf },
        { to, event, at: now, payload },
      );
      if (result.kind === 'done') return result;
      for (const address of result.addresses) {
        const row = rows.get(keyOfActor(address).join(' '));
        read.set(address, row?.value as AtRest | undefined);
      }
    }
  }

  #perform({ by, effect }: Asked): void {
    const state = this.#state;
    switch (effect.type) {
      case 'timer.set': {
        const { name, at } = effect;
        // Behind those that were set before for the same time.
        state.timers.delete(`${by} ${name}`);
        state.timers.set(`${by} ${name}`, { of: by, name, at });
        return;
      }
      case 'timer.cancel':
        state.timers.delete(`${by} ${effect.name}`);
        return;
      case 'serials.take':
        state.blocks++;
        return;
      case 'msrp.send':
        state.sends = [...state.sends, { serial: effect.serial, session: effect.session }];
        return;
      case 'history.put':
        state.document.add(effect.serial);
        return;
      case 'history.delete':
        state.document.delete(effect.serial);
        return;
      case 'message.defer':
        this.#defer(by, effect);
        return;
      case 'message.passed':
        this.#passed(by);
        return;
      case 'account.forget':
        for (const name of state.rows.keys()) if (name.startsWith('seen ')) state.rows.delete(name);
        state.digests = [];
        this.#take('mailbox', { type: 'account.forgotten', at: state.now, limits: this.#limits });
        this.#wake();
        return;
      case 'stop':
        for (const [key, { of }] of state.timers) if (of === by) state.timers.delete(key);
        state.sends = state.sends.filter(({ session }) => session !== by);
        state.held.delete(by);
        return;
      default:
    }
  }

  /** D-12: kept here after all; an INVITE is answered here. */
  #defer(by: Address, { late }: Extract<Effect, { type: 'message.defer' }>): void {
    const state = this.#state;
    const { forward: _, ...event } = state.held.get(by) as AccountEvent & { forward?: unknown };
    state.held.delete(by);
    if (event.type !== 'message.received') {
      this.#bring({ ...event, at: state.now } as AccountEvent);
      return;
    }
    const number = Number(by.slice(by.indexOf('/') + 1));
    const deferred = { receivedAt: event.at, ...(late && { forward: number }) };
    this.#bring({ ...event, at: state.now, deferred });
  }

  #passed(by: Address): void {
    const event = this.#state.held.get(by);
    if (event?.type !== 'message.received') return;
    this.#state.digests = [...this.#state.digests, event.message.digest];
  }

  #answered(to: Address, session: Address): void {
    this.#state.sends = this.#state.sends.filter(
      (one) => `ua/${one.serial}` !== to || one.session !== session,
    );
  }
}

/** Durable timers in the order of their rows. */
export function durableTimers({ rows }: Pick<Composite, 'rows'>): (VolatileTimer & {
  readonly key: RowKey;
})[] {
  const found: (VolatileTimer & { readonly key: RowKey })[] = [];
  for (const { key } of rows.values()) {
    if (key[0] !== 'timer') continue;
    const [of, name] = key[2].split(' ') as [Address, string];
    found.push({ of, name, at: key[1], key });
  }
  return found.sort(
    (one, other) => one.at - other.at || (one.of + one.name < other.of + other.name ? -1 : 1),
  );
}
