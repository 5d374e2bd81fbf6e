/** An ordered table of octets: what the store needs of an engine below it. */

import type { KeyRange } from './keys.js';

/** Puts `value`, or deletes when it is undefined. */
export interface Operation {
  readonly key: Buffer;
  readonly value: Buffer | undefined;
}

export interface Entry {
  readonly key: Buffer;
  readonly value: Buffer;
}

export interface TableRange extends KeyRange {
  readonly limit: number;
  readonly reverse?: boolean;
}

export interface Table {
  /**
   * A write failed: what it wrote is unknown, and nothing is read or written before `ready`. The
   * rows read after it are durable, those of the failed write included.
   */
  readonly failed: boolean;
  /** Makes a failed table good again; rejects with STORE_UNAVAILABLE when it cannot yet. */
  ready(): Promise<void>;
  /** Returns at once; for small values that are likely to be in memory. */
  get(key: Buffer): Buffer | undefined;
  /** Lets others go on while it reads. */
  fetch(key: Buffer): Promise<Buffer | undefined>;
  range(range: TableRange): Promise<Entry[]>;
  keys(range: TableRange): Promise<Buffer[]>;
  /** All or nothing, later operations win, durable when resolved. One at a time. */
  write(operations: readonly Operation[]): Promise<void>;
  close(): Promise<void>;
}
