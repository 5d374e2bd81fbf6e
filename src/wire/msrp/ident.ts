/** Identifiers of MSRP: transaction ids and Message-IDs share one grammar (RFC 4975 9). */

const ident = /^[A-Za-z0-9][A-Za-z0-9.\-+%=]{3,31}$/;
const tolerated = /^[A-Za-z0-9.\-+%=]{1,64}$/;
const base32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** Whether it is 4 to 32 characters of the grammar `ident`. */
export function isIdent(text: string): boolean {
  return ident.test(text);
}

/** Whether a peer's Message-ID is taken: its characters count, its length is not insisted on. */
export function isMessageId(text: string): boolean {
  return tolerated.test(text);
}

/**
 * The Message-ID of the SEND that carries a stored message: the same on every delivery (D-05).
 * Serials are unique per host, so a digest of the host keeps tokens of two hosts apart.
 */
export function outerMessageId(serial: number, host: string): string {
  let digest = digestOf(host.toLowerCase());
  let suffix = '';
  for (let i = 0; i < 7; i++) {
    suffix += base32.charAt(digest & 31);
    digest >>>= 5;
  }
  return `d${serial}.${suffix}`;
}

/** FNV-1a, 32 bits: no secret is made of it. */
function digestOf(text: string): number {
  let digest = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    digest = Math.imul(digest ^ text.charCodeAt(i), 0x01000193);
  }
  return digest >>> 0;
}
