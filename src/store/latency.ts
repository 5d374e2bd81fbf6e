/** How long commits take, in buckets that are counted up and never grow. */

/** Seconds: from what a disk without a barrier takes to what nobody should wait for. */
const bounds = [
  0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;

export interface LatencyHistogram {
  /** Upper bounds in seconds, ascending; what is above all of them is in `count` alone. */
  readonly bounds: readonly number[];
  /** How many were not above each bound. */
  readonly counts: readonly number[];
  readonly sum: number;
  readonly count: number;
}

export class Latency {
  readonly #counts = new Array<number>(bounds.length).fill(0);
  #sum = 0;
  #count = 0;

  observe(ms: number): void {
    const seconds = ms / 1000;
    this.#sum += seconds;
    this.#count++;
    for (let at = 0; at < bounds.length; at++) {
      if (seconds > bounds[at]!) continue;
      this.#counts[at]!++;
      return;
    }
  }

  histogram(): LatencyHistogram {
    let count = 0;
    const counts = this.#counts.map((one) => (count += one));
    return { bounds, counts, sum: this.#sum, count: this.#count };
  }
}
