/** Times of a trace that only rise: the clock of who has captured may have been set back. */

import type { Observed } from '../capture/observed.js';

/** Interfaces of one file differ by that much without anybody having set a clock. */
const jitterMs = 1_000;

interface Steady {
  readonly messages: readonly Observed[];
  readonly remarks: readonly string[];
}

/** As it was seen, going on from where the clock went back. */
export function steadyTimes(seen: readonly Observed[]): Steady {
  const remarks: string[] = [];
  let shift = 0;
  let last = -Infinity;
  const messages = seen.map((one) => {
    const at = one.at + shift;
    if (at >= last) {
      last = at;
      return shift === 0 ? one : { ...one, at };
    }
    if (last - at > jitterMs) {
      const seconds = Math.round((last - at) / 1e3);
      remarks.push(`the clock goes back by ${seconds} s before message ${one.number}`);
      shift += last - at;
    }
    return { ...one, at: last };
  });
  return { messages, remarks };
}
