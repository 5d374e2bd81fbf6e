/**
 * One explanation of what was seen of a served user: an account that the production machines have
 * brought to where it is, and what it still owes the world. A value: every step makes another one.
 */

import type { Effect } from '../../machines/effects.js';
import type { AccountEvent, Address, Limits, MessageFacts } from '../../machines/events.js';
import { definitionOf, type AtRest } from '../../machines/index.js';
import { keyOfActor } from '../../actors/change.js';
import { takeTurn, type Actor, type TurnResult } from '../../actors/turn.js';
import { limitsUnder, type Assumption } from './assumption.js';
import { isVisible, untilOf, type Owed } from './owed.js';

export interface SetTimer {
  readonly of: Address;
  readonly name: string;
  readonly at: number;
}

/** An input of the account, and the message that it is. */
export interface Input {
  readonly to: Address;
  readonly event: AccountEvent;
  readonly number: number;
}

/** What the wire has told of things that the account calls otherwise. */
export interface Notes {
  /** Message-IDs of the server, by serial. */
  readonly names: ReadonlyMap<number, string>;
  /** Whose dialog a Call-ID is. */
  readonly dialogs: ReadonlyMap<string, Address>;
  /** Serials, by session and MSRP Message-ID. */
  readonly sends: ReadonlyMap<string, number>;
  /** Call-IDs of messages from before the trace, by serial. */
  readonly callIds: ReadonlyMap<number, string>;
  /** Reports that were sent, by imdn.Message-ID and status. */
  readonly reported: ReadonlySet<string>;
}

const noNotes: Notes = {
  names: new Map(),
  dialogs: new Map(),
  sends: new Map(),
  callIds: new Map(),
  reported: new Set(),
};

const steps = 10_000;
const duplicateMs = 1e12;
/** Serials that a mailbox takes at a time. */
export const block = 64;
const noOctets = Buffer.alloc(0);

type Done = Extract<TurnResult, { kind: 'done' }>;

export class TrackedAccount {
  readonly assumption: Assumption;
  readonly limits: Limits;
  #actors: ReadonlyMap<Address, Actor>;
  #rows: ReadonlyMap<string, AtRest>;
  #timers: ReadonlyMap<string, SetTimer>;
  #blocks: number;
  /** Messages that were stored at any time, by Call-ID. */
  everStored: ReadonlyMap<string, MessageFacts>;
  owed: readonly Owed[];
  readonly notes: Notes;

  constructor(assumption: Assumption, from?: TrackedAccount, notes?: Notes) {
    this.assumption = assumption;
    this.limits = from?.limits ?? limitsUnder(assumption);
    this.#actors = from?.actors ?? new Map<Address, Actor>();
    this.#rows = from ? from.#rows : new Map<string, AtRest>();
    this.#timers = from?.timers ?? new Map<string, SetTimer>();
    this.#blocks = from ? from.#blocks : 0;
    this.everStored = from?.everStored ?? new Map<string, MessageFacts>();
    this.owed = from?.owed ?? [];
    this.notes = notes ?? from?.notes ?? noNotes;
  }

  get actors(): ReadonlyMap<Address, Actor> {
    return this.#actors;
  }

  get timers(): ReadonlyMap<string, SetTimer> {
    return this.#timers;
  }

  /** The block of serials that goes with whatever may be stored. */
  get block(): { readonly from: number; readonly to: number } {
    const from = 1 + this.#blocks * block;
    return { from, to: from + block - 1 };
  }

  /** Messages at rest, by serial. */
  stored(): ReadonlyMap<number, AtRest> {
    const found = new Map<number, AtRest>();
    for (const [name, row] of this.#rows) {
      const serial = /^ua (\d+)$/.exec(name)?.[1];
      if (serial !== undefined) found.set(Number(serial), row);
    }
    return found;
  }

  withOwed(owed: readonly Owed[]): TrackedAccount {
    const next = new TrackedAccount(this.assumption, this);
    next.owed = owed;
    return next;
  }

  withName(serial: number, name: string): TrackedAccount {
    return this.#noted({ names: new Map(this.notes.names).set(serial, name) });
  }

  withDialog(callId: string, owner: Address): TrackedAccount {
    return this.#noted({ dialogs: new Map(this.notes.dialogs).set(callId, owner) });
  }

  withSend(key: string, serial: number): TrackedAccount {
    return this.#noted({ sends: new Map(this.notes.sends).set(key, serial) });
  }

  withCallId(serial: number, callId: string): TrackedAccount {
    return this.#noted({ callIds: new Map(this.notes.callIds).set(serial, callId) });
  }

  withReport(report: string): TrackedAccount {
    return this.#noted({ reported: new Set(this.notes.reported).add(report) });
  }

  get reported(): ReadonlySet<string> {
    return this.notes.reported;
  }

  #noted(more: Partial<Notes>): TrackedAccount {
    return new TrackedAccount(this.assumption, this, { ...this.notes, ...more });
  }

  /** One input and its turn; undefined when nobody has a transition for it. */
  take({ to, event, number }: Input): TrackedAccount | undefined {
    const result = this.#turn(to, event);
    if (!result.handled) return undefined;
    const next = new TrackedAccount(this.assumption, this);
    next.#apply(result, event.at, number);
    return next;
  }

  /** A timer runs out, whenever that is. */
  expire({ of, name }: SetTimer, at: number, number: number): TrackedAccount | undefined {
    const event = { type: 'timer.expired', at, name, limits: this.limits } as AccountEvent;
    const before = new TrackedAccount(this.assumption, this);
    const timers = new Map(this.#timers);
    timers.delete(`${of} ${name}`);
    before.#timers = timers;
    return before.take({ to: of, event, number });
  }

  #turn(to: Address, event: AccountEvent): Done {
    let read: ReadonlyMap<Address, AtRest | undefined> = new Map<Address, AtRest>();
    for (;;) {
      const world = { actors: this.#actors, read, limits: this.limits, steps, duplicateMs };
      const result = takeTurn(
        { ...world, definitionOf },
        { to, event, at: event.at, payload: noOctets },
      );
      if (result.kind === 'done') return result;
      const found = new Map(read);
      for (const address of result.addresses) {
        found.set(address, this.#rows.get(keyOfActor(address).join(' ')));
      }
      read = found;
    }
  }

  #apply(result: Done, at: number, number: number): void {
    const actors = new Map(this.#actors);
    for (const [address, actor] of result.actors) {
      if (actor) actors.set(address, actor);
      else actors.delete(address);
    }
    this.#actors = actors;
    const change = result.change.build();
    const rows = new Map(this.#rows);
    const timers = new Map(this.#timers);
    for (const key of change.deletes) {
      rows.delete(key.join(' '));
      if (key[0] === 'timer') timers.delete(key[2]);
    }
    for (const { key, value } of change.puts) {
      if (key[0] === 'ua') this.#remember(value as AtRest);
      if (key[0] === 'timer') timers.set(key[2], timerOf(key[2], key[1]));
      else rows.set(key.join(' '), value as AtRest);
    }
    this.#rows = rows;
    this.#timers = timers;
    for (const { by, effect } of result.effects) this.#perform(by, effect, { at, number, timers });
  }

  #perform(
    by: Address,
    effect: Effect,
    { at, number, timers }: { at: number; number: number; timers: Map<string, SetTimer> },
  ): void {
    switch (effect.type) {
      case 'timer.set':
        timers.set(`${by} ${effect.name}`, { of: by, name: effect.name, at: effect.at });
        return;
      case 'timer.cancel':
        timers.delete(`${by} ${effect.name}`);
        return;
      case 'serials.take':
        this.#blocks++;
        return;
      case 'stop':
        for (const [name, { of }] of timers) if (of === by) timers.delete(name);
        this.#endSession(by);
        return;
      case 'msrp.release':
        this.#endSession(by);
        return;
      default:
        if (!isVisible(effect)) return;
        this.owed = [...this.owed, { by, effect, number, at, until: untilOf(effect, at) }];
    }
  }

  #remember({ context }: AtRest): void {
    const message = context['message'] as MessageFacts;
    if (this.everStored.has(message.callId)) return;
    this.everStored = new Map(this.everStored).set(message.callId, message);
  }

  /** What was to be sent in the session is not owed any more. */
  #endSession(session: Address): void {
    const stays = ({ effect }: Owed): boolean =>
      effect.type !== 'msrp.send' || effect.session !== session;
    if (!this.owed.every(stays)) this.owed = this.owed.filter(stays);
  }
}

function timerOf(label: string, at: number): SetTimer {
  const [of = '', name = ''] = label.split(' ');
  return { of: of as Address, name, at };
}
