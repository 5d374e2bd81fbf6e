/** What a network does to what passes: delay, loss, repetition, other orders, cuts. */

import type { SeededRandom } from '../virtual-clock.js';

/** Says whether a fault of that kind happens now. */
export type Fails = (kind: NetworkFault, probability: number) => boolean;

export const networkFaults = [
  'loss',
  'duplication',
  'delay',
  'segmentation',
  'reset',
  'partition',
] as const;
export type NetworkFault = (typeof networkFaults)[number];

/** Longest delay of one packet. */
const delayMax = 5_000;
/** Shortest time in which a stream notices that a segment was lost. */
const repetitionMs = 200;

export class Weather {
  readonly #random: SeededRandom;
  readonly #fails: Fails;
  readonly #now: () => number;
  /** Hosts that nobody reaches, and until when. */
  readonly #cutUntil = new Map<string, number>();

  constructor(random: SeededRandom, fails: Fails, now: () => number) {
    this.#random = random;
    this.#fails = fails;
    this.#now = now;
  }

  /** Nothing goes to the host or comes from it for a while. */
  cut(host: string, ms: number): void {
    this.#cutUntil.set(host, this.#now() + ms);
  }

  isCut(one: string, other: string): boolean {
    if (this.#cutUntil.size === 0) return false;
    const now = this.#now();
    return [one, other].some((host) => (this.#cutUntil.get(host) ?? 0) > now);
  }

  clear(): void {
    this.#cutUntil.clear();
  }

  /** The delays after which copies of a datagram arrive; they may overtake others. */
  datagram(): readonly number[] {
    if (this.#fails('loss', 0.03)) return [];
    const delays = [this.#delay()];
    if (this.#fails('duplication', 0.03)) delays.push(this.#delay());
    return delays;
  }

  /** The pieces in which octets of a stream arrive, each so long after the one before. */
  segments(octets: Buffer): readonly { readonly octets: Buffer; readonly delayMs: number }[] {
    const pieces: Buffer[] = [];
    let rest = octets;
    while (rest.length > 1 && pieces.length < 4 && this.#fails('segmentation', 0.1)) {
      const length = 1 + this.#random.below(rest.length - 1);
      pieces.push(rest.subarray(0, length));
      rest = rest.subarray(length);
    }
    pieces.push(rest);
    return pieces.map((piece) => ({ octets: piece, delayMs: this.passage() }));
  }

  /** The delay of a segment: a lost one comes later, and holds up those behind it. */
  passage(): number {
    const lost = this.#fails('loss', 0.03) ? repetitionMs + this.#random.below(800) : 0;
    return lost + this.#delay();
  }

  /** Whether a connection breaks here, as middle boxes let them. */
  resets(): boolean {
    return this.#fails('reset', 0.002);
  }

  #delay(): number {
    const usual = 1 + this.#random.below(50);
    if (!this.#fails('delay', 0.03)) return usual;
    return usual + Math.min(this.#random.exponential(2_000), delayMax);
  }
}
