/** Removes the chunks of contents that were dropped, a few at a time, going on after a restart. */

import type { Log } from '../ports.js';
import type { CommitQueue } from './commit-queue.js';
import { sizeOf } from './commit-queue.js';
import { chunkRange, decodeKey, encodeKey, uploadRange } from './keys.js';
import { encodeOctets } from './rows.js';
import type { Segments } from './segments.js';
import type { Operation, Table } from './table.js';

/** Chunks deleted in one batch. */
const chunksAtOnce = 256;
/** Condemned uploads looked up at once. */
const uploadsAtOnce = 64;
const nothing = Buffer.alloc(0);

/** A row under which the chunks of upload `number` wait for their removal. */
export function condemn(number: number): Operation {
  const key = encodeKey(['upload', 0, number]);
  return { key, value: encodeOctets(key, nothing) };
}

export class Reclaimer {
  readonly #table: Table;
  readonly #queue: CommitQueue;
  readonly #log: Log;
  readonly #segments: Segments | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  constructor(table: Table, queue: CommitQueue, log: Log, segments?: Segments) {
    this.#table = table;
    this.#queue = queue;
    this.#log = log;
    this.#segments = segments;
    segments?.whenFree(() => void this.run());
  }

  /** Removes what is condemned. Never rejects: what is left waits for the next time. */
  run(): Promise<void> {
    this.#again = true;
    this.#running ??= this.#loop();
    return this.#running;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #loop(): Promise<void> {
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        await this.#pass();
      }
    } catch (error) {
      if (!this.#stopped) this.#log.warn({ error }, 'dropped contents are not removed yet');
    }
    this.#running = undefined;
  }

  async #pass(): Promise<void> {
    while (!this.#segments?.isHeld) {
      if (this.#table.failed) await this.#table.ready();
      const keys = await this.#table.keys({ ...uploadRange(0, 1), limit: uploadsAtOnce });
      if (keys.length === 0) return;
      const numbers = keys.flatMap((key) => {
        const decoded = decodeKey(key);
        return decoded[0] === 'upload' ? [decoded[2]] : [];
      });
      for (const number of numbers) await this.#remove(number);
      // Whoever copies the store still reads the files: the rest waits for its end.
      if (this.#stopped || this.#segments?.isHeld) return;
      await this.#segments?.remove(numbers);
      await this.#write(keys.map((key) => ({ key, value: undefined })));
      if (this.#stopped) return;
    }
  }

  async #remove(number: number): Promise<void> {
    while (!this.#stopped) {
      const keys = await this.#table.keys({ ...chunkRange(number), limit: chunksAtOnce });
      if (keys.length === 0) return;
      await this.#write(keys.map((key) => ({ key, value: undefined })));
    }
  }

  async #write(operations: readonly Operation[]): Promise<void> {
    if (this.#stopped) return;
    const bytes = sizeOf(operations);
    this.#queue.admit(bytes);
    await this.#queue.write(operations, bytes);
  }
}
