/** A table in memory, whose writes can be held back, failed and lost. */

import type { KeyRange } from './keys.js';
import { StoreError } from './store-error.js';
import type { Entry, Operation, Table, TableRange } from './table.js';

export class MemoryTable implements Table {
  /** In the order of keys; values are copies of their own. */
  readonly #entries: Entry[];
  #held: PromiseWithRelease | undefined;
  #failNext: { readonly written: boolean } | undefined;
  #failed = false;
  #dead = false;

  constructor(entries: readonly Entry[] = []) {
    this.#entries = [...entries];
  }

  get failed(): boolean {
    return this.#failed;
  }

  ready(): Promise<void> {
    if (this.#dead) return Promise.reject(closed());
    this.#failed = false;
    return Promise.resolve();
  }

  /** Writes wait until the returned function is called. */
  hold(): () => void {
    this.#held ??= withRelease();
    const held = this.#held;
    return () => {
      if (this.#held === held) this.#held = undefined;
      held.release();
    };
  }

  failNext(written: boolean): void {
    this.#failNext = { written };
  }

  /** Writes that are held are lost. Returns what was durable. */
  crash(): MemoryTable {
    this.#dead = true;
    this.#held?.release();
    return new MemoryTable(this.#entries);
  }

  get(key: Buffer): Buffer | undefined {
    if (this.#dead) throw closed();
    const entry = this.#entries[this.#find(key)];
    return entry?.key.equals(key) ? Buffer.from(entry.value) : undefined;
  }

  async fetch(key: Buffer): Promise<Buffer | undefined> {
    await Promise.resolve();
    return this.get(key);
  }

  async range(range: TableRange): Promise<Entry[]> {
    await Promise.resolve();
    if (this.#dead) throw closed();
    const [first, end] = this.#bounds(range);
    const entries = range.reverse
      ? this.#entries.slice(Math.max(first, end - range.limit), end).reverse()
      : this.#entries.slice(first, Math.min(end, first + range.limit));
    return entries.map(({ key, value }) => ({ key: Buffer.from(key), value: Buffer.from(value) }));
  }

  async keys(range: TableRange): Promise<Buffer[]> {
    return (await this.range(range)).map(({ key }) => key);
  }

  #bounds(range: KeyRange): [number, number] {
    const first = this.#find(range.from);
    return [first, Math.max(first, this.#find(range.to))];
  }

  async write(operations: readonly Operation[]): Promise<void> {
    await this.#held?.promise;
    if (this.#dead) throw closed();
    const failure = this.#failNext;
    this.#failNext = undefined;
    if (!failure || failure.written) this.apply(operations);
    if (failure) {
      this.#failed = true;
      throw new Error('told to fail');
    }
  }

  apply(operations: readonly Operation[]): void {
    for (const operation of operations) this.#apply(operation);
  }

  #apply({ key, value }: Operation): void {
    const at = this.#find(key);
    const found = this.#entries[at]?.key.equals(key) === true;
    if (value === undefined) {
      if (found) this.#entries.splice(at, 1);
      return;
    }
    const entry = { key: Buffer.from(key), value: Buffer.from(value) };
    this.#entries.splice(at, found ? 1 : 0, entry);
  }

  /** The place of the first key that is not below `key`. */
  #find(key: Buffer): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (Buffer.compare(this.#entries[middle]!.key, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  close(): Promise<void> {
    this.#dead = true;
    return Promise.resolve();
  }
}

interface PromiseWithRelease {
  readonly promise: Promise<void>;
  readonly release: () => void;
}

function withRelease(): PromiseWithRelease {
  let release = (): void => undefined;
  const promise = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { promise, release: () => release() };
}

function closed(): StoreError {
  return new StoreError('STORE_CLOSED', 'the store was closed');
}
