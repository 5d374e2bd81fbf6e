/** The store in memory: the semantics of the store on disk, and hooks for tests. */

import type { Clock, StoreErrorCode, StorePort } from '../ports.js';

export interface MemoryStoreOptions {
  readonly clock?: Pick<Clock, 'now'>;
}

export interface MemoryStore extends StorePort {
  /** Holds commits and reservations back, as a slow disk does. Calls `release` to go on. */
  hold(): { readonly waiting: () => number; readonly release: () => void };
  /** The next commit rejects with `code`; with `STORE_UNKNOWN`, `written` says if it took effect. */
  failNext(code: StoreErrorCode, written?: boolean): void;
  /**
   * The process dies: held commits are lost, every pending call rejects with `STORE_CLOSED`.
   * Returns the store as the next process finds it.
   */
  crash(): MemoryStore;
}

export declare function createMemoryStore(options?: MemoryStoreOptions): MemoryStore;
