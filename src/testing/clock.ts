/** A clock that stands still until a test moves it. */

import type { Clock, Random } from '../ports.js';

interface Pending {
  readonly at: number;
  readonly order: number;
  readonly call: () => void;
}

export class ManualClock implements Clock {
  #now: number;
  #order = 0;
  #pending: Pending[] = [];

  /** Starts at `now`, ms since the epoch; by default 2026-11-20T09:00:00Z. */
  constructor(now = Date.UTC(2026, 10, 20, 9)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(delayMs: number, call: () => void): () => void {
    const entry = { at: this.#now + Math.max(0, delayMs), order: this.#order++, call };
    this.#pending.push(entry);
    return () => {
      this.#pending = this.#pending.filter((other) => other !== entry);
    };
  }

  /** Moves time on by `ms` and makes every call that falls due, in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#nextUntil(end); next; next = this.#nextUntil(end)) {
      const due = next;
      this.#pending = this.#pending.filter((other) => other !== due);
      this.#now = due.at;
      due.call();
    }
    this.#now = end;
  }

  #nextUntil(end: number): Pending | undefined {
    let first: Pending | undefined;
    for (const entry of this.#pending) {
      if (entry.at > end) continue;
      if (!first || entry.at < first.at || (entry.at === first.at && entry.order < first.order)) {
        first = entry;
      }
    }
    return first;
  }
}

/** A random source that counts, for tests whose output is compared. */
export class CountingRandom implements Random {
  #next = 0;

  token(length: number): string {
    return (this.#next++).toString(36).padStart(length, '0').slice(-length);
  }
}
