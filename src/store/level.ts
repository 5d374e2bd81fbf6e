/** The store on LevelDB: one process, one directory, one fsync for all commits that wait. */

import type { Clock, Log, StorePort } from '../ports.js';

export interface LevelStoreLimits {
  /** Commits, reservations and chunks that may wait for the batch under way. */
  readonly pendingCommits: number;
  /** Octets of keys and values that may wait. */
  readonly pendingBytes: number;
  /** Octets of one batch; one change above it goes alone. */
  readonly batchBytes: number;
  /** Accounts loaded and not released. */
  readonly accounts: number;
  /** Uploads neither finished nor aborted. */
  readonly uploads: number;
}

export interface LevelStoreOptions {
  readonly directory: string;
  /** `fsync`: a commit survives a power cut; `os`: it survives the end of the process. */
  readonly durability: 'fsync' | 'os';
  readonly log: Log;
  readonly clock?: Pick<Clock, 'now'>;
  readonly limits?: Partial<LevelStoreLimits>;
  /** Octets LevelDB keeps in memory before it writes a table. */
  readonly writeBufferBytes?: number;
  /** Octets of LevelDB's cache of blocks. */
  readonly cacheBytes?: number;
}

export interface LevelStats {
  readonly commits: number;
  readonly batches: number;
  readonly batchBytes: number;
  readonly refused: number;
  readonly stale: number;
  readonly damaged: number;
  readonly pendingCommits: number;
  readonly pendingBytes: number;
  readonly accounts: number;
  readonly uploads: number;
  readonly reopens: number;
}

export interface LevelStore extends StorePort {
  stats(): LevelStats;
}

/** Opens the store, creating the directory when there is none. Rejects with a `StoreError`. */
export declare function openLevelStore(options: LevelStoreOptions): Promise<LevelStore>;
