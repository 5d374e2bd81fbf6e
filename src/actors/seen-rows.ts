/** Rows of the store that remember messages that are gone (D-18), taken away when they are of no use. */

import type { RowKey } from '../ports.js';
import type { ChangeBuilder } from './change.js';

export type SeenKey = Extract<RowKey, readonly ['seen', number, string]>;

export interface SeenWindow {
  /** ms for which they are of use. */
  readonly duplicateMs: number;
  /** Rows of one account; the oldest make room. */
  readonly digests: number;
}

/** An account that is in use stays in memory for years: its rows cannot wait until it is loaded. */
export class SeenRows {
  readonly #window: SeenWindow;
  /** Oldest first; absent: none. */
  #keys: Set<SeenKey> | undefined;

  /** `keys`: what the store has, oldest first. */
  constructor(window: SeenWindow, keys: readonly SeenKey[]) {
    this.#window = window;
    if (keys.length > 0) this.#keys = new Set(keys);
  }

  /** Takes the rows in that the change puts, and out with it those whose time is over. */
  turnOver(change: ChangeBuilder, now: number): void {
    if (change.isEmpty) return;
    for (const key of change.seen) (this.#keys ??= new Set()).add(key);
    const keys = this.#keys;
    if (!keys) return;
    const { duplicateMs, digests } = this.#window;
    for (const key of keys) {
      if (key[1] + duplicateMs > now && keys.size <= digests) return;
      keys.delete(key);
      change.remove(key);
    }
    this.#keys = undefined;
  }
}
