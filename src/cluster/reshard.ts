/** How a directory changes to another number of shards: built beside, then moved into place. */

import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ClusterError } from './calls.js';
import { noteDurably, syncDirectory } from './durable-file.js';
import { frontDirectory, layoutName, reshardName, shardDirectory } from './layout.js';

/** What is under way; while it stands there no server takes the directory. */
export interface Reshard {
  readonly from: number;
  readonly to: number;
  /** `copy` may begin anew; `move` has to be ended. */
  readonly phase: 'copy' | 'move';
}

const builtName = 'reshard';
const formerName = 'former';
/** What LevelDB and its keeper have in a directory. */
const ofStore =
  /^(?:CURRENT|LOCK|LOG(?:\.old)?|MANIFEST-\d+|\d+\.(?:ldb|sst|log)|lost|recovery|contents)$/;

/** Where the stores are put together that are to take the place of others. */
export function builtDirectory(directory: string): string {
  return join(directory, builtName);
}

/** Undefined: none is under way. */
export async function reshardOf(directory: string): Promise<Reshard | undefined> {
  const path = join(directory, reshardName);
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Reshard;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ClusterError('CLUSTER_LAYOUT', `${path} cannot be read`);
  }
}

/** Durable when resolved, also over what a former one has left. */
export async function beginReshard(directory: string, from: number, to: number): Promise<void> {
  await noteDurably(directory, reshardName, { from, to, phase: 'copy' } satisfies Reshard);
  for (const name of [builtName, formerName]) {
    await rm(join(directory, name), { recursive: true, force: true });
  }
  await mkdir(builtDirectory(directory), { mode: 0o700 });
}

/** Everything stays as it was; only before the built stores were whole. */
export async function abandonReshard(directory: string): Promise<void> {
  await rm(builtDirectory(directory), { recursive: true, force: true });
  await rm(join(directory, reshardName));
  await syncDirectory(directory);
}

/** The built stores are whole: from here on the former ones are not used any more. */
export async function settleReshard(directory: string, from: number, to: number): Promise<void> {
  await syncDirectory(builtDirectory(directory));
  await noteDurably(directory, reshardName, { from, to, phase: 'move' } satisfies Reshard);
}

/**
 * Moves the former stores away and the built ones into their place, then removes the former. Cut off
 * anywhere it is begun again, and does what is left.
 */
export async function endReshard(directory: string, { from, to }: Reshard): Promise<void> {
  const former = join(directory, formerName);
  const built = builtDirectory(directory);
  await mkdir(former, { recursive: true });
  for (const name of await storeNames(directory, from)) {
    if (!existsSync(join(former, name))) await moved(directory, former, name);
  }
  await syncDirectory(former);
  // A store alone stands in the directory itself.
  const source = to === 1 ? shardDirectory(built, 0) : built;
  for (const name of await namesIn(source)) await moved(source, directory, name);
  if (to > 1) await noteDurably(directory, layoutName, { shards: to });
  else {
    await rm(join(directory, layoutName), { force: true });
    await syncDirectory(directory);
  }
  await rm(join(directory, reshardName));
  await syncDirectory(directory);
  for (const name of [builtName, formerName]) {
    await rm(join(directory, name), { recursive: true, force: true });
  }
}

async function storeNames(directory: string, shards: number): Promise<readonly string[]> {
  if (shards === 1) return (await namesIn(directory)).filter((name) => ofStore.test(name));
  const all = [
    frontDirectory(''),
    ...Array.from({ length: shards }, (_, n) => shardDirectory('', n)),
  ];
  return all;
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function moved(from: string, to: string, name: string): Promise<void> {
  try {
    await rename(join(from, name), join(to, name));
  } catch (error) {
    // It was moved before this was cut off.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
