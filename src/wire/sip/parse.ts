/** SIP messages as octets of one datagram (RFC 3261 7, 18.3). */

import { WireError } from '../error.js';
import { Head } from './head.js';
import { MANDATORY_MASK } from './header-name.js';
import { DEFAULT_SIP_LIMITS } from './limits.js';
import type { SipLimits } from './limits.js';
import { checkMandatory, contentLength } from './mandatory.js';
import type { SipMessage, SipRequest } from './message.js';
import { messageAt, ParsedRequest } from './parsed-message.js';
import { readStartLine } from './start-line.js';
import type { StartLine } from './start-line.js';

/** The fields a response copies (8.2.6.2), and what must not be copied. */
const ANSWERED = ['via', 'from', 'to', 'call-id', 'cseq'];
const UNSAFE = /[\x00-\x08\x0a-\x1f\x7f]/;

/**
 * Reads one message; octets behind its Content-Length are dropped, CRLFs before it skipped. Throws
 * WireError; `salvageRequest` then tells whom to answer.
 */
export function parseSip(datagram: Buffer, limits?: Partial<SipLimits>): SipMessage {
  const headerBytes = limits?.headerBytes ?? DEFAULT_SIP_LIMITS.headerBytes;
  const start = messageStart(datagram);
  if (start === datagram.length) throw new WireError('SIP_EMPTY', 'no message, only line ends');
  const end = Math.min(datagram.length, start + headerBytes);
  const head = new Head(datagram, start, end, fieldsMax(limits));
  head.scan();
  const line = head.lineEnd < 0 ? undefined : readStartLine(head);
  if (head.bodyStart < 0 && !head.error) {
    if (end < datagram.length) throw tooLong();
    throw new WireError('SIP_TRUNCATED', 'no empty line behind the header fields');
  }
  if (line && !head.error) checkMandatory(head, line);
  if (head.error) throw head.error;
  const bodyMax = limits?.bodyBytes ?? DEFAULT_SIP_LIMITS.bodyBytes;
  return messageOf(head, line!, bodyMax);
}

/**
 * A message of which the body is elsewhere: `bytes` begin with it and hold its header section,
 * which is all that is returned, and where its body begins. Throws WireError.
 */
export function parseSipHead(bytes: Buffer): { message: SipMessage; bodyStart: number } {
  const head = new Head(bytes, 0, bytes.length, Infinity);
  head.scan();
  const line = head.lineEnd < 0 ? undefined : readStartLine(head);
  if (head.error) throw head.error;
  if (!line || head.bodyStart < 0) {
    throw new WireError('SIP_TRUNCATED', 'no empty line behind the header fields');
  }
  return { message: messageAt(head, line, 0, head.bodyStart), bodyStart: head.bodyStart };
}

/**
 * What can be read of a broken request when it suffices for a response: Via, From, To, Call-ID and
 * CSeq. Undefined for responses, for ACK, and for anything else that cannot be answered.
 */
export function salvageRequest(bytes: Buffer): SipRequest | undefined {
  const start = messageStart(bytes);
  const end = Math.min(bytes.length, start + DEFAULT_SIP_LIMITS.headerBytes);
  const head = new Head(bytes, start, end, DEFAULT_SIP_LIMITS.headerFields);
  head.scan();
  return salvageHead(head);
}

/** The same for a head that was scanned. */
export function salvageHead(head: Head): SipRequest | undefined {
  if (head.lineEnd < 0) return undefined;
  const line = readStartLine(head);
  if (line?.kind !== 'request' || line.method === 'ACK') return undefined;
  if ((head.seen & MANDATORY_MASK) !== MANDATORY_MASK) return undefined;
  const headers = head.headers();
  const isClean = ANSWERED.every((name) =>
    headers.fields(name).every((value) => !UNSAFE.test(value)),
  );
  if (!isClean) return undefined;
  const bytes = head.bytes.subarray(head.start, head.bodyStart < 0 ? head.end : head.bodyStart);
  return new ParsedRequest(line, { bytes, bodyStart: bytes.length, headers });
}

export function tooLong(): WireError {
  return new WireError('SIP_HEADER_TOO_LONG', 'header section longer than allowed', 513);
}

function fieldsMax(limits: Partial<SipLimits> | undefined): number {
  return limits?.headerFields ?? DEFAULT_SIP_LIMITS.headerFields;
}

/** The body is what Content-Length says, or all the rest of the datagram without it (18.3). */
function messageOf(head: Head, line: StartLine, bodyMax: number): SipMessage {
  const { bytes, bodyStart, start } = head;
  const available = bytes.length - bodyStart;
  const length = contentLength(head) ?? available;
  if (length > available) {
    throw new WireError('SIP_TRUNCATED', 'datagram is shorter than its Content-Length');
  }
  if (length > bodyMax) throw new WireError('SIP_BODY_TOO_LARGE', 'body longer than allowed', 513);
  return messageAt(head, line, start, bodyStart + length);
}

/** RFC 3261 7.5: line ends before the start line are ignored. */
function messageStart(bytes: Buffer): number {
  let at = 0;
  while (at < bytes.length && (bytes[at] === 0x0d || bytes[at] === 0x0a)) at++;
  return at;
}
