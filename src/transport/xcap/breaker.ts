/** Spares a peer that is down: after failures in a row, one attempt at a time finds out. */

import type { Clock } from '../../ports.js';

export interface BreakerOptions {
  readonly clock: Clock;
  /** Failures in a row. */
  readonly failures: number;
  /** ms between two attempts then. */
  readonly pauseMs: number;
}

export class Breaker {
  readonly #options: BreakerOptions;
  #failures = 0;
  #nextAt = 0;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#failures >= this.#options.failures;
  }

  /** Whether an attempt may be made now. */
  admits(): boolean {
    if (!this.isOpen) return true;
    const now = this.#options.clock.now();
    if (now < this.#nextAt) return false;
    this.#nextAt = now + this.#options.pauseMs;
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  failed(): void {
    this.#failures++;
    if (this.isOpen) this.#nextAt = this.#options.clock.now() + this.#options.pauseMs;
  }
}
