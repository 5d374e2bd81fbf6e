/** Reason phrases of SIP status codes. */

/** The usual phrase; 603 is `Declined` (D-11). */
export function reasonPhrase(_status: number): string {
  throw new Error('pending');
}
