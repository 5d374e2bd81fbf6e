/** Targets that have asked to be left alone for a while (RFC 3261 21.5.4, RFC 3263 4.3). */

import type { Clock } from '../../ports.js';
import type { SipResponse } from '../../wire/sip/message.js';
import { parseDigits } from '../../wire/sip/number.js';

export interface PenaltyPlace {
  readonly address: string;
  readonly port: number;
}

export class Penalties {
  readonly #clock: Clock;
  readonly #bound: number;
  readonly #maxMs: number;
  /** Until when, by place, the latest penalty last. */
  readonly #until = new Map<string, number>();

  constructor(clock: Clock, bounds: { readonly penalties: number; readonly penaltyMs: number }) {
    this.#clock = clock;
    this.#bound = bounds.penalties;
    this.#maxMs = bounds.penaltyMs;
  }

  /** A 503 with Retry-After: no further requests to this target for so long. */
  note(place: PenaltyPlace, response: SipResponse): void {
    if (response.status !== 503) return;
    const seconds = parseDigits(/^\d+/.exec(response.header('Retry-After') ?? '')?.[0]);
    if (seconds === undefined || seconds === 0) return;
    const key = keyOf(place);
    this.#until.delete(key);
    this.#until.set(key, this.#clock.now() + Math.min(seconds * 1_000, this.#maxMs));
    for (const oldest of this.#until.keys()) {
      if (this.#until.size <= this.#bound) return;
      this.#until.delete(oldest);
    }
  }

  has(place: PenaltyPlace): boolean {
    const key = keyOf(place);
    const until = this.#until.get(key);
    if (until === undefined) return false;
    if (until > this.#clock.now()) return true;
    this.#until.delete(key);
    return false;
  }
}

function keyOf({ address, port }: PenaltyPlace): string {
  return `${address} ${port}`;
}
