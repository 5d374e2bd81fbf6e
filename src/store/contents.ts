/** Contents of messages: small ones in a record of their own, large ones in chunks. */

import type { AccountId, Content } from '../ports.js';
import type { DataKey } from './encryption/data-key.js';
import { encodeKey } from './keys.js';
import { chunkBytes, decodeOctets, decodeRow, encodeOctets, encodeRow } from './rows.js';
import { recordIn, rowChunks, slotBytes } from './segment-records.js';
import type { Segments } from './segments.js';
import { StoreError } from './store-error.js';
import type { Operation, Table } from './table.js';

/** Where the chunks of a large content are. */
export interface Large {
  /** Of the upload that wrote the chunks. */
  readonly number: number;
  readonly size: number;
}

export function encodeLarge(key: Buffer, { number, size }: Large): Buffer {
  return encodeRow(key, [number, size]);
}

export function decodeLarge(key: Buffer, record: Buffer): Large {
  const value: unknown = decodeRow(key, record);
  if (Array.isArray(value)) {
    const [number, size] = value as unknown[];
    if (isCount(number) && isCount(size)) return { number, size };
  }
  throw new StoreError('STORE_DAMAGED', 'a content does not say where its chunks are');
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** Adds the rows of a content that is whole in memory; `draw` numbers one that needs chunks. */
export function addContent(
  operations: Operation[],
  account: AccountId,
  serial: number,
  octets: Buffer,
  draw: () => number,
  dataKey?: DataKey,
): void {
  if (octets.length <= chunkBytes) {
    const key = encodeKey(['content', account, serial]);
    operations.push({ key, value: encodeOctets(key, octets, dataKey) });
    return;
  }
  const large = { number: draw(), size: octets.length };
  for (let at = 0; at < octets.length; at += chunkBytes) {
    const key = encodeKey(['chunk', large.number, at / chunkBytes]);
    const chunk = octets.subarray(at, at + chunkBytes);
    operations.push({ key, value: encodeOctets(key, chunk, dataKey) });
  }
  for (const row of largeRows(account, serial, large)) operations.push(row);
}

/** Rows that make a content of chunks that are there. */
export function largeRows(account: AccountId, serial: number, large: Large): Operation[] {
  const key = encodeKey(['large', account, serial]);
  return [
    { key: encodeKey(['content', account, serial]), value: undefined },
    { key, value: encodeLarge(key, large) },
  ];
}

export interface ContentSource {
  readonly table: Table;
  /** Absent: every chunk is a row. */
  readonly segments?: Segments | undefined;
}

export function readContent(
  source: ContentSource,
  account: AccountId,
  serial: number,
  dataKey: DataKey | undefined,
): Content | undefined {
  const { table } = source;
  const largeKey = encodeKey(['large', account, serial]);
  const key = encodeKey(['content', account, serial]);
  const record = table.get(key);
  if (record !== undefined) return new SmallContent(decodeOctets(key, record, dataKey));
  const largeRecord = table.get(largeKey);
  if (largeRecord === undefined) return undefined;
  const large = decodeLarge(largeKey, largeRecord);
  return new LargeContent(source, large, largeKey, dataKey);
}

class SmallContent implements Content {
  readonly #octets: Buffer;

  constructor(octets: Buffer) {
    this.#octets = octets;
  }

  get size(): number {
    return this.#octets.length;
  }

  read(offset: number, length: number): Buffer {
    checkRead(offset, length);
    return this.#octets.subarray(offset, offset + length);
  }
}

/** Chunks read at a time from a file: a call costs more than the copy of one. */
const chunksAtOnce = 4;

/** Keeps the chunks that were read last, because MSRP takes less than a chunk at a time. */
class LargeContent implements Content {
  readonly size: number;
  readonly #source: ContentSource;
  readonly #number: number;
  /** The record that says where the chunks are, to tell a dropped content from a damaged one. */
  readonly #key: Buffer;
  readonly #dataKey: DataKey | undefined;
  #first = -1;
  #chunks: readonly Buffer[] = [];
  #reading: Promise<readonly Buffer[]> | undefined;

  constructor(source: ContentSource, large: Large, key: Buffer, dataKey: DataKey | undefined) {
    this.size = large.size;
    this.#source = source;
    this.#number = large.number;
    this.#key = key;
    this.#dataKey = dataKey;
  }

  /** At once when it is in memory already. */
  read(offset: number, length: number): Buffer | Promise<Buffer> {
    checkRead(offset, length);
    const end = Math.min(offset + length, this.size);
    if (offset >= end) return Buffer.alloc(0);
    const index = Math.floor(offset / chunkBytes);
    const chunk = this.#chunks[index - this.#first];
    const start = index * chunkBytes;
    if (chunk && end <= start + chunkBytes) return chunk.subarray(offset - start, end - start);
    return this.#readParts(offset, end);
  }

  async #readParts(offset: number, end: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let at = offset; at < end;) {
      const index = Math.floor(at / chunkBytes);
      const start = index * chunkBytes;
      const chunk = await this.#at(index);
      const part = chunk.subarray(at - start, Math.min(end - start, chunk.length));
      parts.push(part);
      at += part.length;
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  async #at(index: number): Promise<Buffer> {
    for (;;) {
      const chunk = this.#chunks[index - this.#first];
      if (chunk) return chunk;
      if (this.#reading) {
        // Whoever asked for it hears how it went.
        await this.#reading.catch(() => undefined);
        continue;
      }
      this.#reading = this.#fetch(index).finally(() => (this.#reading = undefined));
      this.#chunks = await this.#reading;
      this.#first = index;
    }
  }

  async #fetch(index: number): Promise<readonly Buffer[]> {
    const { table, segments } = this.#source;
    if (table.failed) await table.ready();
    if (segments && index >= rowChunks) {
      const slots = await segments.read(this.#number, index, chunksAtOnce);
      if (slots && slots.length > 0) return this.#slots(index, slots);
    }
    const record = await table.fetch(encodeKey(['chunk', this.#number, index]));
    if (record !== undefined) return [this.#octets(index, record)];
    if ((await table.fetch(this.#key)) === undefined) {
      throw new StoreError('STORE_GONE', 'the content was dropped');
    }
    throw damaged();
  }

  #slots(first: number, slots: Buffer): readonly Buffer[] {
    const chunks: Buffer[] = [];
    for (let at = 0; at < slots.length; at += slotBytes) {
      const slot = slots.subarray(at, at + slotBytes);
      chunks.push(this.#octets(first + chunks.length, recordIn(slot)));
    }
    return chunks;
  }

  #octets(index: number, record: Buffer): Buffer {
    const expected = Math.min(chunkBytes, this.size - index * chunkBytes);
    const key = encodeKey(['chunk', this.#number, index]);
    const octets = decodeOctets(key, record, this.#dataKey);
    if (octets.length === expected) return octets;
    throw damaged();
  }
}

function damaged(): StoreError {
  return new StoreError('STORE_DAMAGED', 'a chunk of a content is missing or too short');
}

function checkRead(offset: number, length: number): void {
  if (isCount(offset) && isCount(length)) return;
  throw new StoreError('STORE_INVALID', 'a content is read at whole, positive offsets');
}
