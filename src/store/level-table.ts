/** A table on LevelDB, which is opened anew after every write that failed. */

import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import type { ClassicLevel } from 'classic-level';
import { Level } from 'level';

import type { Clock, Log } from '../ports.js';
import { codeOf, openError } from './level-error.js';
import { judgeLogs, keepLogs } from './log-damage.js';
import { openUntorn } from './manifest-tail.js';
import { StoreError } from './store-error.js';
import type { Entry, Operation, Table, TableRange } from './table.js';

type Database = Level<Buffer, Buffer>;

/**
 * LevelDB begins to merge unsorted files when there are 4 of them; from 8 on it delays writes, and with
 * 12 a full write buffer holds all of them up, for seconds.
 */
const calmFiles = 6;

export interface LevelTableOptions {
  readonly directory: string;
  readonly sync: boolean;
  readonly log: Log;
  readonly clock: Pick<Clock, 'now'>;
  readonly writeBufferBytes: number;
  readonly cacheBytes: number;
  /** Between two attempts to open a failed table. */
  readonly retryMs: number;
}

export async function openLevelTable(options: LevelTableOptions): Promise<LevelTable> {
  await refuseHeadless(options.directory);
  await keepLogs(options.directory);
  const database = await openUntorn(options.directory, () => openDatabase(options, true));
  const lost = await judgeLogs(options.directory);
  if (lost > 0) {
    options.log.error({ code: 'STORE_DAMAGED', octets: lost }, 'the log of the store is damaged');
  }
  return new LevelTable(options, database, lost);
}

/** Without CURRENT LevelDB makes an empty database and removes the tables it does not know. */
async function refuseHeadless(directory: string): Promise<void> {
  let names: string[] = [];
  try {
    names = await readdir(directory);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') {
      throw new StoreError('STORE_UNAVAILABLE', 'the directory cannot be read', error);
    }
  }
  const tables = names.some((name) => /^(?:\d+\.(?:ldb|sst|log)|MANIFEST-\d+)$/.test(name));
  if (tables && !names.includes('CURRENT')) {
    throw new StoreError('STORE_DAMAGED', 'there are tables, but no CURRENT that names them');
  }
}

async function openDatabase(options: LevelTableOptions, create: boolean): Promise<Database> {
  const database: Database = new Level(options.directory, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    createIfMissing: create,
    compression: false,
    writeBufferSize: options.writeBufferBytes,
    cacheSize: options.cacheBytes,
  });
  try {
    await database.open();
  } catch (error) {
    await database.close().catch(() => undefined);
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw openError(cause);
  }
  return database;
}

/**
 * A failed append may leave a torn record in the log, behind which LevelDB would write on; after a
 * failed fsync pages count as clean although they are not on disk. Opening anew writes everything
 * readable in the log into a table file, synced, and begins a log.
 */
export class LevelTable implements Table {
  readonly #options: LevelTableOptions;
  #database: Database;
  #failed = false;
  #closed = false;
  #reopening: Promise<void> | undefined;
  #triedAt = -Infinity;
  #reopens = 0;

  /** Octets of durable writes that could not be read when it was opened. */
  readonly lostOctets: number;

  constructor(options: LevelTableOptions, database: Database, lostOctets = 0) {
    this.#options = options;
    this.#database = database;
    this.lostOctets = lostOctets;
  }

  get failed(): boolean {
    return this.#failed;
  }

  /** False: LevelDB is behind with sorting what was written, and soon makes writes wait. */
  get isCalm(): boolean {
    return this.unsortedFiles < calmFiles;
  }

  /** Files that LevelDB has not merged with the others yet. */
  get unsortedFiles(): number {
    if (this.#database.status !== 'open') return 0;
    // On Node a `Level` is a `ClassicLevel`.
    const database = this.#database as unknown as Pick<ClassicLevel, 'getProperty'>;
    return Number(database.getProperty('leveldb.num-files-at-level0'));
  }

  get reopens(): number {
    return this.#reopens;
  }

  ready(): Promise<void> {
    if (!this.#failed) return Promise.resolve();
    if (this.#closed) return Promise.reject(closed());
    if (this.#reopening) return this.#reopening;
    if (this.#options.clock.now() - this.#triedAt < this.#options.retryMs) {
      return Promise.reject(new StoreError('STORE_UNAVAILABLE', 'the disk failed a moment ago'));
    }
    this.#reopening = this.#reopen().finally(() => {
      this.#reopening = undefined;
    });
    return this.#reopening;
  }

  async #reopen(): Promise<void> {
    this.#triedAt = this.#options.clock.now();
    await this.#database.close().catch((error: unknown) => {
      this.#options.log.warn({ error }, 'the failed database did not close cleanly');
    });
    try {
      // A directory that has gone for a while must not come back empty.
      const { directory } = this.#options;
      await access(join(directory, 'CURRENT'));
      this.#database = await openUntorn(directory, () => openDatabase(this.#options, false));
    } catch (error) {
      this.#options.log.error({ error }, 'the store cannot be opened again yet');
      throw new StoreError('STORE_UNAVAILABLE', 'the store cannot be opened again yet', error);
    }
    if (this.#closed) {
      await this.#database.close();
      throw closed();
    }
    this.#failed = false;
    this.#triedAt = -Infinity;
    this.#reopens++;
    this.#options.log.info({ reopens: this.#reopens }, 'the store was opened again');
  }

  get(key: Buffer): Buffer | undefined {
    try {
      return this.#database.getSync(key);
    } catch (error) {
      throw this.#readError(error);
    }
  }

  async fetch(key: Buffer): Promise<Buffer | undefined> {
    try {
      return await this.#database.get(key);
    } catch (error) {
      throw this.#readError(error);
    }
  }

  async range(range: TableRange): Promise<Entry[]> {
    try {
      const entries = await this.#database.iterator(bounds(range)).all();
      return entries.map(([key, value]) => ({ key, value }));
    } catch (error) {
      throw this.#readError(error);
    }
  }

  async keys(range: TableRange): Promise<Buffer[]> {
    try {
      return await this.#database.keys(bounds(range)).all();
    } catch (error) {
      throw this.#readError(error);
    }
  }

  #readError(error: unknown): StoreError {
    if (this.#closed) return closed();
    return codeOf(error) === 'LEVEL_CORRUPTION'
      ? new StoreError('STORE_DAMAGED', 'LevelDB finds a table damaged', error)
      : new StoreError('STORE_UNAVAILABLE', 'a read failed', error);
  }

  async write(operations: readonly Operation[]): Promise<void> {
    try {
      const batch = this.#database.batch();
      for (const { key, value } of operations) {
        if (value === undefined) batch.del(key);
        else batch.put(key, value);
      }
      await batch.write({ sync: this.#options.sync });
    } catch (error) {
      this.#failed = true;
      this.#options.log.error({ error }, 'a write to the store failed');
      throw error;
    }
  }

  /** All that is there at the moment of the call, whatever is written meanwhile. */
  async *entries(): AsyncGenerator<Entry> {
    try {
      for await (const [key, value] of this.#database.iterator()) yield { key, value };
    } catch (error) {
      throw this.#readError(error);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    // Whoever asked for the reopening hears how it went; here it only has to be over.
    await this.#reopening?.catch(() => undefined);
    await this.#database.close();
  }
}

/** Octets that one way to LevelDB's thread and back brings: a mailbox of a hundred messages. */
const highWaterMarkBytes = 65_536;

function bounds({ from, to, limit, reverse = false }: TableRange) {
  return { gte: from, lt: to, limit, reverse, highWaterMarkBytes };
}

function closed(): StoreError {
  return new StoreError('STORE_CLOSED', 'the store was closed');
}
