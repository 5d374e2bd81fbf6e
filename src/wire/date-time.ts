/** Dates as they are written on the wire, from milliseconds since the epoch. */

/** RFC 3339, in whole seconds: `2026-11-20T09:00:00Z`. */
export function formatDateTime(at: number): string {
  throw new Error(String(at));
}

/** RFC 5322, as the parameters of RFC 2183 take it: `Fri, 20 Nov 2026 09:00:01 +0000`. */
export function formatMailDate(at: number): string {
  throw new Error(String(at));
}
