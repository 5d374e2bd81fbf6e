/** Counts and seconds in header fields: Expires, Max-Forwards, Min-SE, Retry-After. */

const DELTA_SECONDS_MAX = 2 ** 32 - 1;

/** The value of 1*DIGIT (RFC 3261 25.1 delta-seconds); undefined when malformed or above `max`. */
export function parseDigits(
  value: string | undefined,
  max = DELTA_SECONDS_MAX,
): number | undefined {
  if (value === undefined || !/^[0-9]+$/.test(value)) return undefined;
  const number = Number(value);
  return number <= max ? number : undefined;
}
