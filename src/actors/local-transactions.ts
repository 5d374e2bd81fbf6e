/** Transactions that no peer waits for: inputs of our own faces, answered to a promise. */

import type { Clock } from '../ports.js';
import { AccountsError } from './accounts-error.js';

export interface LocalTransactionBounds {
  /** Pending ones. */
  readonly localTransactions: number;
  /** ms until one is given up; what it asked for may still be done. */
  readonly localMs: number;
}

export interface LocalTransaction {
  readonly id: string;
  /** The status of the answer; rejects with `ACCOUNT_TIMEOUT`. */
  readonly status: Promise<number>;
}

/** No transport hands out identifiers that begin so. */
const prefix = 'local\u0000';

interface Pending {
  resolve(status: number): void;
  withdraw(): void;
}

export class LocalTransactions {
  readonly #clock: Clock;
  readonly #bounds: LocalTransactionBounds;
  readonly #pending = new Map<string, Pending>();
  #next = 1;

  constructor(clock: Clock, bounds: LocalTransactionBounds) {
    this.#clock = clock;
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Throws `ACCOUNT_BUSY` when there are as many as may be. */
  begin(): LocalTransaction {
    const { localTransactions, localMs } = this.#bounds;
    if (this.#pending.size >= localTransactions) {
      throw new AccountsError('ACCOUNT_BUSY', 'too many changes wait for their commit');
    }
    const id = `${prefix}${this.#next++}`;
    const status = new Promise<number>((resolve, reject) => {
      const withdraw = this.#clock.after(localMs, () => {
        this.#pending.delete(id);
        reject(new AccountsError('ACCOUNT_TIMEOUT', 'the account has not answered in time'));
      });
      this.#pending.set(id, { resolve, withdraw });
    });
    return { id, status };
  }

  /** True when the transaction is one of these: it was answered here, or was given up before. */
  answer(id: string, status: number): boolean {
    if (!id.startsWith(prefix)) return false;
    const pending = this.#pending.get(id);
    if (pending && status >= 200) {
      this.#pending.delete(id);
      pending.withdraw();
      pending.resolve(status);
    }
    return true;
  }
}
