/** One content that is written piece by piece, in chunks of which few are in memory. */

import type { AccountId, Upload, UploadId } from '../ports.js';
import type { CommitQueue } from './commit-queue.js';
import { sizeOf } from './commit-queue.js';
import { Coverage } from './coverage.js';
import type { AccountKey } from './encryption/account-keys.js';
import { encodeKey } from './keys.js';
import {
  chunkBytes,
  decodeOctets,
  encodeOctets,
  encodeRow,
  frameOctets,
  recordHeadBytes,
} from './rows.js';
import { recordBytes, recordIn, rowChunks, slotBytes } from './segment-records.js';
import type { SegmentWriter } from './segment-writer.js';
import type { Segments } from './segments.js';
import { StoreError } from './store-error.js';
import type { Operation, Table } from './table.js';

export interface UploadParts {
  readonly account: AccountId;
  readonly begun: number;
  readonly number: number;
  readonly table: Table;
  readonly queue: CommitQueue;
  /** Absent: the store does not seal. */
  readonly key: AccountKey | undefined;
  /** Absent: every chunk is a row. */
  readonly segments: Segments | undefined;
  /** It is over: `aborted` leaves chunks to be removed. */
  readonly over: (aborted: boolean) => Promise<void>;
}

/** Chunks in memory that are not complete. */
const activeChunksMax = 4;
/** Chunks on their way to the disk: so many while the last ones are made durable. */
const flightsMax = 16;
/** Pieces between gaps. */
const piecesMax = 1024;

export class UploadWriter implements Upload {
  readonly id: UploadId;
  readonly #parts: UploadParts;
  /** Records without their heads. */
  readonly #active = new Map<number, Buffer>();
  readonly #coverage = new Coverage();
  /** Never reject: a failure is noted. */
  readonly #flights = new Set<Promise<void>>();
  #segment: SegmentWriter | undefined;
  #tail: Promise<void> = Promise.resolve();
  #queued = 0;
  /** Durable when resolved: the store knows of the upload. */
  #known: Promise<void> | undefined;
  #finished = false;
  #failure: StoreError | undefined;

  constructor(id: UploadId, parts: UploadParts) {
    this.id = id;
    this.#parts = parts;
  }

  get begun(): number {
    return this.#parts.begun;
  }

  get number(): number {
    return this.#parts.number;
  }

  write(offset: number, bytes: Buffer): void | Promise<void> {
    try {
      this.#check();
      if (!Number.isSafeInteger(offset) || offset < 0) {
        throw new StoreError('STORE_INVALID', 'an upload is written at whole, positive offsets');
      }
      if (bytes.length === 0) return;
      const isRoomy = this.#queued === 0 && this.#parts.queue.isRoomy;
      if (isRoomy && !this.#needsRead(offset, bytes.length)) {
        this.#place(offset, bytes);
        return this.#hasRoom() ? undefined : this.#room();
      }
    } catch (error) {
      const reason = error as StoreError;
      return Promise.reject(reason);
    }
    const copy = Buffer.from(bytes);
    return this.#inTurn(async () => {
      await this.#parts.queue.roomy();
      await this.#readParts(offset, copy.length);
      this.#check();
      this.#place(offset, copy);
      await this.#room();
    });
  }

  #check(): void {
    if (this.#failure) throw this.#failure;
    if (this.#finished) throw new StoreError('STORE_INVALID', 'the upload was finished');
  }

  #inTurn(task: () => Promise<void>): Promise<void> {
    this.#queued++;
    const done = this.#tail.then(task).finally(() => {
      this.#queued--;
    });
    // Each caller hears of its own failure; the next one begins in any case.
    this.#tail = done.catch(() => undefined);
    return done;
  }

  /** Some chunk of this range has left memory with octets that are still wanted. */
  #needsRead(offset: number, length: number): boolean {
    for (let at = offset; at < offset + length; at = nextChunk(at)) {
      if (this.#isStored(Math.floor(at / chunkBytes))) return true;
    }
    return false;
  }

  #isStored(index: number): boolean {
    const start = index * chunkBytes;
    return !this.#active.has(index) && this.#coverage.touches(start, start + chunkBytes);
  }

  async #readParts(offset: number, length: number): Promise<void> {
    for (let at = offset; at < offset + length; at = nextChunk(at)) {
      const index = Math.floor(at / chunkBytes);
      if (this.#isStored(index)) await this.#read(index);
    }
  }

  async #read(index: number): Promise<void> {
    await this.#landed();
    this.#check();
    const { table, number, key } = this.#parts;
    if (table.failed) await table.ready();
    const chunk = encodeKey(['chunk', number, index]);
    const slot = this.#isInFile(index) && (await this.#parts.segments!.read(number, index, 1));
    const record = slot ? recordIn(slot) : await table.fetch(chunk);
    this.#check();
    if (record === undefined) throw new StoreError('STORE_DAMAGED', 'a chunk is missing');
    octetsIn(this.#activate(index)).set(decodeOctets(chunk, record, key?.dataKey));
  }

  #isInFile(index: number): boolean {
    return this.#parts.segments !== undefined && index >= rowChunks;
  }

  #activate(index: number): Buffer {
    const active = this.#active.get(index);
    if (active) return active;
    if (this.#active.size >= activeChunksMax) {
      const [oldest] = this.#active.keys();
      this.#flush(oldest!, chunkBytes);
    }
    const record = this.#parts.segments?.take() ?? Buffer.alloc(slotBytes);
    this.#active.set(index, record);
    return record;
  }

  #place(offset: number, bytes: Buffer): void {
    const end = offset + bytes.length;
    for (let at = offset; at < end; at = nextChunk(at)) {
      const index = Math.floor(at / chunkBytes);
      const start = index * chunkBytes;
      const until = Math.min(end, start + chunkBytes);
      bytes.copy(this.#activate(index), recordHeadBytes + at - start, at - offset, until - offset);
      this.#coverage.add(at, until);
      if (this.#coverage.has(start, start + chunkBytes)) this.#flush(index, chunkBytes);
    }
    if (this.#coverage.pieces > piecesMax) {
      throw this.#fail(new StoreError('STORE_UNAVAILABLE', 'an upload has too many gaps'));
    }
  }

  #flush(index: number, size: number): void {
    const slot = this.#active.get(index)!;
    const key = encodeKey(['chunk', this.#parts.number, index]);
    const value = this.#recordOf(key, slot, size);
    const flight = this.#isInFile(index)
      ? this.#intoFile(index, value, slot)
      : this.#put([{ key, value }]);
    this.#active.delete(index);
    const landed = flight
      .catch((error: unknown) => void this.#fail(error))
      .finally(() => {
        this.#parts.segments?.giveBack(slot);
        this.#flights.delete(landed);
      });
    this.#flights.add(landed);
  }

  #recordOf(key: Buffer, slot: Buffer, size: number): Buffer {
    const dataKey = this.#parts.key?.dataKey;
    const record = slot.subarray(0, recordHeadBytes + size);
    if (dataKey) return encodeOctets(key, record.subarray(recordHeadBytes), dataKey);
    frameOctets(key, record);
    return record;
  }

  /** Records that fill their slots can go together. */
  #intoFile(index: number, record: Buffer, slot: Buffer): Promise<void> {
    const { number, segments } = this.#parts;
    this.#segment ??= segments!.writer(number, this.#known ?? this.#put([]));
    const isWhole = record.length === recordHeadBytes + chunkBytes;
    return this.#segment.write(index, isWhole ? slot : record);
  }

  /** With what has to be there for the store to know of them. */
  #put(chunks: readonly Operation[]): Promise<void> {
    const operations = [...chunks, ...this.#keyRow()];
    if (!this.#known) operations.push(this.#row(-1));
    const bytes = sizeOf(operations);
    try {
      this.#parts.queue.admit(bytes);
    } catch (error) {
      throw this.#fail(error);
    }
    const written = this.#parts.queue
      .write(operations, bytes)
      .then(() => this.#parts.key?.written());
    // Whoever waits for it hears of it.
    written.catch(() => undefined);
    this.#known ??= written;
    return written;
  }

  /** Nobody could read the chunks without it. */
  #keyRow(): Operation[] {
    const row = this.#parts.key?.unwritten;
    return row ? [row] : [];
  }

  /** `size` is -1 until the upload is finished. */
  #row(size: number): Operation {
    const key = encodeKey(['upload', this.#parts.begun, this.#parts.number]);
    return { key, value: encodeRow(key, [this.#parts.account, size]) };
  }

  #fail(error: unknown): StoreError {
    this.#failure ??=
      error instanceof StoreError
        ? error
        : new StoreError('STORE_UNAVAILABLE', 'an upload failed', error);
    return this.#failure;
  }

  #hasRoom(): boolean {
    return this.#flights.size <= (this.#parts.segments?.isFull ? 1 : flightsMax);
  }

  /** Holds the writer back while too many chunks are on their way. */
  async #room(): Promise<void> {
    const left = this.#parts.segments?.isFull ? 0 : flightsMax / 2;
    if (!this.#hasRoom()) await this.#landed(left);
    if (this.#failure) throw this.#failure;
  }

  /** Until no more than `left` are on their way. */
  async #landed(left = 0): Promise<void> {
    while (this.#flights.size > left) {
      this.#segment?.flush();
      const [oldest] = this.#flights;
      await oldest;
    }
  }

  finish(total: number): Promise<void> {
    return this.#inTurn(async () => {
      this.#check();
      if (!this.#coverage.has(0, total) || this.#coverage.end !== total) {
        throw new StoreError('STORE_INVALID', 'an upload is not as long as it should be');
      }
      const last = Math.max(0, Math.ceil(total / chunkBytes) - 1);
      const rest = total - last * chunkBytes;
      // A chunk that left memory unfinished is longer than the content: it is cut.
      if (rest < chunkBytes && this.#isStored(last)) await this.#read(last);
      await this.#landed();
      await this.#parts.queue.roomy();
      this.#check();
      if (this.#isInFile(last)) await this.#finishFile(last, rest);
      const operations: Operation[] = [];
      for (const [index, slot] of this.#active) {
        const key = encodeKey(['chunk', this.#parts.number, index]);
        const size = index === last ? rest : chunkBytes;
        operations.push({ key, value: this.#recordOf(key, slot, size) });
      }
      operations.push(this.#row(total), ...this.#keyRow());
      const bytes = sizeOf(operations);
      this.#parts.queue.admit(bytes);
      this.#finished = true;
      try {
        await this.#parts.queue.write(operations, bytes);
      } catch (error) {
        throw this.#fail(error);
      }
      this.#forget();
      await this.#parts.over(false);
    });
  }

  async #finishFile(last: number, rest: number): Promise<void> {
    for (const index of [...this.#active.keys()]) {
      if (this.#isInFile(index)) this.#flush(index, index === last ? rest : chunkBytes);
    }
    await this.#landed();
    this.#check();
    try {
      await this.#segment!.finish(last, recordBytes(rest, this.#parts.key !== undefined));
    } catch (error) {
      throw this.#fail(error);
    }
  }

  #forget(): void {
    for (const slot of this.#active.values()) this.#parts.segments?.giveBack(slot);
    this.#active.clear();
  }

  async abort(): Promise<void> {
    await this.end('aborted');
  }

  /** Makes every later call fail with STORE_GONE and condemns what was written. */
  async end(how: 'aborted' | 'swept'): Promise<void> {
    if (this.#failure?.code === 'STORE_GONE') return;
    this.#failure = new StoreError('STORE_GONE', `the upload was ${how}`);
    await this.#tail;
    await this.#landed();
    await this.#segment?.close();
    // A disk that is full may not take the row that condemns it before it has the room.
    if (this.#segment && !this.#finished) await this.#parts.segments!.discard(this.#parts.number);
    this.#forget();
    await this.#parts.over(this.#known !== undefined);
  }
}

function octetsIn(slot: Buffer): Buffer {
  return slot.subarray(recordHeadBytes, recordHeadBytes + chunkBytes);
}

function nextChunk(at: number): number {
  return (Math.floor(at / chunkBytes) + 1) * chunkBytes;
}
