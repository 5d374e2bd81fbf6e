/** Copies everything of some stores to others, account by account: another number of shards. */

import type { ClassicLevel } from 'classic-level';
import type { AccountId, KeyProvider } from '../ports.js';
import { decodeLarge, encodeLarge } from './contents.js';
import { counterRow } from './counters.js';
import { decodeWrapped, unwrapped } from './encryption/account-keys.js';
import { DataKey } from './encryption/data-key.js';
import { chunkRange, decodeKey, encodeKey } from './keys.js';
import { openDatabase } from './maintenance.js';
import { decodeOctets, decodeRow, encodeOctets, isSealed } from './rows.js';
import { withSegments } from './segment-records.js';
import { StoreError } from './store-error.js';
import type { Entry } from './table.js';

/** Directories of stores; without a front one store holds everything. */
export interface StoreGroup {
  readonly front?: string;
  readonly shards: readonly string[];
}

export interface Division {
  readonly from: StoreGroup;
  /** None of these is there yet. */
  readonly to: StoreGroup;
  /** Which of the shards of `to` an account is in. */
  shardOf(account: AccountId): number;
  /** Opens chunks that have to be sealed under another number. */
  readonly keys?: KeyProvider | undefined;
}

type Database = ClassicLevel<Buffer, Buffer>;

/** Octets written in one batch. */
const batchBytes = 4_194_304;
/** Counters that every store has for itself; the others are of the front. */
const ownCounters = new Set(['\0version', '\0upload', '\0provisioned']);
const uploadCounter = '\0upload';

/** Everything that was taken is durable when resolved. Contents that nobody kept stay behind. */
export async function divide(division: Division): Promise<void> {
  const { from, to } = division;
  const open: Database[] = [];
  const opened = async (directory: string, create: boolean): Promise<Database> => {
    const database = await openDatabase(directory, create);
    open.push(database);
    return database;
  };
  try {
    const shards: Target[] = [];
    for (const directory of to.shards) shards.push(new Target(await opened(directory, true)));
    const front = to.front === undefined ? undefined : new Target(await opened(to.front, true));
    const copy = new Copy(division, shards, front);
    const sources = from.front === undefined ? from.shards : [from.front, ...from.shards];
    for (const directory of sources) {
      await copy.take(await opened(directory, false), directory === from.front);
    }
    await copy.end();
  } finally {
    for (const database of open) await database.close();
  }
}

/** Gathers what is to be written to one store. */
class Target {
  readonly #database: Database;
  #waiting: { readonly type: 'put'; readonly key: Buffer; readonly value: Buffer }[] = [];
  #size = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  async put(key: Buffer, value: Buffer): Promise<void> {
    this.#waiting.push({ type: 'put', key, value });
    this.#size += key.length + value.length;
    if (this.#size >= batchBytes) await this.flush();
  }

  async flush(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    this.#size = 0;
    await this.#database.batch(batch, { sync: true });
  }
}

class Copy {
  readonly #division: Division;
  readonly #shards: readonly Target[];
  readonly #front: Target | undefined;
  /** Where each counter has come to, in any of the stores. */
  readonly #counters = new Map<string, number>();
  /** Two stores have used the same numbers for their chunks. */
  readonly #isMerged: boolean;
  #nextUpload = 1;
  #schema: Buffer | undefined;
  #opener: { readonly account: AccountId; readonly key: DataKey } | undefined;

  constructor(division: Division, shards: readonly Target[], front: Target | undefined) {
    this.#division = division;
    this.#shards = shards;
    this.#front = front;
    this.#isMerged = division.from.shards.length > 1;
  }

  /** Uploads and chunks, which stand in the middle, are looked up by the contents they are of. */
  async take(source: Database, isFront: boolean): Promise<void> {
    const uploads = encodeKey(['upload', 0, 0]);
    const behind = encodeKey(['provisioned', '']);
    for (const range of [{ lt: uploads }, { gte: behind }]) {
      for await (const [key, value] of source.iterator(range)) {
        await this.#record(source, isFront, key, value);
      }
    }
    this.#opener = undefined;
  }

  async end(): Promise<void> {
    const schema = encodeKey(['schema']);
    if (this.#schema === undefined) throw new StoreError('STORE_DAMAGED', 'there is no schema');
    if (this.#isMerged) this.#counters.set(uploadCounter, this.#nextUpload);
    for (const target of this.#targets()) {
      await target.put(schema, this.#schema);
      for (const [name, next] of this.#counters) {
        const isOf = target === this.#directory || ownCounters.has(name);
        const { key, value } = counterRow(encodeKey(['counter', name]), next);
        if (isOf) await target.put(key, value!);
      }
      await target.flush();
    }
  }

  /** The store of what all shards have in common. */
  get #directory(): Target {
    return this.#front ?? this.#shards[0]!;
  }

  #targets(): readonly Target[] {
    return this.#front ? [this.#front, ...this.#shards] : this.#shards;
  }

  #shardOf(account: AccountId): Target {
    return this.#shards[this.#division.shardOf(account)]!;
  }

  async #record(source: Database, isFront: boolean, key: Buffer, value: Buffer): Promise<void> {
    const decoded = decodeKey(key);
    const isDirectory = isFront || this.#division.from.front === undefined;
    switch (decoded[0]) {
      case 'schema':
        if (this.#schema && !this.#schema.equals(value)) {
          throw new StoreError('STORE_DAMAGED', 'the stores have different schemas');
        }
        this.#schema = value;
        return;
      case 'counter':
        this.#count(decoded[1], decodeRow(key, value));
        return;
      case 'provisioned':
        // What a shard knows it was told by the front.
        if (isDirectory) await this.#both(decoded[1], key, value);
        return;
      case 'identity':
        if (isDirectory) await this.#both(String(decodeRow(key, value)), key, value);
        return;
      case 'association':
        if (isDirectory) await this.#directory.put(key, value);
        if (!isFront) await this.#shardOf(decoded[1]).put(key, value);
        return;
      case 'large':
        await this.#large(source, decoded[1], key, value);
        return;
      case 'wake':
        await this.#shardOf(decoded[3]).put(key, value);
        return;
      case 'upload':
      case 'chunk':
        return;
      default:
        await this.#shardOf(decoded[1]).put(key, value);
    }
  }

  async #both(account: AccountId, key: Buffer, value: Buffer): Promise<void> {
    await this.#directory.put(key, value);
    if (this.#front) await this.#shardOf(account).put(key, value);
  }

  #count(name: string, next: unknown): void {
    if (typeof next !== 'number') throw new StoreError('STORE_DAMAGED', 'a counter is no number');
    this.#counters.set(name, Math.max(this.#counters.get(name) ?? 1, next));
  }

  async #large(source: Database, account: AccountId, key: Buffer, value: Buffer): Promise<void> {
    const { number: former, size } = decodeLarge(key, value);
    const number = this.#isMerged ? this.#nextUpload++ : former;
    const target = this.#shardOf(account);
    const { from, to } = chunkRange(former);
    const rows = entriesOf(source.iterator({ gte: from, lt: to }));
    const chunks = withSegments(source.location, rows);
    for await (const { key: chunk, value: record } of chunks) {
      const [, , index] = decodeKey(chunk) as readonly ['chunk', number, number];
      const moved = encodeKey(['chunk', number, index]);
      const isSame = number === former;
      const octets = isSame ? record : await this.#moved(source, account, chunk, moved, record);
      await target.put(moved, octets);
    }
    await target.put(key, encodeLarge(key, { number, size }));
  }

  /** A record holds for its key alone. */
  async #moved(
    source: Database,
    account: AccountId,
    from: Buffer,
    to: Buffer,
    record: Buffer,
  ): Promise<Buffer> {
    if (!isSealed(record)) return encodeOctets(to, decodeOctets(from, record));
    const dataKey = await this.#open(source, account);
    return encodeOctets(to, decodeOctets(from, record, dataKey), dataKey);
  }

  async #open(source: Database, account: AccountId): Promise<DataKey> {
    if (this.#opener?.account === account) return this.#opener.key;
    const { keys } = this.#division;
    const row = encodeKey(['dataKey', account]);
    const record = await source.get(row);
    if (!keys || record === undefined) {
      throw new StoreError('STORE_KEY', 'contents are sealed: the configuration has to name keys');
    }
    const { name, wrapped } = decodeWrapped(row, record);
    this.#opener = { account, key: new DataKey(await unwrapped(keys, name, wrapped)) };
    return this.#opener.key;
  }
}

async function* entriesOf(iterator: AsyncIterable<[Buffer, Buffer]>): AsyncGenerator<Entry> {
  for await (const [key, value] of iterator) yield { key, value };
}
