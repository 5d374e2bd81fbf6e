/**
 * Who may write an account: compare-and-set on versions. They stay in memory, because one process
 * holds the store and every start begins above all versions handed out before.
 */

import type { AccountId } from '../ports.js';
import type { AccountKey } from './encryption/account-keys.js';
import { StoreError } from './store-error.js';

/** What the last one to load an account holds. */
export interface Lease {
  version: number;
  /** `wakeAt` as it will be when all commits on their way are written. */
  wakeAt: number | null;
  /** Commits on their way; the load itself counts as one. */
  pending: number;
  /** A commit failed: nothing behind it may be written, the account has to be loaded again. */
  broken: boolean;
  released: boolean;
  /** Called when `pending` becomes 0. */
  settled: (() => void) | undefined;
  /** Nothing of an owner before this one is on its way. */
  readonly alone: Promise<void>;
  /** Seals what is written; absent: the store does not, or the load is not that far. */
  key: AccountKey | undefined;
}

/** Versions between two loads, so that no owner running ahead of its commits meets the next one. */
const loadGap = 1024;

export class Leases {
  readonly #leases = new Map<AccountId, Lease>();
  readonly #accountsMax: number;
  /** Nobody has the account any more. */
  readonly #dropped: (account: AccountId) => void;
  #highest: number;

  constructor(accountsMax: number, highest: number, dropped: (account: AccountId) => void) {
    this.#accountsMax = accountsMax;
    this.#highest = highest;
    this.#dropped = dropped;
  }

  get size(): number {
    return this.#leases.size;
  }

  /** The highest version handed out. */
  get highest(): number {
    return this.#highest;
  }

  /** The lease of `version`, or STORE_STALE. */
  check(account: AccountId, version: number): Lease {
    const lease = this.#leases.get(account);
    if (!lease || lease.broken || lease.released || lease.version !== version) {
      throw new StoreError('STORE_STALE', 'the account was not loaded with this version');
    }
    return lease;
  }

  /**
   * Takes the account from whoever has it. What that owner sent off before is still written. Call
   * `end` when the account is loaded.
   */
  take(account: AccountId): Lease {
    const before = this.#leases.get(account);
    if (!before && this.#leases.size >= this.#accountsMax) {
      throw new StoreError('STORE_UNAVAILABLE', 'too many accounts are loaded');
    }
    this.#highest += loadGap;
    const lease: Lease = {
      version: this.#highest,
      wakeAt: null,
      pending: 1,
      broken: false,
      released: false,
      settled: undefined,
      alone: before ? settlement(before) : Promise.resolve(),
      key: undefined,
    };
    this.#leases.set(account, lease);
    return lease;
  }

  /** One commit goes on its way. */
  begin(lease: Lease): number {
    lease.pending++;
    lease.version++;
    if (lease.version > this.#highest) this.#highest = lease.version;
    return lease.version;
  }

  end(account: AccountId, lease: Lease): void {
    lease.pending--;
    if (lease.pending > 0) return;
    lease.settled?.();
    if (lease.released) this.#drop(account, lease);
  }

  release(account: AccountId): void {
    const lease = this.#leases.get(account);
    if (!lease) return;
    lease.released = true;
    if (lease.pending === 0) this.#drop(account, lease);
  }

  #drop(account: AccountId, lease: Lease): void {
    if (this.#leases.get(account) !== lease) return;
    this.#leases.delete(account);
    this.#dropped(account);
  }
}

async function settlement(lease: Lease): Promise<void> {
  await lease.alone;
  if (lease.pending === 0) return;
  await new Promise<void>((resolve) => {
    lease.settled = resolve;
  });
}
