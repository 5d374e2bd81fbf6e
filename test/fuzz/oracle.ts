/** What every parser must do with every input. */

import { isDeepStrictEqual } from 'node:util';
import { WireError } from '../../src/wire/error.js';

/** Says what differs; fuzzing looks at millions of values, so this is no `expect`. */
export function mustEqual(got: unknown, wanted: unknown, what: string): void {
  if (isDeepStrictEqual(got, wanted)) return;
  throw new Error(`${what}: got ${show(got)}, wanted ${show(wanted)}`);
}

/** The result, or undefined when the input is refused with a WireError. */
export function refusedOr<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof WireError && /^[A-Z]+(_[A-Z0-9]+)+$/.test(error.code)) return undefined;
    throw error;
  }
}

/** The same for the same input, so that a finding can be repeated. */
export function chunkSize(bytes: Buffer): number {
  return [1, 7, 64, 3][bytes.length % 4]!;
}

function show(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 300) ?? 'undefined';
}
