/** The directory of the files of large contents: made for the first one, synced for many at once. */

import { mkdir, open, unlink } from 'node:fs/promises';

import { codeOf } from './level-error.js';
import { contentsPath, segmentPath } from './segment-records.js';
import { StoreError } from './store-error.js';

export class SegmentDirectory {
  readonly #store: string;
  readonly #isSynced: boolean;
  #made: Promise<void> | undefined;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #failures = 0;
  /** Names may be gone that a power cut would bring back: nobody knows what was before the start. */
  #isUnsettled = true;

  /** `isSynced`: what is made and removed has to survive a power cut. */
  constructor(store: string, isSynced: boolean) {
    this.#store = store;
    this.#isSynced = isSynced;
  }

  /** How many syncs have failed: names of before such a one are not trusted. */
  get failures(): number {
    return this.#failures;
  }

  path(number: number): string {
    return segmentPath(this.#store, number);
  }

  /** Durable when resolved: it is there. */
  made(): Promise<void> {
    this.#made ??= this.#make().catch((error: unknown) => {
      this.#made = undefined;
      throw error;
    });
    return this.#made;
  }

  async #make(): Promise<void> {
    await mkdir(contentsPath(this.#store), { recursive: true, mode: 0o700 });
    if (this.#isSynced) await syncDirectory(this.#store);
  }

  /**
   * Names that were made before the call survive a power cut when resolved. `failures` is what it
   * was before the name was made.
   */
  async sync(failures: number): Promise<void> {
    if (!this.#isSynced) return;
    await this.#together();
    if (failures === this.#failures) return;
    throw new StoreError('STORE_UNAVAILABLE', 'the names of contents could not be synced');
  }

  /** One that runs may have begun before the name was there: all who come meanwhile share the next. */
  #together(): Promise<void> {
    this.#next ??= this.#after(this.#running);
    return this.#next;
  }

  async #after(running: Promise<void> | undefined): Promise<void> {
    await running?.catch(() => undefined);
    this.#next = undefined;
    this.#running = syncDirectory(contentsPath(this.#store)).catch((error: unknown) => {
      this.#failures++;
      throw error;
    });
    await this.#running;
  }

  /** Gives room back at once; `remove` has to come later all the same. */
  async discard(number: number): Promise<void> {
    this.#isUnsettled = true;
    await unlink(this.path(number)).catch(() => undefined);
  }

  /** Durable when resolved: none of them is there. */
  async remove(numbers: readonly number[]): Promise<void> {
    let isUnsettled = this.#isUnsettled;
    for (const number of numbers) {
      try {
        await unlink(this.path(number));
        isUnsettled = true;
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') throw error;
      }
    }
    if (!isUnsettled || !this.#isSynced) return;
    this.#isUnsettled = false;
    try {
      await this.#together();
    } catch (error) {
      this.#isUnsettled = true;
      // Nothing was ever written there.
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }
}

/** A name that was made or removed survives a power cut. */
async function syncDirectory(directory: string): Promise<void> {
  const file = await open(directory, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
