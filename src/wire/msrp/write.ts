/** Writes MSRP requests and responses (RFC 4975 7 and 9). */

import { WireError } from '../error.js';
import type { MsrpByteRange, MsrpFlag, MsrpHeaderField } from './frame.js';
import { isIdent } from './ident.js';

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

export interface MsrpAuthFields {
  readonly transactionId: string;
  readonly toPath: readonly string[];
  readonly fromPath: readonly string[];
  /** Seconds asked for. */
  readonly expires?: number;
  /** The Authorization header field. */
  readonly authorization?: string;
}

/** RFC 4975 10; a comment is for people. */
const comments: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  403: 'Forbidden',
  408: 'Request Timeout',
  413: 'Stop Sending',
  415: 'Unsupported Media Type',
  423: 'Interval Out Of Bounds',
  481: 'Session Does Not Exist',
  501: 'Not Implemented',
  506: 'Session Already In Use',
};

/**
 * A request up to its body; the body and `endLine` follow. Without a content type there is no
 * body, and `endLine` follows at once. Throws WireError `MSRP_FIELD` when a value cannot stand in
 * a line of its own.
 */
export function requestHead(fields: MsrpRequestFields): Buffer {
  const lines = opening(fields, fields.method);
  lines.push(`Message-ID: ${word(fields.messageId)}`);
  if (fields.successReport === true) lines.push('Success-Report: yes');
  if (fields.failureReport !== undefined) lines.push(`Failure-Report: ${fields.failureReport}`);
  if (fields.byteRange !== undefined) lines.push(`Byte-Range: ${formatRange(fields.byteRange)}`);
  for (const [name, value] of fields.headers ?? []) lines.push(`${token(name)}: ${text(value)}`);
  if (fields.contentType === undefined) return Buffer.from(lines.join('\r\n'));
  return Buffer.from(`${lines.join('\r\n')}\r\nContent-Type: ${text(fields.contentType)}\r\n\r\n`);
}

/** The end-line with the CRLF before it, which belongs to it. */
export function endLine(transactionId: string, flag: MsrpFlag): Buffer {
  return Buffer.from(`\r\n-------${ident(transactionId)}${flag}\r\n`, 'latin1');
}

/** A whole response. */
export function response(fields: MsrpResponseFields): Buffer {
  const { status } = fields;
  const comment = fields.comment ?? comments[status];
  const lines = opening(
    fields,
    comment === undefined ? code(status) : `${code(status)} ${comment}`,
  );
  return whole(lines, fields.transactionId);
}

/** A whole REPORT. */
export function report(fields: MsrpReportFields): Buffer {
  const comment = fields.comment ?? comments[fields.status];
  const lines = opening(fields, 'REPORT');
  lines.push(`Message-ID: ${word(fields.messageId)}`);
  lines.push(`Byte-Range: ${formatRange(fields.byteRange)}`);
  lines.push(
    text(`Status: 000 ${code(fields.status)}${comment === undefined ? '' : ` ${comment}`}`),
  );
  return whole(lines, fields.transactionId);
}

/** A whole AUTH (RFC 4976 9). */
export function authRequest(fields: MsrpAuthFields): Buffer {
  const lines = opening(fields, 'AUTH');
  if (fields.expires !== undefined) lines.push(`Expires: ${fields.expires}`);
  if (fields.authorization !== undefined)
    lines.push(text(`Authorization: ${fields.authorization}`));
  return whole(lines, fields.transactionId);
}

type Opening = Pick<MsrpRequestFields, 'transactionId' | 'toPath' | 'fromPath'>;

function opening(fields: Opening, rest: string): string[] {
  return [
    `MSRP ${ident(fields.transactionId)} ${text(rest)}`,
    `To-Path: ${path(fields.toPath)}`,
    `From-Path: ${path(fields.fromPath)}`,
  ];
}

function whole(lines: readonly string[], transactionId: string): Buffer {
  return Buffer.from(`${lines.join('\r\n')}\r\n-------${transactionId}$\r\n`);
}

function formatRange(range: MsrpByteRange): string {
  return `${range.start}-${range.end ?? '*'}/${range.total ?? '*'}`;
}

function code(status: number): string {
  return String(status).padStart(3, '0');
}

/** Texts of paths, which are written again and again. */
const pathTexts = new WeakMap<readonly string[], string>();

function path(uris: readonly string[]): string {
  const known = pathTexts.get(uris);
  if (known !== undefined) return known;
  if (uris.length === 0) throw new WireError('MSRP_FIELD', 'a path is empty', 500);
  const text = uris.map(word).join(' ');
  pathTexts.set(uris, text);
  return text;
}

function ident(transactionId: string): string {
  if (isIdent(transactionId)) return transactionId;
  throw new WireError('MSRP_FIELD', 'not a transaction id', 500);
}

function token(name: string): string {
  if (/^[A-Za-z][A-Za-z0-9!#$%&'*+\-.^_`|~]*$/.test(name)) return name;
  throw new WireError('MSRP_FIELD', 'not the name of a header field', 500);
}

/** One word: nothing that ends it, let alone the line. */
function word(value: string): string {
  if (/^[^\s\x00-\x1f\x7f]+$/.test(value)) return value;
  throw new WireError('MSRP_FIELD', 'a value has blanks or controls', 500);
}

function text(value: string): string {
  if (!/[\x00-\x08\x0a-\x1f\x7f]/.test(value)) return value;
  throw new WireError('MSRP_FIELD', 'a value has controls', 500);
}
