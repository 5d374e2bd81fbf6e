/** Comma-separated values of a header field (RFC 3261 7.3.1). */

/** Splits outside of quotes and <>; trims; leaves out empty elements. */
export function splitList(_value: string): string[] {
  throw new Error('pending');
}
