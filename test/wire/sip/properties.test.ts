/** Properties of parser and serialiser over generated input. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WireError } from '../../../src/wire/error.js';
import { parseNameAddr } from '../../../src/wire/sip/name-addr.js';
import type { HeaderField, SipMessage } from '../../../src/wire/sip/message.js';
import { parseSip, salvageRequest } from '../../../src/wire/sip/parse.js';
import { serialiseRequest, serialiseResponse } from '../../../src/wire/sip/serialise.js';
import { parseSipfrag } from '../../../src/wire/sip/sipfrag.js';
import { SipStream } from '../../../src/wire/sip/stream.js';
import { formatUri, parseUri, uriEquals } from '../../../src/wire/sip/uri.js';
import { parseVia } from '../../../src/wire/sip/via.js';
import { sipVectors } from './vectors.js';

const token = fc.stringMatching(/^[A-Za-z0-9\-.!%*_+`'~]{1,12}$/);
const value = fc
  .string({ unit: 'grapheme', maxLength: 40 })
  .map((text) => text.replace(/[\x00-\x1f\x7f]/g, '').trim());
const body = fc.uint8Array({ maxLength: 60 }).map((octets) => Buffer.from(octets));
const extra = fc.array(
  fc.tuple(
    token.map((name) => `X-${name}`),
    value,
  ),
  { maxLength: 6 },
);
const method = fc.constantFrom('MESSAGE', 'INVITE', 'ACK', 'FOO', 're%47');
const number = fc.integer({ min: 0, max: 2 ** 31 - 1 });

const message = fc.record({ method, number, extra, body, callId: token, tag: token });
type Parts = typeof message extends fc.Arbitrary<infer T> ? T : never;

test('serialise then parse is the identity, requests', () => {
  fc.assert(
    fc.property(message, (parts) => {
      const fields = fieldsOf(parts);
      const uri = 'sip:b@h;x=1';
      const bytes = serialiseRequest({
        method: parts.method,
        uri,
        headers: fields,
        body: parts.body,
      });
      const parsed = parseSip(bytes);
      expect(parsed).toMatchObject({ kind: 'request', method: parts.method, uri });
      expectSame(parsed, fields, parts.body);
    }),
  );
});

test('serialise then parse is the identity, responses', () => {
  fc.assert(
    fc.property(message, fc.integer({ min: 100, max: 699 }), value, (parts, status, reason) => {
      const fields = fieldsOf(parts);
      const bytes = serialiseResponse({ status, reason, headers: fields, body: parts.body });
      const parsed = parseSip(bytes);
      expect(parsed).toMatchObject({ kind: 'response', status, reason });
      expectSame(parsed, fields, parts.body);
    }),
  );
});

test('a stream yields the same messages however it is cut', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 4 }), fc.array(fc.nat(200)), (all, cuts) => {
      const messages = all.map((parts) =>
        serialiseRequest({
          method: parts.method,
          uri: 'sip:b@h',
          headers: fieldsOf(parts),
          body: parts.body,
        }),
      );
      expect(streamed(Buffer.concat(messages), cuts)).toEqual(messages);
    }),
  );
});

test('TP-07: changed octets of real messages: a WireError, or a message that survives', () => {
  const sources = sipVectors()
    .map((vector) => vector.bytes)
    .filter((bytes) => bytes.length < 2_000);
  const change = fc.record({ at: fc.nat(), octet: fc.integer({ min: 0, max: 255 }) });
  fc.assert(
    fc.property(
      fc.constantFrom(...sources),
      fc.array(change, { maxLength: 8 }),
      (bytes, changes) => {
        const changed = Buffer.from(bytes);
        for (const { at, octet } of changes) changed[at % changed.length] = octet;
        expectSurvives(changed);
        const whole = outcome(changed, []);
        expect(outcome(changed, [1, 7, 50])).toEqual(whole);
      },
    ),
    { numRuns: 2_000 },
  );
});

test('any octets at all: a WireError, or a message that survives', () => {
  const pieces = fc.constantFrom(
    'MESSAGE sip:a@h SIP/2.0\r\n',
    'SIP/2.0 200 OK\r\n',
    'Via: SIP/2.0/UDP h;branch=1\r\n',
    'f: <sip:a@h>;tag=1\r\nt: <sip:b@h>\r\ni: 1\r\n',
    'CSeq: 1 MESSAGE\r\n',
    'l: 3\r\n',
    '\r\n',
    ' fold\r\n',
    'abc',
    '"',
    '<',
  );
  const octets = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
    fc.array(pieces, { maxLength: 14 }).map((array) => Buffer.from(array.join(''))),
  );
  fc.assert(
    fc.property(octets, (bytes) => {
      expectSurvives(bytes);
      onlyWireErrors(() => parseSipfrag(bytes));
      expect(outcome(bytes, [3, 1])).toEqual(outcome(bytes, []));
    }),
    { numRuns: 2_000 },
  );
});

test('any text as a value: a WireError or a result', () => {
  const noise = fc.stringMatching(/^[ \t<>"\\;,=:@%?[\]a-c0-2/.+-]{0,30}$/);
  const text = fc.oneof(
    noise,
    noise.map((rest) => `sip:${rest}`),
    fc.string(),
  );
  fc.assert(
    fc.property(text, (input) => {
      onlyWireErrors(() => parseNameAddr(input));
      onlyWireErrors(() => parseVia(`SIP/2.0/UDP ${input}`));
      const uri = onlyWireErrors(() => parseUri(input));
      if (uri === undefined) return;
      // Parameter names come out in lower case, so equality and not identity.
      expect(uriEquals(formatUri(uri), input)).toBe(true);
      expect(parseUri(formatUri(uri))).toEqual(uri.scheme === 'other' ? uri : { ...uri });
    }),
    { numRuns: 2_000 },
  );
});

function fieldsOf(parts: Parts): HeaderField[] {
  return [
    ['Via', 'SIP/2.0/UDP h;branch=z9hG4bK1'],
    ['From', `<sip:a@h>;tag=${parts.tag}`],
    ['To', '<sip:b@h>'],
    ['Call-ID', parts.callId],
    ['CSeq', `${parts.number} ${parts.method}`],
    ...parts.extra,
  ];
}

function expectSame(parsed: SipMessage, fields: readonly HeaderField[], octets: Buffer): void {
  expect(parsed.all().slice(0, -1)).toEqual(fields);
  expect(parsed.header('content-length')).toBe(String(octets.length));
  expect(parsed.body).toEqual(octets);
}

function expectSurvives(bytes: Buffer): void {
  const first = onlyWireErrors(() => parseSip(bytes));
  if (!first) {
    const salvaged = salvageRequest(bytes);
    if (!salvaged) return;
    const names = ['Via', 'From', 'To', 'Call-ID', 'CSeq'];
    const headers = names.flatMap((name) =>
      salvaged.fields(name).map((field): HeaderField => [name, field]),
    );
    expect(serialiseResponse({ status: 400, headers }).length).toBeGreaterThan(0);
    return;
  }
  const again = parseSip(serialised(first));
  expect(again.all().filter(isNoLength)).toEqual(first.all().filter(isNoLength));
  expect(again.body).toEqual(first.body);
}

function isNoLength([name]: HeaderField): boolean {
  return !['content-length', 'l'].includes(name.toLowerCase());
}

function serialised(parsed: SipMessage): Buffer {
  const parts = { headers: parsed.all(), body: parsed.body };
  return parsed.kind === 'request'
    ? serialiseRequest({ ...parts, method: parsed.method, uri: parsed.uri })
    : serialiseResponse({ ...parts, status: parsed.status, reason: parsed.reason });
}

function streamed(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  return events(bytes, cuts).flatMap((event) =>
    event.kind === 'message' ? [event.message.bytes] : [],
  );
}

/** What a stream makes of the octets, without the keep-alives that depend on the chunks. */
function outcome(bytes: Buffer, cuts: readonly number[]): unknown[] {
  return events(bytes, cuts).flatMap((event) => {
    if (event.kind === 'message') return [event.message.bytes.toString('latin1')];
    return event.kind === 'error' ? [event.error.code, event.fatal] : [];
  });
}

function events(bytes: Buffer, cuts: readonly number[]) {
  const stream = new SipStream();
  const found = [];
  let from = 0;
  for (const cut of cuts) {
    found.push(...stream.push(bytes.subarray(from, from + cut)));
    from += cut;
  }
  found.push(...stream.push(bytes.subarray(from)));
  return found;
}

function onlyWireErrors<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
