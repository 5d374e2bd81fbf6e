/** Which octets of a message are there: byte ranges that come in any order, overlap or repeat. */

/** Disjoint ranges in order. Offsets start at 0, ends are exclusive. */
export class ByteRanges {
  readonly #fragments: number;
  /** start, end, start, end … ascending; neighbours never touch. */
  readonly #bounds: number[] = [];

  /** Holds at most `fragments` separate ranges. */
  constructor(fragments: number) {
    this.#fragments = fragments;
  }

  /** Takes in a range; false when it would be one separate range too many (then nothing changes). */
  add(start: number, end: number): boolean {
    if (end <= start) return true;
    const bounds = this.#bounds;
    const last = bounds.length - 1;
    // In order without a gap: what nearly every peer does, and what must not cost a search.
    if (last > 0 && start <= bounds[last]! && start >= bounds[last - 1]!) {
      if (end > bounds[last]!) bounds[last] = end;
      return true;
    }
    const from = this.#firstEndingAtOrAfter(start);
    let to = from;
    let low = start;
    let high = end;
    while (to < bounds.length && bounds[to]! <= end) {
      low = Math.min(low, bounds[to]!);
      high = Math.max(high, bounds[to + 1]!);
      to += 2;
    }
    if (from === to && bounds.length / 2 >= this.#fragments) return false;
    bounds.splice(from, to - from, low, high);
    return true;
  }

  /** Whether every octet before `total` is there. */
  covers(total: number): boolean {
    return total === 0 || (this.#bounds[0] === 0 && this.#bounds[1]! >= total);
  }

  /** The end of the furthest range, 0 when there is none. */
  get end(): number {
    return this.#bounds.at(-1) ?? 0;
  }

  /** How many separate ranges there are. */
  get fragments(): number {
    return this.#bounds.length / 2;
  }

  /** Index in `#bounds` of the first range whose end is not before `offset`. */
  #firstEndingAtOrAfter(offset: number): number {
    let low = 0;
    let high = this.#bounds.length / 2;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#bounds[middle * 2 + 1]! < offset) low = middle + 1;
      else high = middle;
    }
    return low * 2;
  }
}
