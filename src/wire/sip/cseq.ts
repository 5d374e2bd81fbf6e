/** The CSeq header field (RFC 3261 20.16). */

export interface Cseq {
  readonly number: number;
  readonly method: string;
}

/** Throws WireError `SIP_CSEQ`. */
export function parseCseq(_value: string): Cseq {
  throw new Error('pending');
}
