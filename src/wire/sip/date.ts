/** The Date header field: RFC 1123 dates in GMT (RFC 3261 20.17). */

/** ms since the epoch; undefined when malformed. */
export function parseSipDate(_value: string): number | undefined {
  throw new Error('pending');
}

export function formatSipDate(_at: number): string {
  throw new Error('pending');
}
