/** The short way of a MESSAGE to its shard: its octets say whom it is for, or it is parsed. */

import { expect, test } from 'vitest';
import { plainTarget } from '../../src/server/plain-target.js';

const fields = [
  'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa',
  'From: <sip:alice@example.org>;tag=1',
  'Call-ID: a',
  'CSeq: 1 MESSAGE',
  'Content-Length: 2',
];
const octets = (start: string, ...more: readonly string[]): Buffer =>
  Buffer.from([start, ...fields, ...more, '', 'hi'].join('\r\n'));
const start = 'MESSAGE sip:bob@example.org SIP/2.0';

test.each([
  ['To: <sip:bob@example.org>'],
  ['t: <sip:bob@example.org>'],
  ['To: "a;tag" <sip:bob@example.org>', 'Timestamp: 54;tag=1'],
  ['TO : <sip:bob@example.org>', 'P-Asserted-Identity: <sip:alice@example.org>'],
])('U31: a plain MESSAGE goes by its Request-URI: %s', (...more) => {
  const isQuoted = more[0].includes('"');
  expect(plainTarget(octets(start, ...more))).toBe(isQuoted ? undefined : 'sip:bob@example.org');
});

test.each([
  ['another method', octets('INVITE sip:bob@example.org SIP/2.0', 'To: <sip:bob@example.org>')],
  ['a longer method', octets('MESSAGES sip:bob@example.org SIP/2.0')],
  ['another version', octets('MESSAGE sip:bob@example.org SIP/3.0')],
  ['two spaces', octets('MESSAGE  sip:bob@example.org SIP/2.0')],
  ['in a dialog', octets(start, 'To: <sip:bob@example.org>;tag=Z1abcdefgh')],
  ['in a dialog, compact', octets(start, 't: <sip:bob@example.org> ; TAG=Z1abcdefgh')],
  ['a served user', octets(start, 'To: <sip:b@x>', 'P-Served-User: <sip:carol@example.org>')],
  ['a served user in lower case', octets(start, 'To: <sip:b@x>', 'p-served-user : <sip:c@x>')],
  ['a folded field', octets(start, 'To: <sip:bob@example.org>', ' ;tag=1')],
  ['no end', Buffer.from(`${start}\r\nTo: <sip:bob@example.org>\r\n`)],
  ['an end behind 4,096 octets', octets(start, `Subject: ${'x'.repeat(5_000)}`)],
  ['nothing', Buffer.alloc(0)],
  ['a start', Buffer.from('MESSAGE ')],
])('U31: what looks unusual is parsed: %s', (_what, bytes) => {
  expect(plainTarget(bytes)).toBeUndefined();
});
