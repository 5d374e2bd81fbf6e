/** The store on LevelDB: one process, one directory, one fsync for all commits that wait. */

import type { Clock, KeyProvider, Log, StorePort } from '../ports.js';
import type { AccountStoreLimits } from './account-store.js';
import { AccountStore, storeLimits } from './account-store.js';
import { openLevelTable } from './level-table.js';
import type { LevelTable } from './level-table.js';
import { writeBackup } from './backup.js';
import type { LatencyHistogram } from './latency.js';
import { lossRows } from './loss.js';
import { dataKeys } from './keys.js';
import { migrate } from './migrate.js';
import { takeBlocks } from './number-blocks.js';
import { Segments } from './segments.js';
import { StoreError } from './store-error.js';

/** Bounds of a store; each has a default. */
export type LevelStoreLimits = AccountStoreLimits;

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
  /** Between two attempts to open the store again after the disk failed. */
  readonly retryMs?: number;
  /** Seals what it writes (AES-256-GCM, a key for each account); absent: nothing is sealed. */
  readonly keys?: KeyProvider;
}

/** Counts since the store was opened, and what there is at this moment. */
export interface LevelStats {
  /** Requests that were written: commits, reservations, chunks of uploads. */
  readonly commits: number;
  readonly batches: number;
  /** Octets of keys and values written. */
  readonly batchBytes: number;
  /** Requests refused because of a bound or of the disk. */
  readonly refused: number;
  readonly stale: number;
  readonly damaged: number;
  readonly pendingCommits: number;
  readonly pendingBytes: number;
  readonly accounts: number;
  readonly uploads: number;
  /** How often the store was opened again after a failed write. */
  readonly reopens: number;
  /** Octets of durable writes that could not be read when it was opened. */
  readonly lostOctets: number;
  /** Files that LevelDB has yet to merge; with 12 of them writes stop for a while. */
  readonly unsortedFiles: number;
}

export interface LevelStore extends StorePort {
  stats(): LevelStats;
  /** How long commits have taken since the store was opened. */
  commitLatency(): LatencyHistogram;
  /** A copy of everything as it is at this moment, while the store is in use. */
  backup(): AsyncGenerator<Buffer>;
}

/** Opens the store, creating the directory when there is none. Rejects with a `StoreError`. */
export async function openLevelStore(options: LevelStoreOptions): Promise<LevelStore> {
  const clock = options.clock ?? Date;
  const table = await openLevelTable({
    directory: options.directory,
    sync: options.durability === 'fsync',
    log: options.log,
    clock,
    // A start reads the log back, and commits wait while it goes to disk as a table: with half of
    // 32 MB both are shorter on average, and LevelDB writes a third more for the same messages.
    writeBufferBytes: options.writeBufferBytes ?? 16 * 1024 * 1024,
    cacheBytes: options.cacheBytes ?? 32 * 1024 * 1024,
    retryMs: options.retryMs ?? 1_000,
  });
  try {
    return await begin(table, options, clock);
  } catch (error) {
    await table.close();
    if (error instanceof StoreError) throw error;
    throw new StoreError('STORE_UNAVAILABLE', 'the store cannot be written', error);
  }
}

/** What was sealed once could not be read, account by account: better said at the start. */
async function assertUnsealed(table: LevelTable): Promise<void> {
  const [key] = await table.keys({ ...dataKeys, limit: 1 });
  if (key) throw new StoreError('STORE_KEY', 'the store is sealed, and no keys are given');
}

async function begin(
  table: LevelTable,
  options: LevelStoreOptions,
  clock: Pick<Clock, 'now'>,
): Promise<LevelStore> {
  await migrate(table);
  if (table.lostOctets > 0) await table.write(await lossRows(table, table.lostOctets));
  if (!options.keys) await assertUnsealed(table);
  const { blocks, operations } = takeBlocks(table);
  await table.write(operations);
  const { directory, durability } = options;
  const segments = new Segments({ directory, sync: durability === 'fsync' });
  const store = new AccountStore({
    table,
    log: options.log,
    clock,
    limits: { ...storeLimits, ...options.limits },
    // Everything one poll of the event loop reads becomes one batch.
    defer: (call) => setImmediate(call),
    blocks,
    segments,
    ...(options.keys && { keys: options.keys }),
  });
  return {
    load: (account, whole) => store.load(account, whole),
    scan: (account, range) => store.scan(account, range),
    get: (account, keys) => store.get(account, keys),
    commit: (account, version, change) => store.commit(account, version, change),
    release: (account) => store.release(account),
    content: (account, serial) => store.content(account, serial),
    upload: (account) => store.upload(account),
    due: (now, limit) => store.due(now, limit),
    nextDue: () => store.nextDue(),
    isCalm: () => table.isCalm,
    reserve: (counter, count) => store.reserve(counter, count),
    sweep: (before) => store.sweep(before),
    accounts: (range) => store.accounts(range),
    provisioning: store.provisioning,
    associations: store.associations,
    close: () => store.close(),
    backup: () => writeBackup(segments.entries(table)),
    commitLatency: () => store.latency,
    stats: () => {
      const { reopens, lostOctets, unsortedFiles } = table;
      return { ...store.counts, reopens, lostOctets, unsortedFiles };
    },
  };
}
