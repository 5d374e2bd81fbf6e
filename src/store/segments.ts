/** The files of large contents of a store that is open: written, read, removed, copied. */

import type { FileHandle } from 'node:fs/promises';

import { Gate } from './gate.js';
import { SegmentDirectory } from './segment-directory.js';
import { openSegment, readSlots, slotBytes, withSegments } from './segment-records.js';
import { SegmentWriter } from './segment-writer.js';
import type { Entry } from './table.js';

export interface SegmentsOptions {
  readonly directory: string;
  readonly sync: boolean;
}

/** Of the four threads that Node has for files, LevelDB's included. */
const writersMax = 2;
/** Files open for reading. */
const openMax = 64;
/** Records in memory, 32 MiB, before the disk has to catch up. */
const takenMax = 512;
/** Records in memory that are used again. */
const sparesMax = 64;

interface Opened {
  readonly file: Promise<FileHandle | undefined>;
  users: number;
  dropped: boolean;
}

export class Segments {
  readonly #directory: string;
  readonly #names: SegmentDirectory;
  readonly #sync: boolean;
  readonly #gate = new Gate(writersMax);
  /** The one used last comes last. */
  readonly #opened = new Map<number, Opened>();
  readonly #spares: Buffer[] = [];
  readonly #writers = new Set<SegmentWriter>();
  #taken = 0;
  #holds = 0;
  #freed: () => void = () => undefined;

  constructor({ directory, sync }: SegmentsOptions) {
    this.#directory = directory;
    this.#names = new SegmentDirectory(directory, sync);
    this.#sync = sync;
  }

  writer(number: number, known: Promise<void>): SegmentWriter {
    const place = { directory: this.#names, number, sync: this.#sync, gate: this.#gate };
    const writer = new SegmentWriter({ ...place, known }, () => this.#writers.delete(writer));
    this.#writers.add(writer);
    return writer;
  }

  /** Whether so much waits for the disk that whoever writes has to wait for all of it. */
  get isFull(): boolean {
    return this.#taken > takenMax;
  }

  /** Room for one record, empty. */
  take(): Buffer {
    this.#taken++;
    // Memory that is given back and asked for again is cleared page by page.
    return this.#spares.pop()?.fill(0) ?? Buffer.alloc(slotBytes);
  }

  /** Nobody uses the record any more. */
  giveBack(record: Buffer): void {
    this.#taken--;
    if (this.#spares.length < sparesMax) this.#spares.push(record);
  }

  /** So many slots, fewer at the end; undefined when there is no such file. */
  async read(number: number, index: number, count: number): Promise<Buffer | undefined> {
    const opened = this.#use(number);
    try {
      const file = await opened.file;
      return file && (await readSlots(file, index, count));
    } finally {
      opened.users--;
      close(opened);
    }
  }

  #use(number: number): Opened {
    let opened = this.#opened.get(number);
    this.#opened.delete(number);
    opened ??= { file: openSegment(this.#directory, number), users: 0, dropped: false };
    opened.users++;
    this.#opened.set(number, opened);
    if (this.#opened.size > openMax) {
      const [oldest] = this.#opened.keys();
      this.#drop(oldest!);
    }
    // There may be one the next time.
    opened.file.then(
      (file) => file ?? this.#drop(number),
      () => this.#drop(number),
    );
    return opened;
  }

  #drop(number: number): void {
    const opened = this.#opened.get(number);
    if (!opened) return;
    this.#opened.delete(number);
    opened.dropped = true;
    close(opened);
  }

  /** Whether no file may go. */
  get isHeld(): boolean {
    return this.#holds > 0;
  }

  /** `freed` is called whenever files may go again. */
  whenFree(freed: () => void): void {
    this.#freed = freed;
  }

  /** Nobody will ever read it; it is removed later all the same, when that can be written down. */
  discard(number: number): Promise<void> {
    this.#drop(number);
    return this.#names.discard(number);
  }

  /** Durable when resolved: none of them has a file. */
  remove(numbers: readonly number[]): Promise<void> {
    for (const number of numbers) this.#drop(number);
    return this.#names.remove(numbers);
  }

  /** All entries of a table, with those of the files, as they are when the first one is asked for. */
  async *entries(table: { entries(): AsyncIterable<Entry> }): AsyncGenerator<Entry> {
    this.#holds++;
    try {
      yield* withSegments(this.#directory, table.entries());
    } finally {
      this.#holds--;
      if (this.#holds === 0) this.#freed();
    }
  }

  /** What is not finished stays as it is, for a sweep. */
  async close(): Promise<void> {
    for (const writer of [...this.#writers]) await writer.close();
    for (const number of [...this.#opened.keys()]) this.#drop(number);
  }
}

function close(opened: Opened): void {
  if (!opened.dropped || opened.users > 0) return;
  // It was read only, and nobody could do anything about it.
  void opened.file.then((file) => file?.close()).catch(() => undefined);
}
