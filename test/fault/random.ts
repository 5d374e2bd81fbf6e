/** Numbers that a seed decides, so that a run can be told from another and be asked for again. */

export interface Draw {
  /** A whole number from 0 up to `below`. */
  (below: number): number;
}

/** Mulberry32. */
export function seeded(seed: number): Draw {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x100000000) * below);
  };
}

/** Octets that a number names: they say which, how many, and every one of them can be checked. */
export function bodyOf(number: number, size: number): Buffer {
  const head = Buffer.from(`PR<${number},${size}>`);
  const body = Buffer.alloc(Math.max(size, head.length));
  let state = (number * 2_654_435_761 + 12_345) >>> 0;
  for (let at = 0; at < body.length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    body[at] = state >>> 24;
  }
  head.copy(body);
  return body;
}

/**
 * The number of a body that stands at the end of these octets, or, of a large message, before its
 * header sets; undefined unless all of it does.
 */
export function numberIn(octets: Buffer, isLarge = false): number | undefined {
  const at = octets.indexOf('PR<');
  if (at < 0) return undefined;
  const head = /^PR<(\d+),(\d+)>/.exec(octets.toString('latin1', at, at + 40));
  if (!head) return undefined;
  const number = Number(head[1]);
  const size = Number(head[2]);
  const body = octets.subarray(at, isLarge ? at + size : undefined);
  return body.equals(bodyOf(number, size)) ? number : undefined;
}
