/** What the head of a SIP message must hold to be worked with (RFC 3261 8.1.1, 20). */

import type { Head } from './head.js';
import {
  CALL_ID,
  CONTENT_LENGTH,
  CONTENT_TYPE,
  CSEQ,
  FROM,
  MANDATORY_MASK,
  MAX_FORWARDS,
  TO,
  VIA,
} from './header-name.js';
import type { HeaderId } from './header-name.js';
import { ROW } from './header-table.js';
import type { StartLine } from './start-line.js';

const CSEQ_END = 2 ** 31;
const LENGTH_END = 2 ** 31;
const HOPS_MAX = 255;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Notes every missing or malformed field that no one could answer or frame without. */
export function checkMandatory(head: Head, line: StartLine): void {
  if ((head.seen & MANDATORY_MASK) !== MANDATORY_MASK) {
    head.fail('SIP_MISSING_HEADER', 'Via, From, To, Call-ID and CSeq are mandatory');
    return;
  }
  for (let row = 0; row < head.rows.length; row += ROW) {
    checkField(head, line, row);
    if (head.error) return;
  }
}

/**
 * The value of Content-Length: undefined when the field is absent, -1 when it is malformed or so
 * large that it says nothing.
 */
export function contentLength(head: Head): number | undefined {
  const row = head.rowOf(CONTENT_LENGTH);
  if (row < 0) return undefined;
  const value = digits(head, row, LENGTH_END);
  return value < LENGTH_END ? value : -1;
}

function checkField(head: Head, line: StartLine, row: number): void {
  const id: HeaderId = head.rows[row]!;
  if (id < 0 || id > CONTENT_TYPE) return;
  if (id === FROM || id === TO) checkAddress(head, row);
  else if (id === CSEQ) checkCseq(head, line, row);
  else if (id === CONTENT_LENGTH) {
    if (contentLength(head) === -1) head.fail('SIP_CONTENT_LENGTH', 'Content-Length is no length');
  } else if (id === MAX_FORWARDS) {
    const hops = digits(head, row, HOPS_MAX + 1);
    if (hops < 0 || hops > HOPS_MAX) head.fail('SIP_MAX_FORWARDS', 'Max-Forwards is not 0 to 255');
  } else if (id === CALL_ID || id === VIA) {
    if (head.rows[row + 3] === head.rows[row + 4]) head.fail('SIP_HEADER', 'empty header field');
  }
}

/** `1*DIGIT LWS Method`, the method being that of the request. */
function checkCseq(head: Head, line: StartLine, row: number): void {
  const { bytes, rows } = head;
  const end = rows[row + 4]!;
  let at = rows[row + 3]!;
  const start = at;
  let number = 0;
  for (; at < end && isDigit(bytes[at]!); at++) {
    number = Math.min(number * 10 + bytes[at]! - 0x30, CSEQ_END);
  }
  const methodFrom = skipSpace(bytes, at, end);
  if (at === start || number >= CSEQ_END || methodFrom === at || methodFrom === end) {
    head.fail('SIP_CSEQ', 'CSeq is no number below 2^31 with a method');
    return;
  }
  if (line.kind === 'request' && !isText(bytes, methodFrom, end, line.method)) {
    head.fail('SIP_CSEQ', 'CSeq names another method');
  }
}

/** Quotes and brackets closed, something in them. The rest is read when it is asked for. */
function checkAddress(head: Head, row: number): void {
  const { bytes, rows } = head;
  const end = rows[row + 4]!;
  let quoted = false;
  let open = -1;
  let hasContent = false;
  for (let at = rows[row + 3]!; at < end; at++) {
    const octet = bytes[at]!;
    if (quoted) {
      if (octet === BACKSLASH) at++;
      else if (octet === QUOTE) quoted = false;
    } else if (octet === QUOTE) quoted = true;
    else if (octet === 0x3c && open < 0) open = at;
    else if (octet === 0x3e && open >= 0) {
      if (at === open + 1) break;
      open = -1;
      hasContent = true;
    } else if (octet === 0x3a && open < 0) hasContent = true;
  }
  if (quoted || open >= 0 || !hasContent) head.fail('SIP_ADDRESS', 'malformed From or To');
}

/** Digits only: -1 otherwise; at most `limit`, which stands for everything above. */
function digits(head: Head, row: number, limit: number): number {
  const { bytes, rows } = head;
  const start = rows[row + 3]!;
  const end = rows[row + 4]!;
  if (start === end) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    if (!isDigit(bytes[at]!)) return -1;
    value = Math.min(value * 10 + bytes[at]! - 0x30, limit);
  }
  return value;
}

function isDigit(octet: number): boolean {
  return octet >= 0x30 && octet <= 0x39;
}

function skipSpace(bytes: Buffer, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at]! <= 0x20) at++;
  return at;
}

function isText(bytes: Buffer, start: number, end: number, text: string): boolean {
  if (end - start !== text.length) return false;
  for (let at = 0; at < text.length; at++) {
    if (bytes[start + at] !== text.charCodeAt(at)) return false;
  }
  return true;
}
