/** Counts and seconds in header fields: Expires, Max-Forwards, Min-SE, Retry-After. */

/** The value of 1*DIGIT (RFC 3261 25.1 delta-seconds); undefined when malformed or above `max`. */
export function parseDigits(_value: string | undefined, _max?: number): number | undefined {
  throw new Error('pending');
}
