/** How long to fuzz: `FUZZ_MINUTES` for each group of targets; without it a moment, as in CI. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export const fuzzMinutes = Number(process.env['FUZZ_MINUTES'] ?? 0);

/** A seed of its own in a long run, the same one in CI. */
export const fuzzSeed = Number(process.env['FUZZ_SEED'] ?? (fuzzMinutes > 0 ? Date.now() : 1));

export const fuzzTimeoutMs = fuzzMinutes * 60_000 * 1.5 + 120_000;

/** Octets in use on the heap and outside of it, after a collection. */
export function memoryInUse(): { readonly heap: number; readonly outside: number } {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { heap: heapUsed, outside: arrayBuffers };
}

/** One line that says what a run did. */
export function tell(line: string): void {
  process.stdout.write(`fuzz: ${line}\n`);
}
