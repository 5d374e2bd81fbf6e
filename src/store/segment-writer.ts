/** Writes the file of one large content, record by record, a few at a time. */

import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

import type { Gate } from './gate.js';
import type { SegmentDirectory } from './segment-directory.js';
import { slotBytes, slotStart } from './segment-records.js';
import { StoreError } from './store-error.js';

export interface SegmentPlace {
  readonly directory: SegmentDirectory;
  readonly number: number;
  /** Whether what is written has to survive a power cut. */
  readonly sync: boolean;
  /** How many touch the disk at the same time, of all contents. */
  readonly gate: Gate;
  /** The store knows of the upload: before, a crash would leave a file that nobody removes. */
  readonly known: Promise<void>;
}

interface Piece {
  readonly index: number;
  readonly record: Buffer;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Records that are waited for, so that they go together: a call costs more than their copy. */
const recordsTogether = 4;
/**
 * Octets after which the disk is asked to have them, while the next ones are written: the end of a
 * large message waits for little, and so do the commits of others.
 */
const syncBytes = 4_194_304;

export class SegmentWriter {
  readonly #place: SegmentPlace;
  readonly #closed: () => void;
  #file: Promise<FileHandle> | undefined;
  #waiting: Piece[] = [];
  #running: Promise<void> | undefined;
  #unsynced = 0;
  /** Of the directory, before the file had its name. */
  #failures = 0;
  /** Stays rejected: what a failed sync leaves behind is unknown. */
  #syncing: Promise<void> | undefined;

  /** `closed` is called when it holds no file any more. */
  constructor(place: SegmentPlace, closed: () => void) {
    this.#place = place;
    this.#closed = closed;
  }

  /** Resolves when it is in the file, not durable yet, which may wait for `flush`. */
  write(index: number, record: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ index, record, resolve, reject });
      if (this.#waiting.length >= recordsTogether) this.flush();
    });
  }

  /** Begins to write what waits for more. */
  flush(): void {
    if (this.#waiting.length > 0) this.#running ??= this.#run();
  }

  /** After the last write, whose record ends the file. Durable when resolved. */
  async finish(index: number, recordBytes: number): Promise<void> {
    await this.#running;
    const file = await this.#opened();
    // A record that left memory unfinished is as long as the others.
    await file.truncate(slotStart(index) + recordBytes);
    await this.#syncing;
    await this.#sync(file);
    await this.#place.directory.sync(this.#failures);
    this.#end();
    await file.close();
  }

  /** Nothing is written any more, and nothing may be. */
  async close(): Promise<void> {
    this.flush();
    await this.#running;
    await this.#syncing?.catch(() => undefined);
    // Who writes has heard why it could not be opened; nothing is kept that a close could lose.
    const file = this.#file;
    this.#end();
    await file?.then((opened) => opened.close()).catch(() => undefined);
  }

  #end(): void {
    this.#file = Promise.reject(new StoreError('STORE_CLOSED', 'a content takes nothing more'));
    this.#file.catch(() => undefined);
    this.#closed();
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const pieces = this.#take();
      try {
        await this.#write(pieces);
        for (const { resolve } of pieces) resolve();
      } catch (error) {
        const failure = new StoreError('STORE_UNAVAILABLE', 'a content cannot be written', error);
        for (const { reject } of pieces) reject(failure);
      }
    }
    this.#running = undefined;
  }

  /** Those that stand one behind the other. */
  #take(): Piece[] {
    const { index } = this.#waiting[0]!;
    const end = this.#waiting.findIndex((piece, at) => piece.index !== index + at);
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end);
  }

  async #write(pieces: readonly Piece[]): Promise<void> {
    const file = await this.#opened();
    const records = pieces.map(({ record }) => record);
    const start = slotStart(pieces[0]!.index);
    await this.#place.gate.through(() => writeAll(file, records, start));
    this.#unsynced += records.length * slotBytes;
    if (this.#unsynced < syncBytes) return;
    await this.#syncing;
    this.#unsynced = 0;
    this.#syncing = this.#sync(file);
    // Whoever comes next hears of it.
    this.#syncing.catch(() => undefined);
  }

  #opened(): Promise<FileHandle> {
    this.#file ??= this.#open();
    return this.#file;
  }

  async #open(): Promise<FileHandle> {
    const { directory, number, known } = this.#place;
    await known;
    await directory.made();
    this.#failures = directory.failures;
    return open(directory.path(number), 'wx', 0o600);
  }

  async #sync(file: FileHandle): Promise<void> {
    if (this.#place.sync) await this.#place.gate.through(() => file.datasync());
  }
}

/** A system that is short of room may take less than it is given, and says why at the next call. */
async function writeAll(
  file: FileHandle,
  records: readonly Buffer[],
  position: number,
): Promise<void> {
  let rest = records;
  let at = position;
  while (rest.length > 0) {
    const { bytesWritten } = await file.writev(rest as Buffer[], at);
    at += bytesWritten;
    rest = behind(rest, bytesWritten);
  }
}

function behind(records: readonly Buffer[], octets: number): readonly Buffer[] {
  let left = octets;
  for (const [at, record] of records.entries()) {
    if (left < record.length) return [record.subarray(left), ...records.slice(at + 1)];
    left -= record.length;
  }
  return [];
}
