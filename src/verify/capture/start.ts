/** How messages begin: which protocol it is, is told by content and never by a port. */

import { TOKEN } from '../../wire/sip/head.js';
import { readStartLine } from '../../wire/msrp/head.js';
import { WireError } from '../../wire/error.js';

/** `more`: it may become one, when more octets have come. */
export type Start = 'sip' | 'msrp' | 'more' | 'none';

/** A start line longer than this is none. */
export const lineMax = 8_192;
const methodMax = 32;
const lf = 10;
const sp = 32;
const status = Buffer.from('SIP/2.0 ');
const msrp = Buffer.from('MSRP ');
const methods =
  'INVITE|ACK|BYE|CANCEL|OPTIONS|REGISTER|MESSAGE|SUBSCRIBE|NOTIFY|PUBLISH|PRACK|UPDATE|INFO|REFER';
const inLine = new RegExp(`SIP/2\\.0 \\d{3} |(?:${methods}) \\S+ SIP/2\\.0\\r?$`);
const version = / SIP\/2\.0\r?$/;

/** What begins at `at`. With `isAll` no more octets can come. */
export function startAt(bytes: Buffer, at: number, end: number, isAll = false): Start {
  const isMsrp = isPrefix(msrp, bytes, at, end);
  const isStatus = isPrefix(status, bytes, at, end);
  if (!isMsrp && !isStatus && !isMethod(bytes, at, end)) return 'none';
  const lineFeed = bytes.subarray(at, Math.min(end, at + lineMax)).indexOf(lf);
  if (lineFeed < 0) return isAll || end - at >= lineMax ? 'none' : 'more';
  const line = bytes.toString('latin1', at, at + lineFeed);
  if (isMsrp && line.startsWith('MSRP ')) return isMsrpLine(line) ? 'msrp' : 'none';
  return (isStatus && /^SIP\/2\.0 \d{3}/.test(line)) || version.test(line) ? 'sip' : 'none';
}

/**
 * Where a start line of SIP begins that is the end of a line: a body need not end with one. -1 when
 * there is none. Of requests the methods are those of RFC 3261 and its extensions, for what stands
 * before them may be letters too.
 */
export function startWithin(bytes: Buffer, at: number, lineFeed: number): number {
  if (lineFeed - at > lineMax) return -1;
  const line = bytes.toString('latin1', at, lineFeed);
  const start = line.includes('SIP/2.0') ? line.search(inLine) : -1;
  return start < 0 ? -1 : at + start;
}

/** Whether the octets there are those of the word, as far as they go. */
function isPrefix(word: Buffer, bytes: Buffer, at: number, end: number): boolean {
  const length = Math.min(word.length, end - at);
  return bytes.compare(word, 0, length, at, at + length) === 0;
}

/** A token and a space, or a token so far. */
function isMethod(bytes: Buffer, at: number, end: number): boolean {
  let behind = at;
  while (behind < end && behind - at <= methodMax && TOKEN[bytes[behind]!] === 1) behind++;
  return behind === end || (behind > at && bytes[behind] === sp);
}

function isMsrpLine(line: string): boolean {
  try {
    const { kind, ...start } = readStartLine(line.replace(/\r$/, ''));
    return kind === 'response' || ('method' in start && /^[A-Z]{1,32}$/.test(start.method));
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return false;
  }
}
