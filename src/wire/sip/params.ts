/** Generic parameters behind a semicolon: `;name`, `;name=token`, `;name="quoted"` (RFC 3261 25.1). */

/** By lower-case name; values unquoted; '' when there is no value. The first of a name counts. */
export type Params = ReadonlyMap<string, string>;

/** Reads from `start`, which is at a semicolon or at the end. Throws WireError `SIP_PARAMETER`. */
export function parseParams(_text: string, _start?: number): Params {
  throw new Error('pending');
}
