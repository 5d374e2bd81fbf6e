/** Puts the metadata of every account anew from time to time, one after the other (D-83). */

import type { AccountId, Clock, Log, StorePort } from '../ports.js';

export interface MetadataRoundParts {
  readonly store: Pick<StorePort, 'accounts'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly bounds: { readonly rebuildMs: number; readonly rebuildPauseMs: number };
  /** Resolves when it is durable; false: the account could not take it now. */
  rebuild(account: AccountId): Promise<boolean>;
}

/** Accounts that are listed at a time. */
const page = 64;

export class MetadataRounds {
  readonly #parts: MetadataRoundParts;
  #withdraw: (() => void) | undefined;
  #stopped = true;

  constructor(parts: MetadataRoundParts) {
    this.#parts = parts;
  }

  /** The first round begins when the time between two of them is over. */
  start(): void {
    if (this.#parts.bounds.rebuildMs === 0) return;
    this.#stopped = false;
    this.#arm();
  }

  stop(): void {
    this.#stopped = true;
    this.#withdraw?.();
    this.#withdraw = undefined;
  }

  #arm(): void {
    const { clock, bounds, log } = this.#parts;
    this.#withdraw = clock.after(bounds.rebuildMs, () => {
      this.#round()
        .catch((error: unknown) => {
          const code = error instanceof Error && 'code' in error ? error.code : String(error);
          if (!this.#stopped) log.warn({ code }, 'a round of metadata has ended early');
        })
        .finally(() => {
          if (!this.#stopped) this.#arm();
        });
    });
  }

  async #round(): Promise<void> {
    const { store, rebuild } = this.#parts;
    let after: AccountId | undefined;
    for (;;) {
      const range = after === undefined ? { limit: page } : { after, limit: page };
      const accounts = await store.accounts(range);
      for (const account of accounts) {
        if (this.#stopped) return;
        // Who cannot take it now has its turn in the next round.
        await rebuild(account);
        await this.#pause();
      }
      after = accounts.at(-1);
      if (accounts.length < page || this.#stopped) return;
    }
  }

  #pause(): Promise<void> {
    const { clock, bounds } = this.#parts;
    return new Promise((resolve) => {
      this.#withdraw = clock.after(bounds.rebuildPauseMs, resolve);
    });
  }
}
