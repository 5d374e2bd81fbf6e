/** One content that is written piece by piece, in chunks of which few are in memory. */

import type { AccountId, Upload, UploadId } from '../ports.js';
import type { CommitQueue } from './commit-queue.js';
import { sizeOf } from './commit-queue.js';
import { chunkBytes } from './contents.js';
import { Coverage } from './coverage.js';
import type { AccountKey } from './encryption/account-keys.js';
import { encodeKey } from './keys.js';
import { decodeOctets, encodeOctets, encodeRow } from './rows.js';
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
  /** It is over: `aborted` leaves chunks to be removed. */
  readonly over: (aborted: boolean) => Promise<void>;
}

/** Chunks in memory that are not complete. */
const activeChunksMax = 4;
/** Chunks on their way to the disk. */
const flightsMax = 8;
/** Pieces between gaps. */
const piecesMax = 1024;

export class UploadWriter implements Upload {
  readonly id: UploadId;
  readonly #parts: UploadParts;
  readonly #active = new Map<number, Buffer>();
  readonly #coverage = new Coverage();
  readonly #flights: Promise<void>[] = [];
  #tail: Promise<void> = Promise.resolve();
  #queued = 0;
  #hasRow = false;
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

  /** `bytes` may be reused as soon as this has returned. */
  async write(offset: number, bytes: Buffer): Promise<void> {
    this.#check();
    if (!Number.isSafeInteger(offset) || offset < 0) {
      throw new StoreError('STORE_INVALID', 'an upload is written at whole, positive offsets');
    }
    if (bytes.length === 0) return;
    const isRoomy = this.#queued === 0 && this.#parts.queue.isRoomy;
    if (isRoomy && !this.#needsRead(offset, bytes.length)) {
      this.#place(offset, bytes);
      await this.#room();
    } else {
      const copy = Buffer.from(bytes);
      await this.#inTurn(async () => {
        await this.#parts.queue.roomy();
        await this.#readParts(offset, copy.length);
        this.#check();
        this.#place(offset, copy);
        await this.#room();
      });
    }
    if (this.#failure) throw this.#failure;
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
    if (this.#parts.table.failed) await this.#parts.table.ready();
    const key = encodeKey(['chunk', this.#parts.number, index]);
    const record = await this.#parts.table.fetch(key);
    this.#check();
    if (record === undefined) throw new StoreError('STORE_DAMAGED', 'a chunk is missing');
    this.#activate(index).set(decodeOctets(key, record, this.#parts.key?.dataKey));
  }

  #activate(index: number): Buffer {
    const active = this.#active.get(index);
    if (active) return active;
    if (this.#active.size >= activeChunksMax) {
      const [oldest] = this.#active.keys();
      this.#flush(oldest!);
    }
    const chunk = Buffer.alloc(chunkBytes);
    this.#active.set(index, chunk);
    return chunk;
  }

  #place(offset: number, bytes: Buffer): void {
    const end = offset + bytes.length;
    for (let at = offset; at < end; at = nextChunk(at)) {
      const index = Math.floor(at / chunkBytes);
      const start = index * chunkBytes;
      const until = Math.min(end, start + chunkBytes);
      bytes.copy(this.#activate(index), at - start, at - offset, until - offset);
      this.#coverage.add(at, until);
      if (this.#coverage.has(start, start + chunkBytes)) this.#flush(index);
    }
    if (this.#coverage.pieces > piecesMax) {
      throw this.#fail(new StoreError('STORE_UNAVAILABLE', 'an upload has too many gaps'));
    }
  }

  #flush(index: number): void {
    const operations = [this.#chunkRow(index, chunkBytes), ...this.#keyRow()];
    if (!this.#hasRow) operations.push(this.#row(-1));
    const bytes = sizeOf(operations);
    try {
      this.#parts.queue.admit(bytes);
    } catch (error) {
      throw this.#fail(error);
    }
    this.#active.delete(index);
    this.#hasRow = true;
    const flight = this.#parts.queue.write(operations, bytes).then(
      () => this.#parts.key?.written(),
      (error: unknown) => void this.#fail(error),
    );
    this.#flights.push(flight);
  }

  #chunkRow(index: number, size: number): Operation {
    const key = encodeKey(['chunk', this.#parts.number, index]);
    const octets = this.#active.get(index)!.subarray(0, size);
    return { key, value: encodeOctets(key, octets, this.#parts.key?.dataKey) };
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

  /** Holds the writer back while too many chunks are on their way. */
  async #room(): Promise<void> {
    while (this.#flights.length > flightsMax) await this.#flights.shift();
  }

  async #landed(): Promise<void> {
    while (this.#flights.length > 0) await this.#flights.shift();
  }

  finish(total: number): Promise<void> {
    return this.#inTurn(async () => {
      this.#check();
      if (!this.#coverage.has(0, total) || this.#coverage.end !== total) {
        throw new StoreError('STORE_INVALID', 'an upload is not as long as it should be');
      }
      const last = Math.floor(total / chunkBytes);
      const rest = total - last * chunkBytes;
      // A chunk that left memory unfinished is longer than the content: it is cut.
      if (rest > 0 && this.#isStored(last)) await this.#read(last);
      await this.#landed();
      await this.#parts.queue.roomy();
      this.#check();
      const operations: Operation[] = [];
      for (const index of this.#active.keys()) {
        operations.push(this.#chunkRow(index, index === last ? rest : chunkBytes));
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
      this.#hasRow = true;
      this.#active.clear();
      await this.#parts.over(false);
    });
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
    this.#active.clear();
    await this.#parts.over(this.#hasRow);
  }
}

function nextChunk(at: number): number {
  return (Math.floor(at / chunkBytes) + 1) * chunkBytes;
}
