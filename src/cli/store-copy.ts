/** Backup and restore of a data directory, divided or not. */

import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { noteLayout } from '../cluster/layout.js';
import { isBackupSet, readBackupSet, writeBackupSet } from '../store/backup-set.js';
import type { NamedBackup } from '../store/backup-set.js';
import { openMaintenance, restoreStore } from '../store/maintenance.js';
import { StoreError } from '../store/store-error.js';
import { storesOf } from './stores.js';
import type { StoreAt } from './stores.js';

/** Everything in one stream. */
export async function* backupOf(directory: string): AsyncGenerator<Buffer> {
  const stores = await storesOf(directory);
  const [first] = stores;
  if (stores.length > 1) yield* writeBackupSet(backups(stores));
  else yield* backupOfStore(first!.directory);
}

async function* backupOfStore(directory: string): AsyncGenerator<Buffer> {
  const store = await openMaintenance(directory);
  try {
    yield* store.backup();
  } finally {
    await store.close();
  }
}

function* backups(stores: readonly StoreAt[]): Generator<NamedBackup> {
  for (const { directory, name } of stores) {
    yield { name: name.store!, octets: backupOfStore(directory) };
  }
}

export interface Restored {
  readonly records: number;
  /** Absent: one store. */
  readonly shards?: number;
}

/** Into a directory that is empty or not there; when it fails nothing is left of it. */
export async function restoreStores(
  directory: string,
  octets: AsyncIterable<Uint8Array>,
): Promise<Restored> {
  const { isSet, reader } = await isBackupSet(octets);
  if (!isSet) return { records: await restoreStore(directory, reader) };
  const names = await readdir(directory).catch(() => []);
  if (names.length > 0) throw new StoreError('STORE_CONFLICT', 'the directory is not empty');
  const beside = `${directory.replace(/\/+$/, '')}.restoring`;
  await rm(beside, { recursive: true, force: true });
  await mkdir(beside, { recursive: true, mode: 0o700 });
  try {
    const restored = await restoreSet(beside, reader);
    await rm(directory, { recursive: true, force: true });
    await rename(beside, directory);
    return restored;
  } catch (error) {
    await rm(beside, { recursive: true, force: true });
    throw error;
  }
}

async function restoreSet(
  directory: string,
  reader: Parameters<typeof readBackupSet>[0],
): Promise<Restored> {
  let records = 0;
  const names = new Set<string>();
  await readBackupSet(reader, async (name, octets) => {
    names.add(name);
    records += await restoreStore(join(directory, name), octets);
  });
  const shards = names.size - 1;
  const isWhole = names.has('front') && names.has(`shard-${shards - 1}`) && shards > 1;
  if (!isWhole) throw new StoreError('STORE_DAMAGED', 'a store is missing in the backup');
  await noteLayout(directory, shards);
  return { records, shards };
}
