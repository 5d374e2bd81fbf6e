/** The numbers of messages: taken out of the store in large blocks, handed out in small ones. */

import assert from 'node:assert';
import type { StorePort } from '../ports.js';

/** Both ends inside. */
export interface SerialBlock {
  readonly from: number;
  readonly to: number;
}

export interface SerialOptions {
  readonly store: Pick<StorePort, 'reserve'>;
  /** The numbers are unique for this name (D-02). */
  readonly hostname: string;
  readonly nodeBlock: number;
  readonly accountBlock: number;
}

/**
 * A number is handed out once: what was reserved and not used when the process dies is lost, never
 * used again. The next block is reserved when half of the present one is used.
 */
export class Serials {
  readonly #options: SerialOptions;
  #next = 0;
  #end = 0;
  #spare: SerialBlock | undefined;
  #reserving: Promise<void> | undefined;

  constructor(options: SerialOptions) {
    assert(options.nodeBlock >= options.accountBlock);
    assert(options.accountBlock >= 1);
    this.#options = options;
  }

  /** What the next mailbox may take; undefined while nothing is reserved: see `ready`. */
  offer(): SerialBlock | undefined {
    if (this.#next === this.#end) this.#useSpare();
    if (this.#next === this.#end) return undefined;
    const to = Math.min(this.#next + this.#options.accountBlock, this.#end) - 1;
    return { from: this.#next, to };
  }

  /** The block of the last offer was taken, or the first part of it. */
  take(block: SerialBlock): void {
    assert.equal(block.from, this.#next, 'a block is taken as it was offered');
    assert(block.to >= block.from);
    assert(block.to < this.#end);
    this.#next = block.to + 1;
    if (!this.#spare && this.#end - this.#next <= this.#options.nodeBlock / 2) {
      // A failure here is met again, and answered, by whoever finds nothing left to offer.
      this.#reserve().catch(() => undefined);
    }
  }

  /** Resolves when `offer` has something; rejects with the error of the store. */
  async ready(): Promise<void> {
    while (!this.offer()) await this.#reserve();
  }

  #reserve(): Promise<void> {
    this.#reserving ??= this.#options.store
      .reserve(`serial/${this.#options.hostname}`, this.#options.nodeBlock)
      .then((from) => {
        assert(Number.isSafeInteger(from));
        this.#spare = { from, to: from + this.#options.nodeBlock - 1 };
      })
      .finally(() => {
        this.#reserving = undefined;
      });
    return this.#reserving;
  }

  #useSpare(): void {
    if (!this.#spare) return;
    this.#next = this.#spare.from;
    this.#end = this.#spare.to + 1;
    this.#spare = undefined;
  }
}
