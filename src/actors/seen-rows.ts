/** Rows of the store that remember messages that are gone (D-18), taken away when they are of no use. */

import type { RowKey } from '../ports.js';
import type { ChangeBuilder } from './change.js';

export type SeenKey = Extract<RowKey, readonly ['seen', number, string]>;

export interface SeenWindow {
  readonly keepMs: number;
  /** Rows of one account; the oldest make room. */
  readonly bound: number;
}

/** An account that is in use stays in memory for years: its rows cannot wait until it is loaded. */
export class SeenRows {
  readonly #window: SeenWindow;
  readonly #keys: Set<SeenKey>;

  /** `keys`: what the store has, oldest first. */
  constructor(window: SeenWindow, keys: readonly SeenKey[]) {
    this.#window = window;
    this.#keys = new Set(keys);
  }

  /** Takes the rows in that the change puts, and out with it those whose time is over. */
  turnOver(change: ChangeBuilder, now: number): void {
    if (change.isEmpty) return;
    for (const key of change.seen) this.#keys.add(key);
    const { keepMs, bound } = this.#window;
    for (const key of this.#keys) {
      if (key[1] + keepMs > now && this.#keys.size <= bound) return;
      this.#keys.delete(key);
      change.remove(key);
    }
  }
}
