/** A table whose rows are a write-ahead log on a simulated disk, read again at every opening. */

import { crc32 } from 'node:zlib';
import { MemoryTable } from '../../store/memory-table.js';
import { StoreError } from '../../store/store-error.js';
import type { Entry, Operation, Table, TableRange } from '../../store/table.js';
import type { SimulatedDisk } from './disk.js';

/** Length and checksum stand before each record. */
const headBytes = 8;
/** A deletion has this in place of the length of its value. */
const deleted = 0xffffffff;
/** A log above it is written anew. */
const logBytesMax = 4_194_304;
const everything = { from: Buffer.alloc(0), to: Buffer.alloc(64, 0xff), limit: Infinity };

export class LogTable implements Table {
  readonly #disk: SimulatedDisk;
  readonly #rows = new MemoryTable();
  #logBytes = 0;
  #failed = false;
  #isDead = false;

  /** Reads the log up to the first record that is not whole, and cuts it there. */
  constructor(disk: SimulatedDisk) {
    this.#disk = disk;
    this.#open();
  }

  get failed(): boolean {
    return this.#failed;
  }

  ready(): Promise<void> {
    if (this.#isDead) return Promise.reject(closed());
    // All that is durable is known already: this is the only process that writes.
    if (this.#failed) this.#disk.keep(this.#replay(this.#disk.unsynced));
    this.#failed = false;
    return Promise.resolve();
  }

  get(key: Buffer): Buffer | undefined {
    return this.#rows.get(key);
  }

  fetch(key: Buffer): Promise<Buffer | undefined> {
    return this.#rows.fetch(key);
  }

  range(range: TableRange): Promise<Entry[]> {
    return this.#rows.range(range);
  }

  keys(range: TableRange): Promise<Buffer[]> {
    return this.#rows.keys(range);
  }

  async write(operations: readonly Operation[]): Promise<void> {
    if (this.#isDead) throw closed();
    const record = writeRecord(operations);
    try {
      await this.#disk.append(record);
    } catch (error) {
      this.#failed = true;
      throw error;
    }
    // What is durable when the process is gone is for the next one to find.
    if (this.#isDead) throw closed();
    this.#rows.apply(operations);
    this.#logBytes += record.length;
    if (this.#logBytes > logBytesMax) await this.#compact();
  }

  async close(): Promise<void> {
    this.#isDead = true;
    await this.#rows.close();
  }

  #open(): void {
    const log = this.#disk.read();
    this.#disk.replace(log.subarray(0, this.#replay(log)));
  }

  /** Takes the records that are whole, and tells where they end. */
  #replay(log: Buffer): number {
    let at = 0;
    for (let record = readRecord(log, at); record; record = readRecord(log, at)) {
      this.#rows.apply(record.operations);
      at = record.end;
    }
    this.#logBytes += at;
    return at;
  }

  async #compact(): Promise<void> {
    const log = writeRecord(await this.#rows.range(everything));
    if (this.#isDead) return;
    this.#disk.replace(log);
    this.#logBytes = 0;
  }
}

function writeRecord(operations: readonly Operation[]): Buffer {
  const parts: Buffer[] = [];
  for (const { key, value } of operations) {
    const head = Buffer.alloc(headBytes);
    head.writeUInt32BE(key.length, 0);
    head.writeUInt32BE(value?.length ?? deleted, 4);
    parts.push(head, key);
    if (value) parts.push(value);
  }
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE(body.length, 0);
  head.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([head, body]);
}

function readRecord(log: Buffer, at: number): { operations: Operation[]; end: number } | undefined {
  if (at + headBytes > log.length) return undefined;
  const from = at + headBytes;
  const end = from + log.readUInt32BE(at);
  if (end > log.length) return undefined;
  if (crc32(log.subarray(from, end)) !== log.readUInt32BE(at + 4)) return undefined;
  const operations: Operation[] = [];
  for (let next = from; next < end;) {
    const keyEnd = next + headBytes + log.readUInt32BE(next);
    const length = log.readUInt32BE(next + 4);
    const key = log.subarray(next + headBytes, keyEnd);
    next = length === deleted ? keyEnd : keyEnd + length;
    operations.push({ key, value: length === deleted ? undefined : log.subarray(keyEnd, next) });
  }
  return { operations, end };
}

function closed(): StoreError {
  return new StoreError('STORE_CLOSED', 'the store was closed');
}
