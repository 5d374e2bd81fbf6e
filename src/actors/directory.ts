/** The accounts that live on this node: found by id, bounded, passivated when idle. */

import type { Withdrawn } from '../machines/events.js';
import type { AccountId, PlacementPort, StorePort } from '../ports.js';
import { Account } from './account.js';
import type { AccountWorld, Input } from './account-world.js';
import { createNobodyStore, nobody } from './nobody.js';

export interface DirectoryParts {
  readonly world: AccountWorld;
  readonly store: StorePort;
  readonly placement: PlacementPort | undefined;
}

/** Accounts that are looked at, oldest use first, to make room for another one. */
const candidates = 64;

/** What became of an input: `busy` when a bound is reached, `elsewhere` when another node owns it. */
export type Submitted = 'taken' | 'busy' | 'elsewhere';

export class Directory {
  readonly #parts: DirectoryParts;
  /** `#passivate` looks from the first on. */
  readonly #accounts = new Map<AccountId, Account>();
  readonly #nobodyStore = createNobodyStore();
  #last: Account | undefined;

  constructor(parts: DirectoryParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#accounts.size;
  }

  submit(id: AccountId, input: Input): Submitted {
    const { placement, world } = this.#parts;
    if (placement && id !== nobody && !placement.owns(id)) return 'elsewhere';
    const account = this.#account(id);
    if (account?.submit(input)) return 'taken';
    world.counters['actors.overloads']++;
    return 'busy';
  }

  /** Delivers the due timers of an account; resolves when that is durable, with false when it failed. */
  wake(id: AccountId): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.submit(id, { kind: 'wake', done: resolve }) !== 'taken') resolve(false);
    });
  }

  /** Resolves when it is durable that the metadata of an account is put anew; false: not now. */
  rebuild(id: AccountId): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.submit(id, { kind: 'rebuild', done: resolve }) !== 'taken') resolve(false);
    });
  }

  /** Tells the subscriptions of every account in memory that they are over. */
  withdraw(event: Withdrawn): void {
    for (const account of this.#accounts.values()) account.withdraw(event);
  }

  async settled(): Promise<void> {
    for (const account of [...this.#accounts.values()]) await account.settled();
  }

  end(): void {
    for (const account of this.#accounts.values()) account.end();
    this.#accounts.clear();
    this.#last = undefined;
  }

  #account(id: AccountId): Account | undefined {
    const account =
      this.#last?.id === id ? this.#last : (this.#accounts.get(id) ?? this.#create(id));
    if (!account) return undefined;
    account.isUsed = true;
    this.#last = account;
    return account;
  }

  #create(id: AccountId): Account | undefined {
    const { world, store } = this.#parts;
    if (this.#accounts.size >= world.bounds.accounts) this.#passivate();
    if (this.#accounts.size >= world.bounds.accounts) return undefined;
    const account = new Account(id, world, id === nobody ? this.#nobodyStore : store);
    this.#accounts.set(id, account);
    return account;
  }

  /**
   * Accounts that were used since they were last passed move behind here, not with every use: a
   * table whose entries always move is made anew all the time.
   */
  #passivate(): void {
    let looked = 0;
    for (const [id, account] of this.#accounts) {
      if (account.isUsed) account.isUsed = false;
      else if (looked++ === candidates) return;
      else if (account.isIdle) {
        account.passivate();
        this.#accounts.delete(id);
        if (this.#last === account) this.#last = undefined;
        this.#parts.world.counters['actors.passivations']++;
        return;
      }
      // Busy ones move behind, so that they are not looked at again and again.
      this.#accounts.delete(id);
      this.#accounts.set(id, account);
    }
  }
}
