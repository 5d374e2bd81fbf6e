/** How a data directory is divided among shards; written once, and never changed in passing. */

import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClusterError } from './calls.js';
import { noteDurably } from './durable-file.js';
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
 * would be looked for where it is not; with STORE_UNAVAILABLE when it cannot be read or written.
 */
export async function claimLayout(directory: string, shards: number): Promise<void> {
  if ((await checkedLayout(directory, shards)) !== undefined || shards === 1) return;
  await noteLayout(directory, shards);
}

/** Durable when resolved: says among how many shards a directory is divided from now on. */
export async function noteLayout(directory: string, shards: number): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
    await noteDurably(directory, layoutName, { shards });
  } catch (error) {
    throw unavailable(directory, error, 'written');
  }
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
 * CLUSTER_LAYOUT while it is being divided anew, and when it is divided and does not say how: a
 * guess would lose accounts; with STORE_UNAVAILABLE when it cannot be read.
 */
export async function layoutOf(directory: string): Promise<number | undefined> {
  const names = await namesIn(directory);
  if (names.includes(reshardName)) {
    throw new ClusterError('CLUSTER_LAYOUT', `${directory}: end \`store reshard\` first`);
  }
  if (names.includes(layoutName)) return notedLayout(join(directory, layoutName));
  // Also one that is damaged: whoever opens it tells what is missing.
  if (names.some((name) => written.test(name))) return 1;
  const shard = names.find((name) => /^shard-\d+$/.test(name));
  if (shard === undefined) return undefined;
  throw new ClusterError('CLUSTER_LAYOUT', `${directory} has ${shard}, and no ${layoutName}`);
}

/** Not LOCK and LOG: an opening that fails leaves them where nothing was ever stored. */
const written = /^(?:CURRENT|MANIFEST-\d+|\d+\.(?:ldb|sst|log)|contents)$/;

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A file where the directory should be is told by whoever wants to make it.
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw unavailable(directory, error, 'read');
  }
}

async function notedLayout(path: string): Promise<number> {
  let text;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw unavailable(path, error, 'read');
  }
  try {
    const { shards } = JSON.parse(text) as { shards?: unknown };
    if (Number.isSafeInteger(shards)) return shards as number;
  } catch {
    // Told below: what cannot be read is not a layout.
  }
  throw new ClusterError('CLUSTER_LAYOUT', `${path} cannot be read`);
}

function unavailable(path: string, error: unknown, done: 'read' | 'written'): ClusterError {
  const { code = 'an error' } = error as NodeJS.ErrnoException;
  return new ClusterError('STORE_UNAVAILABLE', `${path} cannot be ${done}: ${code}`);
}
