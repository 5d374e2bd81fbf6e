/** Fingerprints of certificates in session descriptions (RFC 8122 5). */

import { WireError } from '../error.js';

export interface CertificateFingerprint {
  /** Lower-case name of the hash function, such as `sha-256`. */
  readonly hash: string;
  /** Octets as pairs of upper-case hexadecimal digits, colons between. */
  readonly value: string;
}

/** Throws WireError `SDP_FINGERPRINT`. */
export function parseFingerprint(text: string): CertificateFingerprint {
  const match = /^([a-z0-9-]{1,32}) ((?:[0-9a-f]{2}:){0,63}[0-9a-f]{2})$/i.exec(text.trim());
  if (match === null) throw new WireError('SDP_FINGERPRINT', 'a=fingerprint is malformed');
  return { hash: match[1]!.toLowerCase(), value: match[2]!.toUpperCase() };
}

export function formatFingerprint(fingerprint: CertificateFingerprint): string {
  return `${fingerprint.hash} ${fingerprint.value}`;
}
