/** The clock on the wall of one host: somebody may set it, and what waits waits as long as before. */

import type { Clock } from '../../ports.js';

export class HostClock implements Clock {
  readonly #clock: Clock;
  #aheadMs = 0;
  #aheadMax = 0;
  #behindMax = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** ms between the latest and the earliest that it ever was. */
  get spreadMs(): number {
    return this.#aheadMax + this.#behindMax;
  }

  /** The latest that it could have said at this moment. */
  latest(): number {
    return this.#clock.now() + this.#aheadMax;
  }

  now(): number {
    return this.#clock.now() + this.#aheadMs;
  }

  after(delayMs: number, call: () => void): () => void {
    return this.#clock.after(delayMs, call);
  }

  /** Sets it so far from the true time. */
  set(aheadMs: number): void {
    this.#aheadMs = Math.round(aheadMs);
    this.#aheadMax = Math.max(this.#aheadMax, this.#aheadMs);
    this.#behindMax = Math.max(this.#behindMax, -this.#aheadMs);
  }
}
