/** Random numbers out of a seed, so that every finding can be repeated. */

export interface Draw {
  /** An integer from 0 to `below` - 1. */
  below(below: number): number;
  /** True in one of `times` cases. */
  once(times: number): boolean;
  pick<T>(items: readonly T[]): T;
}

/** Mulberry32: small, fast, and the same everywhere. */
export function drawFrom(seed: number): Draw {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    below,
    once: (times) => below(times) === 0,
    pick: (items) => items[below(items.length)]!,
  };
}
