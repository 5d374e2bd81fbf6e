/** SIP messages inside a body: message/sipfrag (RFC 3420) and message/sip (RFC 3261 27.5). */

import { WireError } from '../error.js';
import { Head } from './head.js';
import { longName } from './header-name.js';
import { ROW } from './header-table.js';
import { DEFAULT_SIP_LIMITS } from './limits.js';
import type { HeaderField, SipHeaders, SipRequest } from './message.js';
import { asksForPrivacy } from './privacy.js';
import { headerLine } from './serialise.js';

export interface SipfragOptions {
  /** Leave P-Asserted-Identity out when the request asks for it with Privacy: id (PAI-03). */
  readonly privacy: boolean;
  /** Leave P-Asserted-Identity out whatever is asked for: nobody trusted has asserted it (PAI-01). */
  readonly unproven?: boolean;
  /** Date to add when the request has none (MSG-11). */
  readonly date?: string | undefined;
}

/** A fragment as read: a start line is optional. */
export interface Sipfrag extends SipHeaders {
  readonly startLine: string | undefined;
  readonly body: Buffer;
}

/** The order of D-48; fields whose name begins with `content-` follow. */
const PERTINENT = ['From', 'To', 'Call-ID', 'CSeq', 'P-Asserted-Identity', 'Date', 'Subject'];
/** Names that may have come in their compact form. */
const LONG_CONTENT: ReadonlyMap<string, string> = new Map([
  ['content-type', 'Content-Type'],
  ['content-encoding', 'Content-Encoding'],
]);
const CREDENTIALS = new Set(['authorization', 'proxy-authorization']);
/** Routes, and what belongs to the network only (RFC 5502 4.3). */
const INTERNAL = new Set(['route', 'record-route', 'p-served-user']);
const IDENTITIES = new Set(['p-asserted-identity', 'p-preferred-identity']);
/** Fits the grammar of credentials (RFC 3261 25.1). */
const MASKED = Buffer.from('Masked credentials="removed"\r\n');
const CRLF = Buffer.from('\r\n');

/**
 * The pertinent header fields (D-48), the empty line and the body, octet for octet. Content-Length
 * is always there, as RFC 3420 2 wants it with a body.
 */
export function sipfragOf(request: SipRequest, options: SipfragOptions): Buffer {
  return Buffer.concat([sipfragHead(request, options, request.body.length), request.body]);
}

/** The same up to its body of that many octets. */
export function sipfragHead(
  headers: SipHeaders,
  options: SipfragOptions,
  bodyBytes: number,
): Buffer {
  let text = pertinentFields(headers, options);
  for (const [name, value] of headers.all()) {
    const long = longName(name);
    if (!long.startsWith('content-') || long === 'content-length') continue;
    text += headerLine(LONG_CONTENT.get(long) ?? name, value);
  }
  return Buffer.from(`${text}Content-Length: ${bodyBytes}\r\n\r\n`, 'utf8');
}

/** The lines of the pertinent header fields alone: a fragment without a body. */
export function pertinentFields(headers: SipHeaders, options: SipfragOptions): string {
  const hidesIdentity = isHidden(headers, options);
  let text = '';
  for (const name of PERTINENT) {
    if (name === 'P-Asserted-Identity' && hidesIdentity) continue;
    const values = headers.fields(name);
    for (const value of values) text += headerLine(name, value);
    if (name === 'Date' && values.length === 0 && options.date !== undefined) {
      text += headerLine(name, options.date);
    }
  }
  return text;
}

/**
 * The complete message for message/sip: values of Authorization and Proxy-Authorization masked,
 * Route, Record-Route and P-Served-User left out (D-13), identities left out when they are unproven
 * or privacy demands it,
 * a Date added at the end when asked for; everything else octet for octet.
 */
export function maskedSip(request: SipRequest, options: Partial<SipfragOptions> = {}): Buffer {
  const { bytes } = request;
  // The octets were accepted before, perhaps within wider limits than the default.
  const head = new Head(bytes, 0, bytes.length, Infinity);
  head.scan();
  const hidesIdentity = isHidden(request, options);
  const pieces: Buffer[] = [bytes.subarray(0, head.lineEnd + 2)];
  let hasDate = false;
  for (let row = 0; row < head.rows.length; row += ROW) {
    const [nameStart, nameEnd, valueStart] = [1, 2, 3].map((column) => head.rows[row + column]!);
    const name = longName(bytes.toString('latin1', nameStart, nameEnd));
    const next = row + ROW < head.rows.length ? head.rows[row + ROW + 1]! : head.bodyStart - 2;
    hasDate ||= name === 'date';
    if (INTERNAL.has(name) || (hidesIdentity && IDENTITIES.has(name))) continue;
    if (CREDENTIALS.has(name)) {
      pieces.push(bytes.subarray(nameStart, valueStart), MASKED);
    } else pieces.push(bytes.subarray(nameStart, next));
  }
  if (!hasDate && options.date !== undefined) {
    pieces.push(Buffer.from(headerLine('Date', options.date), 'utf8'));
  }
  pieces.push(bytes.subarray(head.bodyStart - 2));
  return Buffer.concat(pieces);
}

/**
 * Tolerant: takes any part of a message that RFC 3420 2 allows, with bare line feeds as well.
 * Throws WireError `SIP_FRAGMENT` when there is no header field and no start line.
 */
export function parseSipfrag(bytes: Buffer): Sipfrag {
  const firstEnd = bytes.indexOf(0x0a);
  const first = bytes.toString('utf8', 0, firstEnd < 0 ? bytes.length : firstEnd).trimEnd();
  const hasStartLine = /^(?:SIP\/2\.0 [1-6][0-9]{2}|[^ :]+ [^ ]+ SIP\/2\.0$)/.test(first);
  const head = scanned(bytes, !hasStartLine);
  if (head.error?.status === 513) throw head.error;
  if (!hasStartLine && head.rows.length === 0) {
    throw new WireError('SIP_FRAGMENT', 'neither a start line nor a header field');
  }
  const headers = head.headers();
  const body = head.bodyStart < 0 ? Buffer.alloc(0) : head.bytes.subarray(head.bodyStart);
  return {
    startLine: hasStartLine ? first : undefined,
    body,
    header: (name: string): string | undefined => headers.header(name),
    fields: (name: string): readonly string[] => headers.fields(name),
    list: (name: string): readonly string[] => headers.list(name),
    all: (): readonly HeaderField[] => headers.all(),
  };
}

function scanned(bytes: Buffer, fieldsOnly: boolean): Head {
  // The last line of a fragment may have lost its line end to a MIME boundary.
  const isEnded = bytes.at(-1) === 0x0a || bytes.includes('\n\r\n') || bytes.includes('\n\n');
  const ended = isEnded ? bytes : Buffer.concat([bytes, CRLF]);
  const head = new Head(ended, 0, ended.length, DEFAULT_SIP_LIMITS.headerFields);
  if (fieldsOnly) head.scanFields();
  else head.scan();
  return head;
}

function isHidden(headers: SipHeaders, { unproven, privacy }: Partial<SipfragOptions>): boolean {
  return unproven === true || (privacy === true && asksForPrivacy(headers));
}
