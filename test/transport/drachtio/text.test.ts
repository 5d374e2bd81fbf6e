/** Bodies pass drachtio's control protocol whole, or not at all. */

import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  bodyText,
  headersOf,
  readText,
  withoutBody,
} from '../../../src/transport/drachtio/text.js';
import { WireError } from '../../../src/wire/error.js';
import { parseSip } from '../../../src/wire/sip/parse.js';
import { serialiseRequest } from '../../../src/wire/sip/serialise.js';

const headers = [
  ['Via', 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa'],
  ['From', '<sip:a@example.com>;tag=1'],
  ['To', '<sip:b@example.org>'],
  ['Call-ID', 'c'],
  ['CSeq', '1 MESSAGE'],
  ['Content-Type', 'application/octet-stream'],
] as const;

/** Text, octets, and text with octets in it: each finds what the others do not. */
const bodies = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 40 }).map((one) => new TextEncoder().encode(one)),
  fc
    .tuple(
      fc.string({ unit: 'grapheme', maxLength: 20 }),
      fc.uint8Array({ maxLength: 3 }),
      fc.nat(80),
    )
    .map(([one, octets, at]) => {
      const whole = Buffer.from(one);
      return Buffer.concat([whole.subarray(0, at), octets, whole.subarray(at)]);
    }),
);

test('a body that comes in is what was sent, or is known to be damaged', () => {
  fc.assert(
    fc.property(bodies, (octets) => {
      const body = Buffer.from(octets);
      const sent = serialiseRequest({ method: 'MESSAGE', uri: 'sip:b@example.org', headers, body });
      const { message, isDamaged } = readText(sent.toString('utf8'));
      if (!isDamaged) expect(message.body).toEqual(body);
      else expect(isUtf8(body) && !body.includes('\uFFFD')).toBe(false);
    }),
    { numRuns: 5_000 },
  );
});

test('a body that leaves is what was given, or is refused', () => {
  fc.assert(
    fc.property(bodies, (octets) => {
      const body = Buffer.from(octets);
      let text: string;
      try {
        text = bodyText(body);
      } catch (error) {
        expect(error).toMatchObject({ code: 'DRACHTIO_BODY' });
        return;
      }
      // What the server does: a C string up to its first NUL.
      expect(Buffer.from(text.split('\0')[0]!)).toEqual(body);
    }),
    { numRuns: 5_000 },
  );
});

test('a body of any valid text without NUL and U+FFFD passes both ways', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (one) => {
      fc.pre(!/[\0\uFFFD]/.test(one));
      const body = Buffer.from(one);
      expect(bodyText(body)).toBe(one);
      const sent = serialiseRequest({ method: 'MESSAGE', uri: 'sip:b@example.org', headers, body });
      expect(readText(sent.toString('utf8'))).toMatchObject({ isDamaged: false });
    }),
  );
});

test('a length that is not that of the body is damage, or no message', () => {
  const raw = (length: number): string =>
    `MESSAGE sip:b@example.org SIP/2.0\r\n${headers.map((one) => one.join(': ')).join('\r\n')}` +
    `\r\nContent-Length: ${length}\r\n\r\nabc`;
  expect(readText(raw(3)).isDamaged).toBe(false);
  expect(readText(raw(2)).isDamaged).toBe(true);
  expect(() => readText(raw(4))).toThrow(WireError);
});

test('a message without its body has no field of it, folded ones included', () => {
  const text = [
    'SIP/2.0 200 OK',
    ...headers.slice(0, 5).map((one) => one.join(': ')),
    'c: multipart/mixed;',
    ' boundary=x',
    'l: 3',
    'Server: y',
    '',
    'abc',
  ].join('\r\n');
  const bare = withoutBody(parseSip(Buffer.from(text)));
  expect(bare.body.length).toBe(0);
  expect(bare.header('Content-Type')).toBeUndefined();
  expect([bare.header('Server'), bare.header('Content-Length')]).toEqual(['y', '0']);
});

test('fields of one name become one, and no name is special', () => {
  const record = headersOf([
    ['Accept', 'text/plain'],
    ['__proto__', 'a'],
    ['accept', 'text/html'],
    ['constructor', 'b'],
  ]);
  expect(Object.entries(record)).toEqual([
    ['Accept', 'text/plain, text/html'],
    ['__proto__', 'a'],
    ['constructor', 'b'],
  ]);
});
