/** The clock and the chance of one process: with its death nothing of them goes on. */

import type { Clock } from '../../ports.js';

export class ProcessClock implements Clock {
  readonly #clock: Clock;
  readonly #pending = new Set<() => void>();
  #isDead = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls that are still to come. */
  get pending(): number {
    return this.#pending.size;
  }

  now(): number {
    return this.#clock.now();
  }

  after(delayMs: number, call: () => void): () => void {
    if (this.#isDead) return () => undefined;
    const end = (): void => {
      this.#pending.delete(withdraw);
    };
    const withdraw = this.#clock.after(delayMs, () => {
      end();
      call();
    });
    this.#pending.add(withdraw);
    return () => {
      end();
      withdraw();
    };
  }

  kill(): void {
    this.#isDead = true;
    for (const withdraw of this.#pending) withdraw();
    this.#pending.clear();
  }
}
