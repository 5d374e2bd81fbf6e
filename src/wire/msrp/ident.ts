/** Identifiers of MSRP: transaction ids and Message-IDs share one grammar (RFC 4975 9). */

/** Whether it is 4 to 32 characters of the grammar `ident`. */
export function isIdent(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9.\-+%=]{3,31}$/.test(text);
}

/** The Message-ID of the SEND that carries a stored message: the same on every delivery (D-05). */
export function outerMessageId(serial: number, host: string): string {
  throw new Error(host + serial);
}
