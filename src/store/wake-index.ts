/** Accounts in the order in which their timers run out. */

import type { AccountId, Log } from '../ports.js';
import { wakeShard } from './change.js';
import { decodeKey, wakeRange } from './keys.js';
import { decodeOctets } from './rows.js';
import { StoreError } from './store-error.js';
import type { Entry, Table } from './table.js';

/** Entries looked at together while one that is whole is sought. */
const soughtAtOnce = 16;

export class WakeIndex {
  readonly #table: Table;
  readonly #log: Log;
  /**
   * Nothing stands before this time. Looking from there on passes over the deleted entries in
   * front, which LevelDB would step through one by one.
   */
  #floor = 0;
  /** Commits that may have lowered the floor. */
  #lowered = 0;
  damaged = 0;

  constructor(table: Table, log: Log) {
    this.#table = table;
    this.#log = log;
  }

  /** A commit with this `wakeAt` is written, or may be. */
  lowered(wakeAt: number): void {
    this.#lowered++;
    if (wakeAt < this.#floor) this.#floor = wakeAt;
  }

  async due(now: number, limit: number): Promise<AccountId[]> {
    if (!Number.isSafeInteger(limit) || limit < 0) {
      throw new StoreError('STORE_INVALID', `${String(limit)} is no limit`);
    }
    const upTo = Math.min(Math.floor(now), Number.MAX_SAFE_INTEGER);
    const accounts: AccountId[] = [];
    for await (const { account } of this.#from(upTo, limit)) {
      if (accounts.length === limit) break;
      accounts.push(account);
    }
    return accounts;
  }

  async next(): Promise<number | undefined> {
    const seen = this.#lowered;
    for await (const { time } of this.#from(Number.MAX_SAFE_INTEGER, soughtAtOnce)) {
      if (seen === this.#lowered) this.#floor = time;
      return time;
    }
    return undefined;
  }

  async *#from(upTo: number, atOnce: number): AsyncGenerator<{ time: number; account: AccountId }> {
    if (upTo < this.#floor || atOnce === 0) return;
    const range = wakeRange(wakeShard, this.#floor, upTo);
    let from = range.from;
    for (;;) {
      const entries = await this.#table.range({ from, to: range.to, limit: atOnce });
      for (const entry of entries) {
        const key = this.#read(entry);
        if (key) yield key;
      }
      const last = entries.at(-1);
      if (entries.length < atOnce || !last) return;
      from = Buffer.concat([last.key, Buffer.from([0])]);
    }
  }

  /** A damaged entry is left out: one account sleeps, the others are woken. */
  #read({ key, value }: Entry): { time: number; account: AccountId } | undefined {
    try {
      decodeOctets(key, value);
      const decoded = decodeKey(key);
      if (decoded[0] === 'wake') return { time: decoded[2], account: decoded[3] };
    } catch (error) {
      this.#log.error({ error }, 'an entry of the wake index is damaged');
    }
    this.damaged++;
    return undefined;
  }
}
