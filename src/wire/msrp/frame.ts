/** The parts of an MSRP request or response as data (RFC 4975 7). */

/** One header field: name as on the wire, value without the line end. */
export type MsrpHeaderField = readonly [name: string, value: string];

/** `$` last chunk, `+` more to come, `#` aborted. */
export type MsrpFlag = '$' | '+' | '#';

/** Byte-Range. Octets are counted from 1; undefined stands for `*`. */
export interface MsrpByteRange {
  readonly start: number;
  readonly end: number | undefined;
  readonly total: number | undefined;
}

/** Status header of a REPORT. */
export interface MsrpStatus {
  readonly namespace: number;
  readonly code: number;
  readonly comment: string;
}

/** Everything of a request before its body. */
export interface MsrpRequestHead {
  readonly kind: 'request';
  readonly transactionId: string;
  readonly method: 'SEND' | 'REPORT';
  readonly toPath: readonly string[];
  readonly fromPath: readonly string[];
  readonly messageId: string;
  /** Absent when there is no Byte-Range. */
  readonly byteRange?: MsrpByteRange;
  readonly successReport: boolean;
  readonly failureReport: 'yes' | 'no' | 'partial';
  /** Present iff the method is REPORT. */
  readonly status?: MsrpStatus;
  readonly contentType?: string;
  /** Every header field in order, names as they came. */
  readonly headers: readonly MsrpHeaderField[];
  /** Whether an empty line follows: a body comes, if only of no octets. */
  readonly hasBody: boolean;
}

/** A response: it has no body. */
export interface MsrpResponseHead {
  readonly kind: 'response';
  readonly transactionId: string;
  readonly status: number;
  readonly comment: string;
  readonly toPath: readonly string[];
  readonly fromPath: readonly string[];
  readonly headers: readonly MsrpHeaderField[];
}

export type MsrpHead = MsrpRequestHead | MsrpResponseHead;
