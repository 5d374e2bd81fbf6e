/** Writes MSRP requests and responses (RFC 4975 7 and 9). */

import type { MsrpByteRange, MsrpFlag, MsrpHeaderField } from './frame.js';

export interface MsrpRequestFields {
  readonly transactionId: string;
  readonly method: 'SEND' | 'REPORT';
  readonly toPath: readonly string[];
  readonly fromPath: readonly string[];
  readonly messageId: string;
  readonly byteRange?: MsrpByteRange;
  readonly successReport?: boolean;
  readonly failureReport?: 'yes' | 'no' | 'partial';
  /** Further header fields, such as Content-Disposition; they precede Content-Type. */
  readonly headers?: readonly MsrpHeaderField[];
  /** Present iff a body follows. */
  readonly contentType?: string;
}

export interface MsrpResponseFields {
  readonly transactionId: string;
  readonly status: number;
  readonly comment?: string;
  readonly toPath: readonly string[];
  readonly fromPath: readonly string[];
}

export interface MsrpReportFields {
  readonly transactionId: string;
  readonly toPath: readonly string[];
  readonly fromPath: readonly string[];
  readonly messageId: string;
  readonly byteRange: MsrpByteRange;
  readonly status: number;
  readonly comment?: string;
}

/**
 * A request up to its body; the body and `endLine` follow. Without content type `endLine` follows
 * at once.
 */
export function requestHead(fields: MsrpRequestFields): Buffer {
  throw new Error(fields.method);
}

/** The end-line with the CRLF before it, which belongs to it. */
export function endLine(transactionId: string, flag: MsrpFlag): Buffer {
  throw new Error(transactionId + flag);
}

/** A whole response. */
export function response(fields: MsrpResponseFields): Buffer {
  throw new Error(fields.transactionId);
}

/** A whole REPORT. */
export function report(fields: MsrpReportFields): Buffer {
  throw new Error(fields.transactionId);
}
