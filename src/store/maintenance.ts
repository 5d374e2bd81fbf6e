/** A store that no server serves: checked, mended, made smaller, copied away and brought back. */

import { readdir, rm } from 'node:fs/promises';
import { ClassicLevel } from 'classic-level';
import { readBackup, writeBackup } from './backup.js';
import { codeOf, openError } from './level-error.js';
import { judgeLogs, keepLogs } from './log-damage.js';
import { openUntorn } from './manifest-tail.js';
import { lossRows } from './loss.js';
import type { KeyProvider } from '../ports.js';
import { decodeWrapped, unwrapped, wrappedRow } from './encryption/account-keys.js';
import { dataKeys, decodeKey, encodeKey, everything } from './keys.js';
import { condemn } from './reclaimer.js';
import { decodeRow } from './rows.js';
import { segmentRecord, withSegments } from './segment-records.js';
import { StoreError } from './store-error.js';
import type { Entry, Operation, TableRange } from './table.js';
import { verifyTable } from './verify.js';
import type { Finding, Totals } from './verify.js';

type Database = ClassicLevel<Buffer, Buffer>;

type BatchOperation =
  | { readonly type: 'del'; readonly key: Buffer }
  | { readonly type: 'put'; readonly key: Buffer; readonly value: Buffer };

/** Octets written in one batch while a store is brought back. */
const batchBytes = 4_194_304;

export interface StoreMaintenance {
  verify(found: (finding: Finding) => void): Promise<Totals>;
  /** A record as it is, checked or not. */
  get(key: Buffer): Buffer | undefined | Promise<Buffer | undefined>;
  /** Everything in one stream, as it is at the moment of the call. */
  backup(): AsyncGenerator<Buffer>;
  /** Gives room back that deleted messages have left. */
  compact(): Promise<void>;
  /** What LevelDB tells of its levels. */
  levels(): string;
  /** Removes records; what they held is lost to the store. Chunks go when a server next runs. */
  remove(keys: readonly Buffer[]): Promise<void>;
  /**
   * Wraps every data key with the current key, so that older ones can go. Records stay as they are.
   * Resolves with how many were wrapped anew.
   */
  rewrap(provider: KeyProvider): Promise<number>;
  close(): Promise<void>;
}

/** Rejects with a `StoreError`: `STORE_LOCKED` while a server holds it, `STORE_NEWER`, … */
export async function openMaintenance(directory: string): Promise<StoreMaintenance> {
  await keepLogs(directory);
  const database = await openDatabase(directory, false);
  try {
    await noteLoss(database, await judgeLogs(directory));
  } catch (error) {
    await database.close();
    throw error;
  }
  const table = {
    get: (key: Buffer) => {
      try {
        return database.getSync(key);
      } catch (error) {
        throw readError(error);
      }
    },
    range: (range: TableRange) => entriesIn(database, range),
  };
  return {
    verify: (found) => verifyTable(table, found, directory),
    get: (key) => table.get(key) ?? segmentRecord(directory, key),
    backup: () => writeBackup(withSegments(directory, entriesOf(database))),
    compact: () => database.compactRange(everything.from, everything.to),
    levels: () => database.getProperty('leveldb.stats'),
    remove: (keys) => database.batch(keys.map(removal), { sync: true }),
    rewrap: (provider) => rewrap(database, provider),
    close: () => database.close(),
  };
}

/** Whoever opens the store next does not see the damaged log any more. */
async function noteLoss(database: Database, octets: number): Promise<void> {
  if (octets === 0) return;
  const table = {
    get: (key: Buffer) => database.getSync(key),
    range: ({ from, to, limit }: TableRange) => entriesIn(database, { from, to, limit }),
  };
  const rows = await lossRows(table, octets);
  const puts = rows.map(({ key, value }) => ({ type: 'put', key, value: value! }) as const);
  await database.batch(puts, { sync: true });
}

async function entriesIn(database: Database, { from, to, limit }: TableRange): Promise<Entry[]> {
  try {
    const entries = await database.iterator({ gte: from, lt: to, limit }).all();
    return entries.map(([key, value]) => ({ key, value }));
  } catch (error) {
    throw readError(error);
  }
}

function readError(error: unknown): StoreError {
  return codeOf(error) === 'LEVEL_CORRUPTION'
    ? new StoreError('STORE_DAMAGED', 'LevelDB finds a table damaged', error)
    : new StoreError('STORE_UNAVAILABLE', 'a read failed', error);
}

async function rewrap(database: Database, provider: KeyProvider): Promise<number> {
  let count = 0;
  for await (const [key, record] of database.iterator({ gte: dataKeys.from, lt: dataKeys.to })) {
    const { name, wrapped } = decodeWrapped(key, record);
    if (name === provider.current) continue;
    const dataKey = await unwrapped(provider, name, wrapped);
    const { value } = await wrappedRow(provider, key, dataKey);
    await database.put(key, value!, { sync: true });
    count++;
  }
  return count;
}

/** A chunk does not stand alone: all of its number are condemned, and reclaimed by the server. */
function removal(key: Buffer): BatchOperation {
  const [kind, number] = kindOf(key);
  if (kind !== 'chunk') return { type: 'del', key };
  const { key: row, value } = condemn(number);
  return { type: 'put', key: row, value: value! };
}

/** A key that is none of ours is of no kind. */
function kindOf(key: Buffer): readonly ['chunk', number] | readonly ['other', 0] {
  try {
    const decoded = decodeKey(key);
    return decoded[0] === 'chunk' ? ['chunk', decoded[1]] : ['other', 0];
  } catch (error) {
    if (error instanceof StoreError) return ['other', 0];
    throw error;
  }
}

/** One iterator sees one moment, whatever is written meanwhile. */
async function* entriesOf(database: Pick<Database, 'iterator'>): AsyncGenerator<Entry> {
  for await (const [key, value] of database.iterator()) yield { key, value };
}

/**
 * Lets LevelDB make what it can of files it cannot open any more. Records that were only in damaged
 * blocks are gone.
 */
export async function repairStore(directory: string): Promise<void> {
  try {
    await ClassicLevel.repair(directory);
  } catch (error) {
    throw openError(codeOf(error) === undefined ? error : causeOf(error));
  }
}

/**
 * Writes a backup into a directory that is empty or not there. When it fails nothing is left of
 * it. Resolves with the number of records.
 */
export async function restoreStore(
  directory: string,
  octets: AsyncIterable<Uint8Array>,
): Promise<number> {
  const names = await readdir(directory).catch(() => []);
  if (names.length > 0) {
    throw new StoreError('STORE_CONFLICT', 'the directory is not empty');
  }
  const database = await openDatabase(directory, true);
  try {
    const records = await restoreInto(database, octets);
    await database.close();
    return records;
  } catch (error) {
    await database.close();
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

async function restoreInto(database: Database, octets: AsyncIterable<Uint8Array>): Promise<number> {
  let records = 0;
  let size = 0;
  let waiting: Operation[] = [];
  const write = async (): Promise<void> => {
    const batch = waiting.map(({ key, value }) => ({ type: 'put', key, value: value! }) as const);
    await database.batch(batch, { sync: true });
    waiting = [];
    size = 0;
  };
  for await (const { key, value } of readBackup(octets)) {
    waiting.push({ key, value });
    size += key.length + value!.length;
    records++;
    if (size >= batchBytes) await write();
  }
  await write();
  const schema = database.getSync(encodeKey(['schema']));
  if (schema === undefined) throw new StoreError('STORE_DAMAGED', 'the backup has no schema');
  decodeRow(encodeKey(['schema']), schema);
  return records;
}

/** Rejects with a `StoreError`, as every opening here. */
export function openDatabase(directory: string, create: boolean): Promise<Database> {
  return openUntorn(directory, () => openFiles(directory, create));
}

async function openFiles(directory: string, create: boolean): Promise<Database> {
  const database: Database = new ClassicLevel(directory, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    createIfMissing: create,
    compression: false,
  });
  try {
    await database.open();
  } catch (error) {
    await database.close().catch(() => undefined);
    throw openError(causeOf(error));
  }
  return database;
}

function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? error.cause : error;
}
