/** A commit of an account on its way to the disk. */

import type { AccountId, Change } from '../ports.js';
import type { ChangeRows } from './change.js';
import type { Write } from './commit-queue.js';
import type { Lease, Leases } from './leases.js';
import type { Operation } from './table.js';
import type { StoreError } from './store-error.js';
import type { Reclaimer } from './reclaimer.js';
import type { WakeIndex } from './wake-index.js';

/** Who has to know that a commit has ended. */
export interface CommitParts {
  readonly leases: Leases;
  readonly wakes: WakeIndex;
  readonly reclaimer: Reclaimer;
}

export class AccountCommit implements Write {
  readonly operations: readonly Operation[];
  readonly bytes: number;
  /** The version of the account when it is durable; rejects with a `StoreError`. */
  readonly version: Promise<number>;
  readonly #parts: CommitParts;
  readonly #account: AccountId;
  readonly #lease: Lease;
  readonly #change: Change;
  readonly #rows: ChangeRows;
  readonly #next: number;
  #resolve!: (version: number) => void;
  #reject!: (error: unknown) => void;

  /** It counts as on its way from now on. */
  constructor(
    parts: CommitParts,
    account: AccountId,
    lease: Lease,
    what: { readonly change: Change; readonly rows: ChangeRows; readonly bytes: number },
  ) {
    this.#parts = parts;
    this.#account = account;
    this.#lease = lease;
    this.#change = what.change;
    this.#rows = what.rows;
    this.operations = what.rows.operations;
    this.bytes = what.bytes;
    this.#next = parts.leases.begin(lease);
    this.version = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get isValid(): boolean {
    return !this.#lease.broken;
  }

  written(): void {
    this.#lease.key?.written();
    this.#end();
    if (this.#rows.condemned) void this.#parts.reclaimer.run();
    this.#resolve(this.#next);
  }

  failed(error: StoreError): void {
    this.#lease.broken = true;
    this.#end();
    this.#reject(error);
  }

  #end(): void {
    const { leases, wakes } = this.#parts;
    const { wakeAt } = this.#change;
    if (typeof wakeAt === 'number') wakes.lowered(wakeAt);
    this.#rows.kept?.settled();
    leases.end(this.#account, this.#lease);
  }
}
