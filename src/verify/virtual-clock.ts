/** A clock that runs as fast as what happens lets it, and chance that comes from a seed. */

import { setImmediate as nextRound } from 'node:timers/promises';
import type { Clock, Random } from '../ports.js';

interface Pending {
  readonly at: number;
  readonly order: number;
  readonly call: () => void;
  withdrawn: boolean;
}

/** Time stands still while anything is being done; a heap, for there are very many timers. */
export class VirtualClock implements Clock {
  #now: number;
  #order = 0;
  readonly #heap: Pending[] = [];

  constructor(now: number) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(delayMs: number, call: () => void): () => void {
    const at = this.#now + Math.max(0, Math.ceil(delayMs));
    const entry: Pending = { at, order: this.#order++, call, withdrawn: false };
    this.#push(entry);
    return () => {
      entry.withdrawn = true;
    };
  }

  /** Makes every call until `end`, each after everything that the one before it has caused. */
  async runUntil(end: number, each: () => void): Promise<void> {
    // What was asked for before comes to its end before time goes on.
    await nextRound();
    for (let next = this.#heap[0]; next !== undefined && next.at <= end; next = this.#heap[0]) {
      this.#pop();
      if (next.withdrawn) continue;
      this.#now = Math.max(this.#now, next.at);
      next.call();
      // Everything in a simulation takes only turns of the loop.
      await nextRound();
      each();
    }
    this.#now = Math.max(this.#now, end);
  }

  #push(entry: Pending): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(entry, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(one: Pending, other: Pending): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** The same seed gives the same numbers for ever (mulberry32). */
export class SeededRandom implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Between 0 and 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  /** Times between rare happenings. */
  exponential(mean: number): number {
    return -Math.log(1 - this.next()) * mean;
  }

  token(length: number): string {
    let token = '';
    for (let i = 0; i < length; i++) token += letters[this.below(letters.length)]!;
    return token;
  }
}
