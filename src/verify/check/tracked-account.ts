/**
 * One explanation of what was seen of a served user: an account that the production machines have
 * brought to where it is, and what it still owes the world. A value: every step makes another one,
 * which shares with it whatever stayed as it was.
 */

import assert from 'node:assert';
import type { AccountEvent, Address, Limits, MessageFacts } from '../../machines/events.js';
import { definitionOf, type AtRest } from '../../machines/index.js';
import type { MailboxContext } from '../../machines/mailbox-context.js';
import { takeTurn, type Actor } from '../../actors/turn.js';
import { messageOf, noParts, partsAfter, withoutTimer, type Parts } from './account-parts.js';
import { isOfBefore } from './call-ids.js';
import { decided, type Assumption, type Undecided } from './assumption.js';
import type { Debts } from './debts.js';
import type { Notes } from './notes.js';
import type { PersistentMap } from './persistent-map.js';
import type { SetTimer } from './set-timer.js';

/** An input of the account, and the message that it is. */
export interface Input {
  readonly to: Address;
  readonly event: AccountEvent;
  readonly number: number;
}

/** A message that is stored, or was until a moment ago. */
export interface StoredMessage {
  readonly serial: number;
  readonly message: MessageFacts;
  readonly isGone: boolean;
  /** Nothing is known of it. */
  readonly isOfBefore: boolean;
}

/** Of one turn, which may be about every message of a large mailbox. */
const steps = 10_000_000;
const duplicateMs = 1e12;
/** Serials that a mailbox takes at a time. */
export const block = 64;
const noOctets = Buffer.alloc(0);

export class TrackedAccount {
  readonly #under: Undecided;
  readonly #parts: Parts;

  constructor(under: Undecided, parts = noParts) {
    this.#under = under;
    this.#parts = parts;
  }

  get limits(): Limits {
    return this.#under.limits;
  }

  get assumptions(): readonly Assumption[] {
    return this.#under.all;
  }

  /** The mailbox and its sessions. */
  get actors(): ReadonlyMap<Address, Actor> {
    return this.#parts.actors;
  }

  /** Messages that are in a session or otherwise under way. */
  get uas(): PersistentMap<Actor> {
    return this.#parts.uas;
  }

  /** Timers of the mailbox and its sessions. */
  get timers(): ReadonlyMap<string, SetTimer> {
    return this.#parts.timers;
  }

  get notes(): Notes {
    return this.#parts.notes;
  }

  get debts(): Debts {
    return this.#parts.debts;
  }

  /** The block of serials that goes with whatever may be stored. */
  get block(): { readonly from: number; readonly to: number } {
    const from = 1 + this.#parts.blocks * block;
    return { from, to: from + block - 1 };
  }

  get storesAny(): boolean {
    return this.#parts.rows.size > 0;
  }

  /** Messages at rest, in the order in which they were stored. */
  stored(): readonly (readonly [serial: number, message: MessageFacts])[] {
    return [...this.#parts.rows.entries()]
      .map(([address, row]) => [Number(address.slice(3)), messageOf(row)] as const)
      .sort(([one], [other]) => one - other);
  }

  /** The same, and what may still be listed of what has left since `after`. */
  listable(after: number): readonly StoredMessage[] {
    const { rows, gone } = this.#parts;
    const found: StoredMessage[] = [];
    for (const [address, row] of rows.entries()) found.push(storedMessage(address, row, false));
    for (let left = gone; left !== undefined && left.at >= after; left = left.before) {
      found.push(storedMessage(`ua/${serialIn(left.row)}`, left.row, true));
    }
    return found.sort((one, other) => one.serial - other.serial);
  }

  /** Whether it is at rest, in no session, and its time is not over. */
  keeps(serial: number, at: number): boolean {
    const { rows, uas, uaTimers } = this.#parts;
    const address = `ua/${serial}`;
    if (rows.get(address) === undefined || uas.has(address)) return false;
    // A message at rest waits for nothing else.
    const timers = uaTimers.get(address) ?? [];
    return timers.every(({ name, from }) => name !== 'expiry' || from > at);
  }

  /** D-18: whether a message with that digest is at rest. */
  hasDigest(digest: string): boolean {
    return this.#parts.digests.has(digest);
  }

  /** Whether a message with that Call-ID, in the trace, was ever stored. */
  hasStored(callId: string): boolean {
    return this.#parts.callIds.has(callId);
  }

  /** Whether a stored message had that imdn.Message-ID. */
  hasImdn(id: string): boolean {
    return this.#parts.imdns.has(id);
  }

  /** D-41: what the user has set for good, where that is known. */
  get provisioned(): boolean | undefined {
    const mailbox = this.actors.get('mailbox')?.snapshot.context as MailboxContext | undefined;
    return mailbox?.settings.offlineDelivery;
  }

  /** Timers that may have run out by then. */
  *runOut(at: number): Generator<SetTimer> {
    for (const timer of this.timers.values()) if (timer.from <= at) yield timer;
    for (const timers of this.#parts.uaTimers.upTo(at)) {
      for (const timer of timers) if (timer.from <= at) yield timer;
    }
  }

  withDebts(debts: Debts): TrackedAccount {
    return debts === this.debts ? this : this.#with({ debts });
  }

  withName(serial: number, name: string): TrackedAccount {
    const { names, serials } = this.notes;
    return this.#noted({ names: names.set(`${serial}`, name), serials: serials.set(name, serial) });
  }

  withDialog(callId: string, owner: Address): TrackedAccount {
    return this.#noted({ dialogs: this.notes.dialogs.set(callId, owner) });
  }

  withSend(key: string, serial: number): TrackedAccount {
    return this.#noted({ sends: this.notes.sends.set(key, serial) });
  }

  withCallId(serial: number, callId: string): TrackedAccount {
    const { callIds, shown } = this.notes;
    return this.#noted({
      callIds: callIds.set(`${serial}`, callId),
      shown: shown.set(callId, true),
    });
  }

  withReport(report: string): TrackedAccount {
    return this.#noted({ reported: this.notes.reported.set(report, true) });
  }

  #noted(more: Partial<Notes>): TrackedAccount {
    return this.#with({ notes: { ...this.notes, ...more } });
  }

  #with(more: Partial<Parts>): TrackedAccount {
    return new TrackedAccount(this.#under, { ...this.#parts, ...more });
  }

  /**
   * One input and its turn; nothing when nobody has a transition for it. Several, where what comes
   * of it depends on settings that are not known.
   */
  take(input: Input): readonly TrackedAccount[] {
    return this.#taken(this.#parts, input);
  }

  /** A timer runs out, whenever that is. */
  expire({ of, name }: SetTimer, at: number, number: number): readonly TrackedAccount[] {
    const event = { type: 'timer.expired', at, name, limits: this.limits } as AccountEvent;
    return this.#taken(withoutTimer(this.#parts, of, name), { to: of, event, number });
  }

  #taken(parts: Parts, input: Input): readonly TrackedAccount[] {
    const under = this.#under;
    under.course.turns++;
    under.lookedAt.clear();
    const next = afterTurn(parts, input, under.limits);
    const apart = decided(under);
    if (apart.length === 1) return next ? [new TrackedAccount(under, next)] : [];
    const { to, event, number } = input;
    return apart.flatMap((one) => {
      const { push, retrieval } = one.limits;
      const limits = { ...event.limits, push, retrieval };
      const same = { to, event: { ...event, limits } as AccountEvent, number };
      return new TrackedAccount(one, parts).take(same);
    });
  }
}

function afterTurn(parts: Parts, { to, event, number }: Input, limits: Limits): Parts | undefined {
  const { actors, uas, rows } = parts;
  const live = {
    get: (address: Address) => actors.get(address) ?? uas.get(address),
    has: (address: Address) => actors.has(address) || uas.has(address),
  };
  const read = { get: (address: Address) => rows.get(address), has: () => true };
  const { at } = event;
  const turn = takeTurn(
    { actors: live, read, limits, steps, duplicateMs, definitionOf },
    { to, event, at, payload: noOctets },
  );
  assert(turn.kind === 'done', 'every row is at hand');
  return turn.handled ? partsAfter(parts, turn, at, number) : undefined;
}

function storedMessage(address: string, row: AtRest, isGone: boolean): StoredMessage {
  const message = messageOf(row);
  const serial = Number(address.slice(3));
  return { serial, message, isGone, isOfBefore: isOfBefore(message.callId) };
}

function serialIn({ context }: AtRest): number {
  return context['serial'] as number;
}
