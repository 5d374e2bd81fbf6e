/** When an account is to be woken, and its durable timers that are due then. */

import assert from 'node:assert';
import type { AccountEvent, Address } from '../machines/events.js';
import type { AccountId, Row, RowKey, StorePort } from '../ports.js';
import type { ReadAlong } from './account-load.js';
import type { AccountWorld, Input } from './account-world.js';
import { ChangeBuilder } from './change.js';

export interface AccountWakeParts {
  readonly account: AccountId;
  readonly store: Pick<StorePort, 'scan'>;
  readonly world: AccountWorld;
  drained(): Promise<void>;
  isDropped(): boolean;
  /** A commit under way removes the row. */
  isRemoved(key: RowKey): boolean;
  /** One turn; `more` is part of its commit. */
  turn(to: Address, event: AccountEvent, more: ChangeBuilder): Promise<void> | undefined;
  /** Turns between these are one commit. */
  hold(): void;
  release(): void;
  /** Virtual UAs are about to be asked for one after the other; `rows`: those that are read already. */
  inOrder(rows: readonly Row[] | undefined): void;
  /** When the outbox wants to be woken. */
  outboxAt(now: number): number;
  /** Commits nothing but the time. */
  commit(change: ChangeBuilder): void;
  isIdle(): boolean;
}

/** Timers due together for which it pays to read messages ahead. */
const inOrderFrom = 3;

export class AccountWake {
  #at: number;
  /** No durable timer stands before this: a store steps through deleted rows one by one. */
  #timersFrom = 0;
  /** The last wake has set a timer that is due already: it stands in front of all others. */
  #isFirstOwn = false;
  /** Came with the load, and is as the store has it: for a wake, if that comes first of all. */
  #along: ReadAlong | undefined;

  constructor(at: number) {
    this.#at = at;
  }

  readAlong(along: ReadAlong): void {
    this.#along = along;
  }

  /** An input that is no wake: what came with the load is not kept for later. */
  isAskedFor(input: Input): void {
    if (input.kind === 'event' && input.event.type === 'session.lost') return;
    this.#along = undefined;
  }

  /** The time follows the earliest timer down; it goes up only when the account is woken (lazily). */
  expect(change: ChangeBuilder, earliest: number): void {
    if (!change.isEmpty) this.#along = undefined;
    const { earliestTimer } = change;
    if (earliestTimer < this.#timersFrom) this.#timersFrom = earliestTimer;
    const at = Math.min(earliestTimer, earliest);
    if (at >= this.#at) return;
    this.#at = at;
    change.wake(at);
  }

  /** Delivers the durable timers that are due, in one commit, and says when to wake again. */
  async run(parts: AccountWakeParts): Promise<void> {
    const { account, world, store, drained, isDropped, inOrder, hold, release } = parts;
    world.counters['actors.wakes']++;
    await drained();
    if (isDropped()) return;
    // Others have their turns between (U12, U14). Behind a timer that follows itself stand those that
    // its turns have cancelled: whoever deletes a mailbox by the batch would step over all of them.
    const limit = this.#isFirstOwn ? 1 : world.bounds.dueTimers;
    const { timers, messages } = this.#along ?? {};
    this.#along = undefined;
    const range = { kind: 'timer', after: this.#timersFrom - 1, limit } as const;
    const rows = timers?.slice(0, limit) ?? (await store.scan(account, range));
    if (isDropped()) return;
    // Before any turn: what the turns set may stand in front of the rows behind this one.
    const first = rows[0]?.key;
    if (first?.[0] === 'timer') this.#timersFrom = first[1];
    const now = world.clock.now();
    const before = this.#at;
    this.#at = Infinity;
    if (messages || rows.length >= inOrderFrom) inOrder(messages);
    hold();
    let next = rows.length === limit ? now : Infinity;
    for (const { key } of rows) {
      if (key[0] !== 'timer') continue;
      if (key[1] > now) {
        next = key[1];
        break;
      }
      await world.pace.turn();
      if (isDropped()) return;
      await expire(parts, key, now);
      if (isDropped()) return;
    }
    this.#isFirstOwn = this.#at <= now;
    this.#rearm(parts, before, next);
    release();
  }

  #rearm(parts: AccountWakeParts, before: number, next: number): void {
    const { world, outboxAt, commit, isIdle } = parts;
    const at = Math.min(this.#at, next, outboxAt(world.clock.now()));
    this.#at = at;
    if (at === before && isIdle()) return;
    const change = new ChangeBuilder();
    change.wake(at === Infinity ? null : at);
    commit(change);
  }
}

function expire(
  { world, isRemoved, turn }: AccountWakeParts,
  key: RowKey & readonly ['timer', number, string],
  now: number,
): Promise<void> | undefined {
  if (isRemoved(key)) return undefined;
  const [to, name] = key[2].split(' ');
  assert(to !== undefined && name !== undefined);
  const { limits } = world;
  // Names of timers belong to the machine that has set them.
  const event = { type: 'timer.expired', at: now, name, limits } as AccountEvent;
  const more = new ChangeBuilder();
  more.remove(key);
  return turn(to as Address, event, more);
}
