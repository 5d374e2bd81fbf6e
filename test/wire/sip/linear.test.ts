/** The time a message takes grows with its length and no faster. */

import { assert, expect, test } from 'vitest';
import { canonicalAor, uriEquals } from '../../../src/wire/sip/uri.js';
import { namesImTag } from '../../../src/wire/sip/accept-contact.js';
import { parseContentType } from '../../../src/wire/sip/content-type.js';
import { parseNameAddr } from '../../../src/wire/sip/name-addr.js';
import { parseSip, salvageRequest } from '../../../src/wire/sip/parse.js';
import { maskedSip } from '../../../src/wire/sip/sipfrag.js';
import { SipStream } from '../../../src/wire/sip/stream.js';
import { parseVia } from '../../../src/wire/sip/via.js';
import { parseWarning } from '../../../src/wire/sip/warning.js';
import { messageBytes } from './message.js';

const limits = { headerBytes: 1 << 24, headerFields: 1 << 20, bodyBytes: 1 << 24 };
const unit = 4_000;

/** Each makes work for an input of `size` pieces; `size` 16 times as large may take 64 times. */
const cases: readonly (readonly [string, (size: number) => () => unknown])[] = [
  ['many Vias', (size) => reading(repeated('Via: SIP/2.0/UDP h;branch=z9hG4bK1', size))],
  ['many fields of one name', (size) => reading(repeated('X-Same: value', size))],
  ['a long value', (size) => reading([`Subject: ${'x'.repeat(size * 8)}`])],
  ['a long run of blanks', (size) => reading([`Subject: a${' '.repeat(size * 8)}b`])],
  ['many folds', (size) => reading([`Subject: a${'\r\n a'.repeat(size)}`])],
  ['many blanks before folds', (size) => reading([`Subject: a${' \t \r\n '.repeat(size)}b`])],
  ['a long list', (size) => reading([`Contact: ${'<sip:a@h>,'.repeat(size)}`])],
  ['a list of open quotes', (size) => reading([`Contact: ${'"a\\",'.repeat(size)}`])],
  ['salvaging', (size) => () => salvageRequest(messageBytes(repeated('bad', size)))],
  ['parameters', (size) => () => parseNameAddr(`<sip:a@h>${';a=b'.repeat(size)}`)],
  ['different parameters', (size) => () => parseNameAddr(`<sip:a@h>${numbered(size)}`)],
  ['blanks in parameters', (size) => () => parseNameAddr(`<sip:a@h>;a${' '.repeat(size * 4)}=b`)],
  ['open brackets', (size) => () => tolerant(() => parseNameAddr('<'.repeat(size * 4)))],
  ['blanks in a Via', (size) => () => tolerant(() => parseVia(`SIP/2.0/UDP h${blanks(size)}x`))],
  ['blanks in a type', (size) => () => tolerant(() => parseContentType(`a/b${blanks(size)}x`))],
  ['escapes in a Warning', (size) => () => parseWarning(`399 h "${'\\a'.repeat(size)}`)],
  ['Accept-Contact', (size) => () => namesImTag([`${'*;audio,'.repeat(size)}*;video`])],
  [
    'URI parameters',
    (size) => () => uriEquals(`sip:a@h${numbered(size)}`, `sip:a@h${numbered(size)}`),
  ],
  ['URI headers', (size) => () => uriEquals(`sip:h?${headers(size)}`, `sip:h?${headers(size)}`)],
  ['an escaped user', (size) => () => canonicalAor(`sip:${'%61'.repeat(size)}@h`)],
  ['masking', (size) => masking(repeated('Authorization: Digest x', size))],
  ['a stream in chunks of 100 octets', (size) => streaming(100, 'x'.repeat(size * 20))],
  ['a stream octet by octet', (size) => streaming(1, 'x'.repeat(size * 4))],
];

test.each(cases)('linear: %s', (_name, work) => {
  const small = work(unit);
  const large = work(unit * 16);
  // Quadratic work takes 256 times as long in every attempt; a busy machine does not disturb all.
  let least = Infinity;
  for (let attempt = 0; attempt < 12 && least >= 64; attempt++) {
    least = Math.min(least, elapsedMs(large) / Math.max(elapsedMs(small), 2));
  }
  expect(least).toBeLessThan(64);
});

function reading(lines: readonly string[]): () => unknown {
  const bytes = messageBytes(lines);
  return () => {
    const message = parseSip(bytes, limits);
    return [message.list('contact'), message.fields('via'), message.header('subject')];
  };
}

function masking(lines: readonly string[]): () => unknown {
  const message = parseSip(messageBytes(lines), limits);
  assert(message.kind === 'request');
  return () => maskedSip(message);
}

function streaming(chunkBytes: number, body: string): () => unknown {
  const bytes = messageBytes([], body);
  return () => {
    const stream = new SipStream(limits);
    let messages = 0;
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      messages += stream.push(bytes.subarray(at, at + chunkBytes)).length;
    }
    return messages;
  };
}

/** Of the processor: what else the machine does is no matter. */
function elapsedMs(work: () => unknown): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1_000;
}

function tolerant(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}

function repeated(line: string, count: number): string[] {
  return Array<string>(count).fill(line);
}

function numbered(count: number): string {
  return Array.from({ length: count }, (_, index) => `;p${index}=v`).join('');
}

function headers(count: number): string {
  return Array.from({ length: count }, (_, index) => `h${index}=v`).join('&');
}

function blanks(count: number): string {
  return ' \t'.repeat(count);
}
