/** All uploads: begun, finished, kept by a commit, swept away. */

import type { AccountId, Clock, Upload, UploadId } from '../ports.js';
import type { CommitQueue } from './commit-queue.js';
import { sizeOf } from './commit-queue.js';
import type { Large } from './contents.js';
import type { AccountKeys } from './encryption/account-keys.js';
import { decodeKey, encodeKey, uploadRange } from './keys.js';
import type { Reclaimer } from './reclaimer.js';
import { condemn } from './reclaimer.js';
import { decodeRow } from './rows.js';
import { StoreError } from './store-error.js';
import type { Segments } from './segments.js';
import type { Operation, Table } from './table.js';
import { UploadWriter } from './upload.js';

export interface UploadsParts {
  readonly table: Table;
  readonly queue: CommitQueue;
  readonly reclaimer: Reclaimer;
  readonly clock: Pick<Clock, 'now'>;
  readonly draw: () => number;
  readonly uploadsMax: number;
  /** Absent: the store does not seal. */
  readonly keys: AccountKeys | undefined;
  /** Absent: every chunk is a row. */
  readonly segments: Segments | undefined;
}

/** Uploads condemned in one batch. */
const sweptAtOnce = 256;

export class Uploads {
  readonly #parts: UploadsParts;
  readonly #live = new Map<UploadId, UploadWriter>();
  /** Numbers a commit on its way keeps, and numbers that are being condemned. */
  readonly #keeping = new Set<number>();
  readonly #condemning = new Set<number>();
  /** Whose keys are held for which uploads. */
  readonly #held = new Map<number, AccountId>();

  constructor(parts: UploadsParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#live.size;
  }

  async begin(account: AccountId): Promise<Upload> {
    const { table, queue, keys, segments, uploadsMax } = this.#parts;
    // Refuses an account no key can hold.
    encodeKey(['wakeAt', account]);
    const key = await keys?.hold(account, 'upload');
    if (this.#live.size >= uploadsMax) {
      keys?.release(account, 'upload');
      throw new StoreError('STORE_UNAVAILABLE', 'too many uploads are open');
    }
    // 0 stands for what is condemned.
    const begun = Math.max(1, Math.floor(this.#parts.clock.now()));
    const number = this.#parts.draw();
    const id = `${begun}-${number}`;
    if (key) this.#held.set(number, account);
    const over = (aborted: boolean): Promise<void> => this.#over(id, begun, number, aborted);
    const parts = { account, begun, number, table, queue, key, segments, over };
    const writer = new UploadWriter(id, parts);
    this.#live.set(id, writer);
    return writer;
  }

  async #over(id: UploadId, begun: number, number: number, aborted: boolean): Promise<void> {
    this.#live.delete(id);
    if (aborted) this.#release(number);
    if (!aborted || this.#isTaken(number)) return;
    // A commit whose outcome is unknown may have kept it: what is so can be read after that alone.
    if (this.#parts.table.failed) await this.#parts.table.ready();
    if (this.#isTaken(number)) return;
    // Without a row, a commit has kept it.
    if (this.#parts.table.get(encodeKey(['upload', begun, number])) === undefined) return;
    await this.#condemn([{ begun, number }]);
    await this.#parts.reclaimer.run();
  }

  async #condemn(uploads: readonly Found[]): Promise<void> {
    const operations: Operation[] = [];
    for (const { begun, number } of uploads) {
      operations.push({ key: encodeKey(['upload', begun, number]), value: undefined });
      operations.push(condemn(number));
    }
    const bytes = sizeOf(operations);
    this.#parts.queue.admit(bytes);
    for (const { number } of uploads) this.#condemning.add(number);
    try {
      await this.#parts.queue.write(operations, bytes);
    } finally {
      for (const { number } of uploads) {
        this.#condemning.delete(number);
        this.#release(number);
      }
    }
  }

  /**
   * The chunks of a finished upload of this account, for a commit that keeps them; call `kept` when
   * that commit is settled.
   */
  keep(account: AccountId, id: UploadId): { large: Large; operation: Operation } {
    const { begun, number } = parseId(id);
    if (this.#live.has(id)) throw new StoreError('STORE_INVALID', 'the upload is not finished');
    const key = encodeKey(['upload', begun, number]);
    const record = this.#parts.table.get(key);
    if (record === undefined || this.#keeping.has(number) || this.#condemning.has(number)) {
      throw new StoreError('STORE_GONE', 'there is no such upload');
    }
    const value: unknown = decodeRow(key, record);
    if (!Array.isArray(value)) throw new StoreError('STORE_DAMAGED', 'an upload is no list');
    const [owner, size] = value as unknown[];
    if (owner !== account || typeof size !== 'number' || size < 0) {
      throw new StoreError('STORE_INVALID', 'the upload is not finished or not of this account');
    }
    this.#keeping.add(number);
    return { large: { number, size }, operation: { key, value: undefined } };
  }

  kept(number: number): void {
    this.#keeping.delete(number);
    this.#release(number);
  }

  #release(number: number): void {
    const account = this.#held.get(number);
    if (account === undefined) return;
    this.#held.delete(number);
    this.#parts.keys?.release(account, 'upload');
  }

  /** Drops uploads begun before `before` that no commit kept; returns how many. */
  async sweep(before: number): Promise<number> {
    let swept = 0;
    for (const writer of [...this.#live.values()]) {
      if (writer.begun >= before) continue;
      await writer.end('swept');
      swept++;
    }
    const limit = Math.min(Number.MAX_SAFE_INTEGER, Math.max(1, Math.ceil(before)));
    let from: Buffer | undefined;
    for (;;) {
      if (this.#parts.table.failed) await this.#parts.table.ready();
      const range = uploadRange(1, limit);
      const keys = await this.#parts.table.keys({
        from: from ?? range.from,
        to: range.to,
        limit: sweptAtOnce,
      });
      const last = keys.at(-1);
      if (!last) break;
      // The least key behind the last one seen: those a commit is about to keep are passed over.
      from = Buffer.concat([last, Buffer.from([0])]);
      const found = keys.map(decodeUpload).filter(({ number }) => !this.#isTaken(number));
      if (found.length > 0) await this.#condemn(found);
      swept += found.length;
    }
    await this.#parts.reclaimer.run();
    return swept;
  }

  #isTaken(number: number): boolean {
    return this.#keeping.has(number) || this.#condemning.has(number);
  }
}

interface Found {
  readonly begun: number;
  readonly number: number;
}

function decodeUpload(key: Buffer): Found {
  const decoded = decodeKey(key);
  if (decoded[0] !== 'upload') throw new StoreError('STORE_DAMAGED', 'a key is none of an upload');
  return { begun: decoded[1], number: decoded[2] };
}

function parseId(id: UploadId): Found {
  const match = /^([1-9]\d{0,15})-([1-9]\d{0,15})$/.exec(id);
  if (!match) throw new StoreError('STORE_GONE', 'there is no such upload');
  return { begun: Number(match[1]), number: Number(match[2]) };
}
