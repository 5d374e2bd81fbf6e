/** Virtual UAs at rest as turns look them up; whoever takes one after the other finds them read. */

import type { Address } from '../machines/events.js';
import type { AtRest } from '../machines/index.js';
import type { AccountId, Row, StorePort } from '../ports.js';
import { keyOfActor } from './change.js';
import type { ChangeBuilder } from './change.js';

export interface RestingActorsParts {
  readonly account: AccountId;
  readonly store: Pick<StorePort, 'get' | 'scan'>;
  /** What commits under way will write, which is more recent than what the store would answer. */
  readonly pending: {
    pending(address: Address): { readonly atRest: AtRest | undefined } | undefined;
    pendingAddresses(): Iterable<Address>;
  };
}

/** Rows that are read ahead, where fewer are asked for: half a kilobyte each. */
const aheadMax = 32;
/** Rows asked for in ascending order before more than these are read. */
const steadyAfter = 3;

export class RestingActors {
  readonly #parts: RestingActorsParts;
  /** What the turn has asked for, with undefined for rows that are not there; absent: nothing yet. */
  #found: Map<Address, AtRest | undefined> | undefined;
  /** Absent: none were read. */
  #ahead: Map<Address, AtRest> | undefined;
  /** What is not to be kept of the rows that are being read. */
  #altered: Set<Address> | undefined;
  /** The highest serial that was asked for, and how often in a row a higher one came. */
  #highest = 0;
  #steady = 0;

  constructor(parts: RestingActorsParts) {
    this.#parts = parts;
  }

  /** Whether it is known without waiting what is at rest there; the turn keeps what it has seen. */
  has(address: Address): boolean {
    if (this.#found?.has(address)) return true;
    const pending = this.#parts.pending.pending(address);
    const atRest = pending ? pending.atRest : this.#ahead?.get(address);
    if (!pending && !atRest) return false;
    this.#ahead?.delete(address);
    this.#keep(address, atRest);
    return true;
  }

  /** Undefined: there is no such row, or nobody has asked `has`. */
  get(address: Address): AtRest | undefined {
    return this.#found?.get(address);
  }

  /** Reads what `has` does not know, for the turn to be taken again. */
  async read(addresses: readonly Address[]): Promise<void> {
    const { account, store } = this.#parts;
    const serials = addresses.map(serialOf);
    if (this.#isSteady(serials)) await this.#readAhead(serials[0]!, serials.length);
    const missing = addresses.filter((address) => !this.has(address));
    if (missing.length === 0) return;
    const read = await store.get(account, missing.map(keyOfActor));
    for (const [nth, address] of missing.entries()) {
      this.#keep(address, read[nth] as AtRest | undefined);
    }
  }

  /**
   * Somebody goes from one to the next: not even the first is read alone. `rows`: those that are read
   * already, with others among them perhaps.
   */
  inOrder(rows: readonly Row[] = []): void {
    this.#steady = steadyAfter;
    for (const { key, value } of rows) {
      if (key[0] === 'ua') this.#prepare(`ua/${key[1]}`, value);
    }
  }

  /** The turn is done: what it has looked at is past. */
  turned(): void {
    this.#found = undefined;
  }

  /** A turn changes rows: what was read of them is past. */
  altered(change: ChangeBuilder): void {
    if (!this.#ahead && !this.#altered) return;
    for (const address of change.virtualUas()) {
      this.#ahead?.delete(address);
      this.#altered?.add(address);
    }
  }

  /** Whoever went from one to the next is done. */
  rest(): void {
    this.#ahead = undefined;
    this.#steady = 0;
  }

  #keep(address: Address, atRest: AtRest | undefined): void {
    this.#found ??= new Map();
    this.#found.set(address, atRest);
  }

  #prepare(address: Address, value: unknown): void {
    this.#ahead ??= new Map();
    this.#ahead.set(address, value as AtRest);
  }

  #isSteady(serials: readonly number[]): boolean {
    const first = serials[0]!;
    const last = serials.at(-1)!;
    this.#steady = first > this.#highest ? this.#steady + serials.length : 0;
    this.#highest = last;
    if (this.#steady < steadyAfter || (this.#ahead?.size ?? 0) > 0) return false;
    // What stands far apart was chosen by somebody.
    return last - first < 2 * serials.length;
  }

  async #readAhead(first: number, atLeast: number): Promise<void> {
    const { account, store, pending } = this.#parts;
    const altered = new Set(pending.pendingAddresses());
    this.#altered = altered;
    try {
      const range = { kind: 'ua', after: first - 1, limit: Math.max(aheadMax, atLeast) } as const;
      for (const { key, value } of await store.scan(account, range)) {
        const address = `ua/${key[1] as number}` as const;
        if (!altered.has(address)) this.#prepare(address, value);
      }
    } finally {
      this.#altered = undefined;
    }
  }
}

function serialOf(address: Address): number {
  return Number(address.slice(address.indexOf('/') + 1));
}
