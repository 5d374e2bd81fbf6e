/** How a data directory is divided among shards; written once, and never changed in passing. */

import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClusterError } from './calls.js';
import { shardCount, shardOf } from './shard.js';

/** Says among how many shards a directory is divided. */
export const layoutName = 'shards.json';
/** Is there while a directory changes to another number of shards. */
export const reshardName = 'reshard.json';

/** The shard of an account: ranges of the 4,096 fixed ones. */
export function shardAmong(account: string, shards: number): number {
  return Math.floor((shardOf(account) * shards) / shardCount);
}

/** Store of one shard. */
export function shardDirectory(directory: string, shard: number): string {
  return join(directory, `shard-${shard}`);
}

/** Store of what the shards have in common: numbers of messages, who has an account. */
export function frontDirectory(directory: string): string {
  return join(directory, 'front');
}

/**
 * Rejects with CLUSTER_LAYOUT when the directory holds a store that is divided otherwise: an account
 * would be looked for where it is not.
 */
export async function claimLayout(directory: string, shards: number): Promise<void> {
  if ((await checkedLayout(directory, shards)) !== undefined || shards === 1) return;
  await mkdir(directory, { recursive: true });
  const path = join(directory, layoutName);
  await writeFile(`${path}.new`, `${JSON.stringify({ shards })}\n`, { flush: true });
  await rename(`${path}.new`, path);
}

/** The number of shards when it is the one that is wanted; undefined: nothing is stored there. */
export async function checkedLayout(
  directory: string,
  shards: number,
): Promise<number | undefined> {
  const found = await layoutOf(directory);
  if (found === undefined || found === shards) return found;
  const are = found === 1 ? 'is not divided' : `is divided among ${found} shards`;
  throw new ClusterError('CLUSTER_LAYOUT', `${directory} ${are}; cluster.shards is ${shards}`);
}

/** The directories of all stores. */
export function storeDirectories(directory: string, shards: number): readonly string[] {
  if (shards === 1) return [directory];
  const own = Array.from({ length: shards }, (_, shard) => shardDirectory(directory, shard));
  return [frontDirectory(directory), ...own];
}

/**
 * How many shards a directory is divided among; undefined: nothing is stored there. Rejects with
 * CLUSTER_LAYOUT while it is being divided anew.
 */
export async function layoutOf(directory: string): Promise<number | undefined> {
  if (existsSync(join(directory, reshardName))) {
    throw new ClusterError('CLUSTER_LAYOUT', `${directory}: end \`store reshard\` first`);
  }
  let text;
  try {
    text = await readFile(join(directory, layoutName), 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A file where the directory should be is told by whoever wants to make it.
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
    return existsSync(join(directory, 'CURRENT')) ? 1 : undefined;
  }
  try {
    const { shards } = JSON.parse(text) as { shards?: unknown };
    if (Number.isSafeInteger(shards)) return shards as number;
  } catch {
    // Told below: what cannot be read is not a layout.
  }
  throw new ClusterError('CLUSTER_LAYOUT', `${join(directory, layoutName)} cannot be read`);
}
