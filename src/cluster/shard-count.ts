/** How many shards a server has: what the settings say, what its directory is, or one for each core. */

import { availableParallelism } from 'node:os';
import { layoutOf } from './layout.js';

/**
 * Shards of a new directory with `auto`, at most. The front is one process and has each message in
 * hand: about 40 µs of its CPU, where a shard spends about 170 µs. Four or five shards keep it
 * busy; 8 leave room for accounts that do more than store, such as large messages, and more would
 * wait for the front. A number in the settings may be larger.
 */
export const autoShardsMax = 8;

/** Why there are so many: it was asked for, the directory has them, or there are so many cores. */
export type ShardReason = 'settings' | 'directory' | 'cores' | 'parts';

export interface ShardCount {
  readonly shards: number;
  readonly reason: ShardReason;
}

export interface ShardWish {
  /** Absent: one process. */
  readonly shards: number | 'auto' | undefined;
  /** Absent: the store is none of ours, and lives in this process. */
  readonly directory: string | undefined;
  /** Something was brought along that lives in one process: `auto` divides no new directory. */
  readonly isOneProcess?: boolean;
  /** Processors that may be used; absent: as many as the system gives this process. */
  readonly cores?: number;
}

/**
 * A number is taken as it is; whether the directory has as many is for `claimLayout`. `auto` is the
 * number the directory is divided among, 1 for an undivided store: an upgrade or a machine with
 * other cores refuses nothing. A new directory gets one shard for each core. Rejects with
 * CLUSTER_LAYOUT when the directory cannot say, or is being divided anew.
 */
export async function shardCountOf(wish: ShardWish): Promise<ShardCount> {
  const { shards = 1, directory, isOneProcess = false, cores = availableParallelism() } = wish;
  if (shards !== 'auto') return { shards, reason: 'settings' };
  const found = directory === undefined ? undefined : await layoutOf(directory);
  if (found !== undefined) return { shards: found, reason: 'directory' };
  if (isOneProcess || directory === undefined) return { shards: 1, reason: 'parts' };
  return { shards: Math.min(cores, autoShardsMax), reason: 'cores' };
}
