/** The CSeq header field (RFC 3261 20.16). */

import { WireError } from '../error.js';

export interface Cseq {
  readonly number: number;
  readonly method: string;
}

const CSEQ = /^([0-9]+)\s+([A-Za-z0-9\-.!%*_+`'~]+)$/;

/** Throws WireError `SIP_CSEQ`. */
export function parseCseq(value: string): Cseq {
  const match = CSEQ.exec(value.trim());
  const number = match ? Number(match[1]) : Infinity;
  if (!match || number >= 2 ** 31) {
    throw new WireError('SIP_CSEQ', 'CSeq is no number below 2^31 with a method');
  }
  return { number, method: match[2]! };
}
