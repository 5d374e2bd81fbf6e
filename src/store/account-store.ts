/** StorePort on any ordered table. */

import type {
  AccountId,
  AccountRange,
  Change,
  Clock,
  Content,
  KeyProvider,
  Loaded,
  Log,
  Row,
  RowKey,
  ScanRange,
  StorePort,
  Upload,
} from '../ports.js';
import type { CommitQueueLimits } from './commit-queue.js';
import { CommitQueue, sizeOf } from './commit-queue.js';
import { AccountCommit } from './account-commit.js';
import type { CommitParts } from './account-commit.js';
import { changeRows } from './change.js';
import type { ChangeContext, ChangeRows } from './change.js';
import type { ContentSource } from './contents.js';
import { readContent } from './contents.js';
import { Counters } from './counters.js';
import { AccountKeys } from './encryption/account-keys.js';
import type { DataKey } from './encryption/data-key.js';
import { accountRange, decodeKey, encodeKey, rowRange } from './keys.js';
import type { LatencyHistogram } from './latency.js';
import { loadRows } from './load-rows.js';
import type { Lease } from './leases.js';
import { Leases } from './leases.js';
import type { NumberBlocks } from './number-blocks.js';
import { Associations } from './associations.js';
import { Provisioning } from './provisioning.js';
import { Reclaimer } from './reclaimer.js';
import { decodeRow } from './rows.js';
import { StoreError } from './store-error.js';
import type { Table } from './table.js';
import { Uploads } from './uploads.js';
import { WakeIndex } from './wake-index.js';

export interface AccountStoreLimits extends CommitQueueLimits {
  /** Accounts loaded and not released. */
  readonly accounts: number;
  /** Uploads neither finished nor aborted. */
  readonly uploads: number;
  /** Identities of the directory kept in memory. */
  readonly identities: number;
}

/** Bounds unless others are given. */
export const storeLimits: AccountStoreLimits = {
  pendingCommits: 20_000,
  pendingBytes: 64 * 1024 * 1024,
  batchBytes: 4 * 1024 * 1024,
  accounts: 1_000_000,
  uploads: 2_048,
  identities: 100_000,
};

export interface AccountStoreParts extends ContentSource {
  readonly log: Log;
  readonly clock: Pick<Clock, 'now'>;
  readonly limits: AccountStoreLimits;
  /** Defers the beginning of a batch, so that commits of one moment come together. */
  readonly defer: (call: () => void) => void;
  readonly blocks: NumberBlocks;
  /** Absent: records are not sealed. */
  readonly keys?: KeyProvider;
}

function isMailbox(key: RowKey): boolean {
  return key[0] === 'actor' && key[1] === 'mailbox';
}

/** Rows of one account returned at once at most; an iterator counts in 32 bits. */
const rowsMax = 0x7fffffff;

export class AccountStore implements StorePort {
  readonly provisioning: Provisioning;
  readonly associations: Associations;
  readonly #table: Table;
  readonly #log: Log;
  readonly #queue: CommitQueue;
  readonly #leases: Leases;
  readonly #counters: Counters;
  readonly #uploads: Uploads;
  readonly #reclaimer: Reclaimer;
  readonly #wakes: WakeIndex;
  readonly #blocks: NumberBlocks;
  readonly #keys: AccountKeys | undefined;
  readonly #source: ContentSource;
  /** Accounts whose mailbox went: their keys may go with the last of their rows. */
  readonly #vacated = new Set<AccountId>();
  readonly #context: ChangeContext;
  readonly #ends: CommitParts;
  readonly #counts = { stale: 0, damaged: 0 };
  #closed = false;

  constructor(parts: AccountStoreParts) {
    const { table, log, clock, limits, blocks } = parts;
    this.#table = table;
    this.#log = log;
    this.#blocks = blocks;
    this.#queue = new CommitQueue(table, limits, parts.defer);
    this.#counters = new Counters(table, this.#queue);
    const { keys: provider } = parts;
    this.#keys = provider && new AccountKeys({ table, queue: this.#queue, provider });
    this.#leases = new Leases(limits.accounts, blocks.versions.from, (account) =>
      this.#dropped(account),
    );
    this.#source = parts;
    this.#reclaimer = new Reclaimer(table, this.#queue, log, parts.segments);
    this.#wakes = new WakeIndex(table, log);
    this.#uploads = new Uploads({
      table,
      queue: this.#queue,
      reclaimer: this.#reclaimer,
      clock,
      draw: () => blocks.drawUpload(),
      uploadsMax: limits.uploads,
      keys: this.#keys,
      segments: parts.segments,
    });
    this.#context = {
      ...{ table, uploads: this.#uploads, largeOnTheirWay: new Map() },
      drawUpload: () => blocks.drawUpload(),
    };
    this.#ends = { leases: this.#leases, wakes: this.#wakes, reclaimer: this.#reclaimer };
    const directory = {
      table,
      queue: this.#queue,
      assertOpen: () => this.#assertOpen(),
      ready: () => this.#ready(),
    };
    this.provisioning = new Provisioning({ ...directory, cached: limits.identities });
    this.associations = new Associations(directory);
    void this.#reclaimer.run();
  }

  get counts(): {
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
  } {
    const { requests, batches, bytes, refused } = this.#queue.counts;
    return {
      commits: requests,
      batches,
      batchBytes: bytes,
      refused,
      stale: this.#counts.stale,
      damaged: this.#counts.damaged + this.#wakes.damaged,
      pendingCommits: this.#queue.pending,
      pendingBytes: this.#queue.pendingBytes,
      accounts: this.#leases.size,
      uploads: this.#uploads.size,
    };
  }

  get latency(): LatencyHistogram {
    return this.#queue.latency.histogram();
  }

  async load(account: AccountId, whole?: number): Promise<Loaded> {
    this.#assertOpen();
    const lease = this.#leases.take(account);
    const { version } = lease;
    try {
      await lease.alone;
      await this.#raiseVersions();
      await this.#ready();
      lease.key = await this.#keys?.hold(account, 'load');
      const { wakeAt = lease.wakeAt, ...rows } = await loadRows(
        this.#table,
        account,
        ({ key, value }) => this.#decode(key, value, lease.key?.dataKey),
        whole,
      );
      lease.wakeAt = wakeAt;
      return { version, ...rows, wakeAt };
    } catch (error) {
      lease.released = true;
      throw error;
    } finally {
      this.#leases.end(account, lease);
    }
  }

  #decode(key: Buffer, record: Buffer, dataKey: DataKey | undefined): unknown {
    return this.#counting(() => decodeRow(key, record, dataKey));
  }

  #counting<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (error instanceof StoreError && error.code === 'STORE_DAMAGED') this.#counts.damaged++;
      throw error;
    }
  }

  /** No version may be handed out that the next start could hand out again. */
  async #raiseVersions(): Promise<void> {
    if (this.#blocks.versionsSuffice(this.#leases.highest)) return;
    await this.#blocks.raiseVersions((name, count) => this.#counters.reserve(name, count));
  }

  async scan(account: AccountId, range: ScanRange): Promise<Row[]> {
    this.#assertOpen();
    const { limit, reverse } = range;
    if (!Number.isSafeInteger(limit) || limit < 0) {
      throw new StoreError('STORE_INVALID', `${String(limit)} is no limit`);
    }
    const bounds = rowRange(account, range);
    if (limit === 0) return [];
    await this.#ready();
    const entries = await this.#table.range({
      ...bounds,
      limit: Math.min(limit, rowsMax),
      reverse: reverse ?? false,
    });
    const dataKey = this.#keys && (await this.#keys.of(account));
    return entries.map((entry) => {
      const key = decodeKey(entry.key);
      if (key[0] !== 'row') throw new StoreError('STORE_DAMAGED', 'a key is none of a row');
      return { key: key[2], value: this.#decode(entry.key, entry.value, dataKey) };
    });
  }

  async get(account: AccountId, keys: readonly RowKey[]): Promise<readonly unknown[]> {
    this.#assertOpen();
    await this.#ready();
    const dataKey = this.#keys && (await this.#keys.of(account));
    return keys.map((rowKey) => {
      const key = encodeKey(['row', account, rowKey]);
      const record = this.#table.get(key);
      return record === undefined ? undefined : this.#decode(key, record, dataKey);
    });
  }

  /**
   * The new version is `version + 1`, so that an owner may run ahead of its commits. After a
   * rejection nothing more is taken from that owner: the account has to be loaded again.
   */
  commit(account: AccountId, version: number, change: Change): Promise<number> {
    try {
      this.#assertOpen();
      return this.#commit(account, this.#check(account, version), change);
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #commit(account: AccountId, lease: Lease, change: Change): Promise<number> {
    let rows: ChangeRows | undefined;
    let bytes: number;
    try {
      rows = changeRows(account, change, lease, this.#context);
      bytes = sizeOf(rows.operations);
      this.#queue.admit(bytes);
      if (!this.#blocks.hasVersion(lease.version + 1)) {
        throw new StoreError('STORE_UNAVAILABLE', 'versions are used up');
      }
    } catch (error) {
      lease.broken = true;
      rows?.kept?.settled();
      throw error;
    }
    if (change.wakeAt !== undefined) lease.wakeAt = change.wakeAt;
    if (this.#keys && change.deletes.some(isMailbox)) this.#vacated.add(account);
    const commit = new AccountCommit(this.#ends, account, lease, { change, rows, bytes });
    // One that writes nothing only waits for those before it.
    if (rows.operations.length > 0 || lease.pending > 1) this.#queue.take(commit);
    else commit.written();
    return commit.version;
  }

  #check(account: AccountId, version: number): Lease {
    try {
      return this.#leases.check(account, version);
    } catch (error) {
      this.#counts.stale++;
      throw error;
    }
  }

  release(account: AccountId): void {
    this.#leases.release(account);
  }

  #dropped(account: AccountId): void {
    if (!this.#keys) return;
    this.#keys.release(account, 'load');
    if (!this.#vacated.delete(account)) return;
    this.#keys.erase(account).catch((error: unknown) => {
      this.#log.warn({ error }, 'the key of an account that is gone was not erased');
    });
  }

  async content(account: AccountId, serial: number): Promise<Content | undefined> {
    this.#assertOpen();
    await this.#ready();
    const dataKey = this.#keys && (await this.#keys.of(account));
    return this.#counting(() => readContent(this.#source, account, serial, dataKey));
  }

  async upload(account: AccountId): Promise<Upload> {
    this.#assertOpen();
    await this.#ready();
    return this.#uploads.begin(account);
  }

  async due(now: number, limit: number): Promise<AccountId[]> {
    this.#assertOpen();
    await this.#ready();
    return this.#wakes.due(now, limit);
  }

  async nextDue(): Promise<number | undefined> {
    this.#assertOpen();
    await this.#ready();
    return this.#wakes.next();
  }

  async reserve(counter: string, count: number): Promise<number> {
    this.#assertOpen();
    if (counter.startsWith('\0')) {
      throw new StoreError('STORE_INVALID', 'names of counters do not begin with NUL');
    }
    await this.#ready();
    return this.#counters.reserve(counter, count);
  }

  async sweep(before: number): Promise<number> {
    this.#assertOpen();
    await this.#ready();
    return this.#uploads.sweep(before);
  }

  /** One look at the table for each account, whatever it holds. */
  async accounts({ after, limit }: AccountRange): Promise<readonly AccountId[]> {
    this.#assertOpen();
    await this.#ready();
    const found: AccountId[] = [];
    let last = after;
    while (found.length < limit) {
      const [key] = await this.#table.keys({ ...accountRange(last), limit: 1 });
      if (key === undefined) return found;
      const decoded = decodeKey(key);
      last = decoded[1] as AccountId;
      found.push(last);
    }
    return found;
  }

  #assertOpen(): void {
    if (this.#closed) throw new StoreError('STORE_CLOSED', 'the store was closed');
  }

  async #ready(): Promise<void> {
    if (this.#table.failed) await this.#table.ready();
  }

  /** Takes nothing more, writes what waits, closes the table. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#reclaimer.stop();
    await this.#queue.close();
    await this.#source.segments?.close();
    await this.#table.close();
  }

  /** Ends as the process would when it is killed: every pending call rejects with STORE_CLOSED. */
  kill(): void {
    this.#closed = true;
    this.#queue.kill();
    void this.#reclaimer.stop();
  }
}
