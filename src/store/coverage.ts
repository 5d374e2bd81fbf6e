/** Which octets of something that comes in pieces are there. */

export class Coverage {
  /** Disjoint, not touching, ascending; `starts[i]` up to, not including, `ends[i]`. */
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  get pieces(): number {
    return this.#starts.length;
  }

  add(start: number, end: number): void {
    if (start >= end) return;
    const last = this.#ends.length - 1;
    if (last >= 0 && start === this.#ends[last]) {
      this.#ends[last] = end;
      return;
    }
    // Pieces from `first` to before `behind` touch the new one and become part of it.
    const first = search(this.#ends, start);
    const behind = search(this.#starts, end + 1);
    if (first < behind) {
      start = Math.min(start, this.#starts[first]!);
      end = Math.max(end, this.#ends[behind - 1]!);
    }
    this.#starts.splice(first, behind - first, start);
    this.#ends.splice(first, behind - first, end);
  }

  /** All octets from `start` up to, not including, `end`. */
  has(start: number, end: number): boolean {
    const at = search(this.#ends, end);
    return start >= end || (at < this.#ends.length && this.#starts[at]! <= start);
  }

  /** At least one of these octets. */
  touches(start: number, end: number): boolean {
    const at = search(this.#ends, start + 1);
    return start < end && at < this.#ends.length && this.#starts[at]! < end;
  }

  /** The first octet behind all that is there. */
  get end(): number {
    return this.#ends.at(-1) ?? 0;
  }
}

/** The first place whose number is not below `value`. */
function search(ascending: readonly number[], value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
