/** Numbers that are used once in the life of a store: versions and uploads, taken in blocks. */

import { counterRow, readCounter } from './counters.js';
import { encodeKey } from './keys.js';
import { StoreError } from './store-error.js';
import type { Operation, Table } from './table.js';

const versionCounter = '\0version';
const uploadCounter = '\0upload';
/** Room for 2^21 starts in 2^53 numbers. */
const blockSize = 2 ** 32;

export class NumberBlocks {
  readonly versions: { readonly from: number };
  #versionsEnd: number;
  #nextUpload: number;
  readonly #uploadsEnd: number;
  #raising: Promise<void> | undefined;

  constructor(versionsFrom: number, uploadsFrom: number) {
    this.versions = { from: versionsFrom };
    this.#versionsEnd = versionsFrom + blockSize;
    this.#nextUpload = uploadsFrom;
    this.#uploadsEnd = uploadsFrom + blockSize;
  }

  drawUpload(): number {
    if (this.#nextUpload >= this.#uploadsEnd) {
      throw new StoreError('STORE_UNAVAILABLE', 'numbers of uploads are used up until a restart');
    }
    return this.#nextUpload++;
  }

  hasVersion(version: number): boolean {
    return version < this.#versionsEnd;
  }

  /** Half a block is left above `highest`. */
  versionsSuffice(highest: number): boolean {
    return highest + blockSize / 2 < this.#versionsEnd;
  }

  /** Takes a further block, which follows the one before: nobody else counts here. */
  raiseVersions(reserve: (name: string, count: number) => Promise<number>): Promise<void> {
    this.#raising ??= reserve(versionCounter, blockSize)
      .then((first) => {
        this.#versionsEnd = first + blockSize;
      })
      .finally(() => {
        this.#raising = undefined;
      });
    return this.#raising;
  }
}

/** The blocks of this start, and the operations that take them; write these first. */
export function takeBlocks(table: Table): { blocks: NumberBlocks; operations: Operation[] } {
  const versionKey = encodeKey(['counter', versionCounter]);
  const uploadKey = encodeKey(['counter', uploadCounter]);
  const version = readCounter(table, versionKey);
  const upload = readCounter(table, uploadKey);
  return {
    blocks: new NumberBlocks(version, upload),
    operations: [
      counterRow(versionKey, version + blockSize),
      counterRow(uploadKey, upload + blockSize),
    ],
  };
}
