/** What comes and goes all the time, found by a text of which the hash is known. */

import type { HashedText } from './keyed-hash.js';

interface Entry<Value> {
  readonly text: string;
  readonly hash: number;
  readonly value: Value;
  next: Entry<Value> | undefined;
}

const headsMin = 64;

/**
 * As a Map, which would not do here: filled and emptied without end it leaves one table after the
 * other behind, and V8 lets each of them hold the next one. Once one has grown old, whatever later
 * ones have held lives until the whole heap is collected.
 */
export class TransitTable<Value> {
  /** Chains of about one entry; as many as a power of two. */
  #heads = noHeads<Value>(headsMin);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get({ text, hash }: HashedText): Value | undefined {
    let entry = this.#heads[hash & (this.#heads.length - 1)];
    while (entry && (entry.hash !== hash || entry.text !== text)) entry = entry.next;
    return entry?.value;
  }

  /** In front of another one of that text. */
  add({ text, hash }: HashedText, value: Value): void {
    if (this.#size === this.#heads.length) this.#grow();
    const slot = hash & (this.#heads.length - 1);
    this.#heads[slot] = { text, hash, value, next: this.#heads[slot] };
    this.#size++;
  }

  /** False: it is not there with that text. */
  delete({ text, hash }: HashedText, value: Value): boolean {
    const slot = hash & (this.#heads.length - 1);
    let before: Entry<Value> | undefined;
    for (let entry = this.#heads[slot]; entry; before = entry, entry = entry.next) {
      if (entry.value !== value || entry.text !== text) continue;
      if (before) before.next = entry.next;
      else this.#heads[slot] = entry.next;
      entry.next = undefined;
      this.#size--;
      return true;
    }
    return false;
  }

  #grow(): void {
    const former = this.#heads;
    this.#heads = noHeads(former.length * 2);
    for (const head of former.splice(0)) {
      for (let entry = head, next; entry; entry = next) {
        next = entry.next;
        const slot = entry.hash & (this.#heads.length - 1);
        entry.next = this.#heads[slot];
        this.#heads[slot] = entry;
      }
    }
  }
}

function noHeads<Value>(length: number): (Entry<Value> | undefined)[] {
  return new Array<Entry<Value> | undefined>(length).fill(undefined);
}
