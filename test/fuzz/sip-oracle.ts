/** What must hold for octets that are read as SIP, as a datagram and as a stream. */

import { namesImTag } from '../../src/wire/sip/accept-contact.js';
import { parseCseq } from '../../src/wire/sip/cseq.js';
import { parseContentType } from '../../src/wire/sip/content-type.js';
import { dialogOfRequest } from '../../src/wire/sip/dialog.js';
import { parseChallenge, parseCredentials } from '../../src/wire/sip/digest.js';
import type { HeaderField, SipMessage } from '../../src/wire/sip/message.js';
import { parseNameAddr } from '../../src/wire/sip/name-addr.js';
import { parseSip, salvageRequest } from '../../src/wire/sip/parse.js';
import { serialiseRequest, serialiseResponse } from '../../src/wire/sip/serialise.js';
import { maskedSip, parseSipfrag, sipfragOf } from '../../src/wire/sip/sipfrag.js';
import { SipStream } from '../../src/wire/sip/stream.js';
import { canonicalAor } from '../../src/wire/sip/uri.js';
import { parseVia } from '../../src/wire/sip/via.js';
import { chunkSize, mustEqual, refusedOr } from './oracle.js';

/** A WireError, or a message whose serialisation parses to the same. */
export function runSip(bytes: Buffer): void {
  refusedOr(() => parseSipfrag(bytes));
  const message = refusedOr(() => parseSip(bytes));
  if (message === undefined) {
    answerable(bytes);
    return;
  }
  readEverything(message);
  const again = parseSip(serialised(message));
  mustEqual(again.all().filter(isNoLength), message.all().filter(isNoLength), 'header fields');
  mustEqual(again.body.equals(message.body), true, 'body');
  if (message.kind === 'request') encapsulated(message);
}

/** The same messages and faults however the octets are cut, and no more held than the limits. */
export function runSipStream(bytes: Buffer): void {
  const whole = streamed(bytes, bytes.length + 1);
  const size = chunkSize(bytes);
  mustEqual(streamed(bytes, size), whole, `stream in chunks of ${size}`);
}

function answerable(bytes: Buffer): void {
  const salvaged = salvageRequest(bytes);
  if (salvaged === undefined) return;
  const headers = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].flatMap((name) =>
    salvaged.fields(name).map((value): HeaderField => [name, value]),
  );
  serialiseResponse({ status: 400, headers });
}

function readEverything(message: SipMessage): void {
  for (const name of ['From', 'To']) refusedOr(() => parseNameAddr(message.header(name) ?? ''));
  for (const value of message.list('Contact')) refusedOr(() => parseNameAddr(value));
  for (const value of message.list('Via')) refusedOr(() => parseVia(value));
  refusedOr(() => parseCseq(message.header('CSeq') ?? ''));
  refusedOr(() => parseContentType(message.header('Content-Type') ?? ''));
  refusedOr(() => namesImTag(message.list('Accept-Contact')));
  refusedOr(() => parseChallenge(message.header('WWW-Authenticate') ?? ''));
  refusedOr(() => parseCredentials(message.header('Authorization') ?? ''));
  if (message.kind === 'request') {
    refusedOr(() => canonicalAor(message.uri));
    refusedOr(() => dialogOfRequest(message, 'tag'));
  }
}

function encapsulated(request: SipMessage & { readonly kind: 'request' }): void {
  const date = 'Fri, 20 Nov 2026 09:00:00 GMT';
  const masked = parseSip(maskedSip(request, { privacy: true, date }), {
    ...{ headerFields: 1_000, headerBytes: 1 << 20 },
  });
  mustEqual(masked.body.equals(request.body), true, 'body of message/sip');
  const fragment = parseSipfrag(sipfragOf(request, { privacy: true, date }));
  mustEqual(fragment.body.equals(request.body), true, 'body of message/sipfrag');
}

function streamed(bytes: Buffer, size: number): unknown[] {
  const stream = new SipStream();
  const told: unknown[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    for (const event of stream.push(Buffer.from(bytes.subarray(at, at + size)))) {
      if (event.kind === 'message') told.push(event.message.bytes.toString('latin1'));
      else if (event.kind === 'error') told.push([event.error.code, event.fatal]);
    }
  }
  return told;
}

function isNoLength([name]: HeaderField): boolean {
  return !['content-length', 'l'].includes(name.toLowerCase());
}

function serialised(message: SipMessage): Buffer {
  const parts = { headers: message.all(), body: message.body };
  return message.kind === 'request'
    ? serialiseRequest({ ...parts, method: message.method, uri: message.uri })
    : serialiseResponse({ ...parts, status: message.status, reason: message.reason });
}
