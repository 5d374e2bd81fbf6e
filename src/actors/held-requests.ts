/** Requests that have no answer yet, oldest first, found by their transactions. */

import type { TransactionId } from '../ports.js';
import { AgeOrder } from './age-order.js';
import type { Aged } from './age-order.js';

/** One of them. */
export interface HeldRequest {
  readonly transaction: TransactionId;
  /** When it came. */
  readonly at: number;
  readonly octets: number;
}

interface Entry extends HeldRequest, Aged<Entry> {
  /** Behind it in its chain. */
  next: Entry | undefined;
}

/** A power of two. */
const chainCount = 4_096;

/**
 * As a Map, which would not do: filled and emptied without end it leaves one table after the other
 * behind, and V8 lets each of them hold the next one, old ones whatever later ones have held.
 */
export class HeldRequests {
  readonly #chains = new Array<Entry | undefined>(chainCount).fill(undefined);
  readonly #order = new AgeOrder<Entry>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get oldest(): HeldRequest | undefined {
    return this.#order.oldest;
  }

  /** A transaction is added once. */
  add({ transaction, at, octets }: HeldRequest): void {
    const chain = chainOf(transaction);
    const next = this.#chains[chain];
    const entry: Entry = { transaction, at, octets, next, older: undefined, newer: undefined };
    this.#chains[chain] = entry;
    this.#order.add(entry);
    this.#size++;
  }

  /** Undefined: it was not there. */
  take(transaction: TransactionId): HeldRequest | undefined {
    const chain = chainOf(transaction);
    let before: Entry | undefined;
    let entry = this.#chains[chain];
    while (entry && entry.transaction !== transaction) {
      before = entry;
      entry = entry.next;
    }
    if (!entry) return undefined;
    if (before) before.next = entry.next;
    else this.#chains[chain] = entry.next;
    // One that has grown old must not hold those behind it.
    entry.next = undefined;
    this.#order.remove(entry);
    this.#size--;
    return entry;
  }
}

/** Transactions are named by us, so that nobody can choose names of one chain. */
function chainOf(transaction: TransactionId): number {
  let hash = 0;
  for (let at = 0; at < transaction.length; at++) {
    hash = (Math.imul(hash, 31) + transaction.charCodeAt(at)) | 0;
  }
  return (hash ^ (hash >>> 15)) & (chainCount - 1);
}
