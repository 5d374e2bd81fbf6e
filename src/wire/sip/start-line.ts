/** Request-Line and Status-Line (RFC 3261 7.1, 7.2). */

import { TOKEN } from './head.js';
import type { Head } from './head.js';

const SP = 0x20;

const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;

export interface StartLine {
  readonly kind: 'request' | 'response';
  readonly method: string;
  readonly uri: string;
  readonly status: number;
  readonly reason: string;
}

/** The lines that nearly every request begins with: no string is made for their method. */
const METHODS = ['MESSAGE', 'INVITE', 'ACK', 'BYE', 'NOTIFY', 'SUBSCRIBE', 'REGISTER', 'OPTIONS'];
const METHOD_OCTETS = METHODS.map((method) => Buffer.from(method, 'latin1'));

/**
 * Reads the first line of a scanned head; mistakes are noted there. Undefined when the line is so
 * far from SIP that nothing can be made of it.
 */
export function readStartLine(head: Head): StartLine | undefined {
  const { bytes, start, lineEnd } = head;
  if (isVersion(bytes, start, lineEnd)) return readStatusLine(head);
  const methodEnd = tokenEnd(bytes, start, lineEnd);
  if (methodEnd === start || bytes[methodEnd] !== SP) {
    head.fail('SIP_START_LINE', 'neither a request nor a response');
    return undefined;
  }
  const method = methodAt(bytes, start, methodEnd);
  const uriStart = methodEnd + 1;
  const uriEnd = visibleEnd(bytes, uriStart, lineEnd);
  if (!isVersion(bytes, uriEnd + 1, lineEnd) || bytes[uriEnd] !== SP) {
    const versioned = isVersion(bytes, bytes.lastIndexOf(SP, lineEnd - 1) + 1, lineEnd);
    head.fail('SIP_START_LINE', 'no Request-Line');
    return versioned ? request(method, '') : undefined;
  }
  const uri = bytes.toString('utf8', uriStart, uriEnd);
  if (!isUriStart(bytes, uriStart, uriEnd)) head.fail('SIP_REQUEST_URI', 'Request-URI is no URI');
  checkVersion(head, uriEnd + 1);
  return request(method, uri);
}

function readStatusLine(head: Head): StartLine {
  const { bytes, start, lineEnd } = head;
  const versionEnd = visibleEnd(bytes, start, lineEnd);
  checkVersion(head, start, versionEnd);
  const codeEnd = visibleEnd(bytes, versionEnd + 1, lineEnd);
  const code = bytes.toString('latin1', versionEnd + 1, Math.min(codeEnd, versionEnd + 5));
  const status = /^[1-6][0-9][0-9]$/.test(code) ? Number(code) : 0;
  if (status === 0) head.fail('SIP_STATUS_CODE', 'no status code between 100 and 699');
  const reason = codeEnd < lineEnd ? bytes.toString('utf8', codeEnd + 1, lineEnd) : '';
  if (CONTROL.test(reason)) head.fail('SIP_START_LINE', 'control character in the reason phrase');
  return { kind: 'response', method: '', uri: '', status, reason };
}

function request(method: string, uri: string): StartLine {
  return { kind: 'request', method, uri, status: 0, reason: '' };
}

function methodAt(bytes: Buffer, start: number, end: number): string {
  for (let index = 0; index < METHODS.length; index++) {
    const octets = METHOD_OCTETS[index]!;
    if (octets.length !== end - start) continue;
    let at = 0;
    while (at < octets.length && octets[at] === bytes[start + at]) at++;
    if (at === octets.length) return METHODS[index]!;
  }
  return bytes.toString('latin1', start, end);
}

/** Whether `SIP/` in any case stands there (RFC 3261 7.1: the version is not case-sensitive). */
function isVersion(bytes: Buffer, start: number, end: number): boolean {
  return (
    end - start >= 4 &&
    (bytes[start]! | 0x20) === 0x73 &&
    (bytes[start + 1]! | 0x20) === 0x69 &&
    (bytes[start + 2]! | 0x20) === 0x70 &&
    bytes[start + 3] === 0x2f
  );
}

function checkVersion(head: Head, start: number, end = head.lineEnd): void {
  const { bytes } = head;
  const isTwo =
    end - start === 7 &&
    bytes[start + 4] === 0x32 &&
    bytes[start + 5] === 0x2e &&
    bytes[start + 6] === 0x30;
  if (isTwo) return;
  const version = bytes.toString('latin1', start + 4, Math.min(end, start + 16));
  if (/^[0-9]+\.[0-9]+$/.test(version)) head.fail('SIP_VERSION', 'only SIP/2.0 is spoken', 505);
  else head.fail('SIP_START_LINE', 'malformed SIP-Version');
}

/** A scheme and a colon (RFC 3986 3.1); nothing in angle brackets. */
function isUriStart(bytes: Buffer, start: number, end: number): boolean {
  if ((bytes[start]! | 0x20) < 0x61 || (bytes[start]! | 0x20) > 0x7a) return false;
  for (let at = start + 1; at < end; at++) {
    const octet = bytes[at]!;
    if (octet === 0x3a) return at + 1 < end;
    if (TOKEN[octet] !== 1) return false;
  }
  return false;
}

function tokenEnd(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && TOKEN[bytes[at]!] === 1) at++;
  return at;
}

function visibleEnd(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at]! > SP && bytes[at] !== 0x7f) at++;
  return at;
}
