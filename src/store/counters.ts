/** Counters whose numbers are given out once, whatever happens. */

import type { CommitQueue } from './commit-queue.js';
import { sizeOf } from './commit-queue.js';
import { encodeKey } from './keys.js';
import { decodeRow, encodeRow } from './rows.js';
import { StoreError } from './store-error.js';
import type { Operation, Table } from './table.js';

export class Counters {
  readonly #table: Table;
  readonly #queue: CommitQueue;
  /** Counters with reservations on their way: the next number, and how many. */
  readonly #active = new Map<string, { next: number; pending: number }>();

  constructor(table: Table, queue: CommitQueue) {
    this.#table = table;
    this.#queue = queue;
  }

  /** Takes `count` numbers; the first of all is 1. Durable when resolved. */
  async reserve(name: string, count: number): Promise<number> {
    if (!Number.isSafeInteger(count) || count < 1) {
      throw new StoreError('STORE_INVALID', `${String(count)} is no number of numbers`);
    }
    const key = encodeKey(['counter', name]);
    const counter = this.#active.get(name) ?? { next: readCounter(this.#table, key), pending: 0 };
    const first = counter.next;
    const operation = counterRow(key, first + count);
    const bytes = sizeOf([operation]);
    this.#queue.admit(bytes);
    counter.next = first + count;
    counter.pending++;
    this.#active.set(name, counter);
    try {
      await this.#queue.write([operation], bytes);
    } finally {
      counter.pending--;
      if (counter.pending === 0) this.#active.delete(name);
    }
    return first;
  }
}

/** The next number of a counter. */
export function readCounter(table: Pick<Table, 'get'>, key: Buffer): number {
  const record = table.get(key);
  if (record === undefined) return 1;
  const next = decodeRow(key, record);
  if (typeof next !== 'number' || !Number.isSafeInteger(next)) {
    throw new StoreError('STORE_DAMAGED', 'a counter is no number');
  }
  return next;
}

/** Sets the next number of a counter. */
export function counterRow(key: Buffer, next: number): Operation {
  if (!Number.isSafeInteger(next)) throw new StoreError('STORE_INVALID', 'a counter is used up');
  return { key, value: encodeRow(key, next) };
}
