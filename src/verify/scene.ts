/** One step of the bounded account: a state being altered, and what is said meanwhile. */

import type { Effect } from '../machines/effects.js';
import type { AccountEvent, Address } from '../machines/events.js';
import { definitionOf as productDefinitionOf } from '../machines/index.js';
import type { AtRest } from '../machines/index.js';
import type { Row, RowKey } from '../ports.js';
import { keyOfActor } from '../actors/change.js';
import type { ChangeBuilder } from '../actors/change.js';
import type { OutboxRow } from '../actors/outbox.js';
import { takeTurn } from '../actors/turn.js';
import type { Actor, Asked, Told, TurnResult } from '../actors/turn.js';
import type {
  AccountState,
  DefinitionOf,
  Ledger,
  Peers,
  Sending,
  Submission,
  VolatileTimer,
} from './bounded-account.js';
import { boundedLimits } from './bounded-facts.js';
import { commitLedger } from './ledger.js';
import { performEffect } from './performance.js';

/** A property that does not hold, and how that shows. */
export interface Breach {
  readonly property: string;
  readonly text: string;
}

/** Something said between two lifelines of the ladder. */
export interface Said {
  readonly from: Party;
  readonly to: Party;
  readonly text: string;
}

export type Party = 'sender' | 'operator' | 'account' | 'store' | 'client';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Open<T> =
  T extends ReadonlyMap<infer K, infer V> ? Map<K, V> : T extends ReadonlySet<infer V> ? Set<V> : T;
type Opened<T> = Mutable<{ [K in keyof T]: Open<T[K]> }>;

export type OpenPeers = Opened<Omit<Peers, 'submissions' | 'offers' | 'imports' | 'sends'>> & {
  submissions: Submission[];
  offers: Submission[];
  imports: Submission[];
  sends: Sending[];
};
export type OpenLedger = Opened<Ledger>;

type Done = Extract<TurnResult, { kind: 'done' }>;

const steps = 10_000;
/** Submissions are recognised however late they come again. */
const duplicateMs = 1e12;
const nothingRead: ReadonlyMap<Address, never> = new Map<Address, never>();

export class Scene {
  readonly definitionOf: DefinitionOf;
  now: number;
  readonly rows: Map<string, Row>;
  readonly contents: Set<number>;
  actors: Map<Address, Actor> | undefined;
  readonly timers: Map<string, VolatileTimer>;
  readonly peers: OpenPeers;
  readonly ledger: OpenLedger;
  readonly breaches: Breach[] = [];
  readonly said: Said[] = [];
  /** What the actors told each other, and what they asked of the world, in order. */
  readonly told: Told[] = [];
  readonly asked: Asked[] = [];
  /** Turns that were taken, and whether one of them has written. */
  turns = 0;
  wrote = false;
  /** Whom the input is for, and what it says. */
  addressed: Address = 'mailbox';
  cause: AccountEvent | undefined;

  constructor(state: AccountState, definitionOf: DefinitionOf = productDefinitionOf) {
    const { now, store, memory, peers, ledger } = state;
    this.definitionOf = definitionOf;
    this.now = now;
    this.rows = new Map(store.rows);
    this.contents = new Set(store.contents);
    this.actors = memory && new Map(memory.actors);
    this.timers = new Map(memory?.timers);
    this.peers = openPeers(peers);
    this.ledger = openLedger(ledger);
  }

  close(): AccountState {
    const { now, rows, contents, actors, timers, peers, ledger } = this;
    const memory = actors && { actors, timers };
    return { now, store: { rows, contents }, memory, peers, ledger };
  }

  breach(property: string, text: string): void {
    this.breaches.push({ property, text });
  }

  say(from: Party, to: Party, text: string): void {
    this.said.push({ from, to, text });
  }

  /** One input, its turn, its commit, its effects; `ends` cuts that off. */
  take(
    to: Address,
    event: AccountEvent,
    more: { readonly removes?: RowKey; readonly payload?: Buffer; readonly ends?: Ends } = {},
  ): void {
    this.addressed = to;
    const result = this.#turn(to, event, more.payload);
    this.turns++;
    this.told.push(...result.told);
    if (more.removes) result.change.remove(more.removes);
    const durable = this.#outboxRows(result);
    if (!result.change.isEmpty || durable) this.wrote = true;
    if (more.ends === 'fail') {
      this.say('account', 'store', 'the commit FAILS: memory is dropped, who waits gets 503');
      this.forget();
      return;
    }
    this.#commit(result, event);
    if (more.ends === 'crash') {
      this.say('account', 'account', 'the process DIES');
      this.forget();
      return;
    }
    for (const { address, actor } of result.actors.values()) {
      if (actor) this.actors?.set(address, actor);
      else this.actors?.delete(address);
    }
    if (!result.handled) this.#refuse(event);
    for (const asked of result.effects) {
      this.asked.push(asked);
      this.cause = event;
      this.#perform(asked.by, asked.effect);
    }
  }

  /** Takes a durable row away, as a commit of its own. */
  remove(key: RowKey): void {
    this.rows.delete(nameOf(key));
  }

  /** Memory is gone, and every session with it. */
  forget(): void {
    this.actors = undefined;
    this.timers.clear();
    const { invites, dialogs, unacknowledged, media, byes, notifies } = this.peers;
    for (const known of [invites, dialogs, unacknowledged, media, byes, notifies]) known.clear();
    const { held, legs, taken } = this.peers;
    for (const known of [held, legs, taken]) known.clear();
    this.peers.sends = [];
  }

  /** The account comes into memory; what was in it before hears that its sessions are lost. */
  load(): void {
    const actors = new Map<Address, Actor>();
    for (const { key, value } of this.rows.values()) {
      if (key[0] !== 'actor') continue;
      const address = key[1] as Address;
      const atRest = value as AtRest;
      actors.set(address, { snapshot: this.definitionOf(address).revive(atRest), atRest });
    }
    this.actors = actors;
    for (const address of [...actors.keys()]) {
      this.take(address, { type: 'session.lost', at: this.now, limits: boundedLimits });
    }
  }

  #turn(to: Address, event: AccountEvent, payload: Buffer | undefined): Done {
    let read: ReadonlyMap<Address, AtRest | undefined> = nothingRead;
    for (;;) {
      const result = takeTurn(
        {
          actors: this.actors ?? new Map<Address, Actor>(),
          read,
          limits: boundedLimits,
          steps,
          duplicateMs,
          definitionOf: this.definitionOf,
        },
        { to, event, at: this.now, ...(payload && { payload }) },
      );
      if (result.kind === 'done') return result;
      const found = new Map(read);
      for (const address of result.addresses) {
        const row = this.rows.get(nameOf(keyOfActor(address)));
        found.set(address, row?.value as AtRest | undefined);
      }
      read = found;
    }
  }

  /** Durable effects are rows of the same commit. */
  #outboxRows({ effects, change }: Done): boolean {
    let any = false;
    for (const { effect } of effects) {
      if (!isDurable(effect)) continue;
      any = true;
      this.#decide(effect, change);
    }
    return any;
  }

  #decide(effect: OutboxRow['effect'], change: ChangeBuilder): void {
    const number = ++this.ledger.outbox;
    const row: OutboxRow = { effect, at: this.now, token: `t${number}` };
    change.put(['outbox', number], row);
  }

  #commit(result: Done, event: AccountEvent): void {
    const change = result.change.build();
    commitLedger(this, change, event);
    for (const row of change.puts) this.rows.set(nameOf(row.key), row);
    for (const key of change.deletes) this.rows.delete(nameOf(key));
    for (const { serial } of change.keeps) this.contents.add(serial);
    for (const serial of change.drops) this.contents.delete(serial);
    const puts = change.puts.map(({ key }) => `+${labelOf(key)}`);
    const deletes = change.deletes.map((key) => `-${labelOf(key)}`);
    const words = [...puts, ...deletes];
    if (words.length > 0) this.say('account', 'store', words.join(' '));
  }

  /** RFC 3261 12.2.2, or nobody of ours knows what that is. */
  #refuse(event: AccountEvent): void {
    if ('transaction' in event) this.say('account', 'client', `500 (${event.type})`);
  }

  #perform(by: Address, effect: Effect): void {
    switch (effect.type) {
      case 'timer.set': {
        const { name, at } = effect;
        this.timers.set(`${by} ${name}`, { of: by, name, at });
        return;
      }
      case 'timer.cancel':
        this.timers.delete(`${by} ${effect.name}`);
        return;
      case 'serials.take':
        this.ledger.blocks++;
        return;
      case 'stop':
        for (const [key, { of }] of this.timers) if (of === by) this.timers.delete(key);
        this.peers.notifies.delete(by);
        this.peers.held.delete(by);
        for (const key of this.peers.legs.keys()) {
          if (key.startsWith(`${by} `)) this.peers.legs.delete(key);
        }
        performEffect(this, by, { type: 'msrp.release' });
        return;
      default:
        performEffect(this, by, effect);
    }
  }
}

export type Ends = 'crash' | 'fail';

function isDurable(effect: Effect): effect is Extract<Effect, OutboxRow['effect']> {
  return (
    effect.type === 'history.put' ||
    effect.type === 'history.delete' ||
    effect.type === 'report.send'
  );
}

function openPeers(peers: Peers): OpenPeers {
  return {
    ...peers,
    submissions: [...peers.submissions],
    offers: [...peers.offers],
    imports: [...peers.imports],
    held: new Map(peers.held),
    legs: new Map(peers.legs),
    taken: new Set(peers.taken),
    invites: new Set(peers.invites),
    dialogs: new Set(peers.dialogs),
    unacknowledged: new Set(peers.unacknowledged),
    media: new Map(peers.media),
    sends: [...peers.sends],
    byes: new Set(peers.byes),
    notifies: new Map(peers.notifies),
    heard: new Map(peers.heard),
    document: new Set(peers.document),
    reports: new Set(peers.reports),
  };
}

function openLedger(ledger: Ledger): OpenLedger {
  return {
    ...ledger,
    confirmed: new Set(ledger.confirmed),
    deleted: new Set(ledger.deleted),
    refused: new Set(ledger.refused),
    reports: new Map(ledger.reports),
    gone: new Set(ledger.gone),
  };
}

/** The key of a row as text. */
export function nameOf(key: RowKey): string {
  return key.join(' ');
}

function labelOf(key: RowKey): string {
  if (key[0] === 'timer') return `timer ${key[2]}`;
  if (key[0] === 'actor') return key[1];
  return key[0] === 'seen' ? 'seen' : `${key[0]}/${key[1]}`;
}
