/** RFC 4475, RFC 5118 and our own cases: whole, split at each octet, and with trailing octets. */

import { describe, expect, test } from 'vitest';
import { WireError } from '../../../src/wire/error.js';
import { parseSip, salvageRequest } from '../../../src/wire/sip/parse.js';
import { SipStream } from '../../../src/wire/sip/stream.js';
import type { SipStreamEvent } from '../../../src/wire/sip/stream.js';
import { sipVectors } from './vectors.js';

const vectors = sipVectors();
const following = Buffer.from(
  'OPTIONS sip:b@h SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bKx\r\nFrom: <sip:a@h>;tag=1\r\n' +
    'To: <sip:b@h>\r\nCall-ID: following\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n',
);

test('TP-07: the corpus is complete', () => {
  expect(vectors.filter((vector) => vector.name.startsWith('RFC 4475'))).toHaveLength(29);
  expect(vectors.filter((vector) => vector.name.startsWith('RFC 5118'))).toHaveLength(7);
  expect(vectors.filter((vector) => vector.name.startsWith('own'))).toHaveLength(51);
  expect(vectors.filter((vector) => vector.fails)).toEqual([]);
});

describe('TP-07: as a datagram', () => {
  test.each(vectors)('$name: $note', ({ bytes, datagram }) => {
    expect(datagramResult(bytes)).toBe(datagram);
  });

  test.each(vectors)('$name with octets behind: same head', ({ bytes, datagram }) => {
    const longer = Buffer.concat([bytes, Buffer.from('trailing')]);
    // Without an empty line the added octets are part of the last header line.
    if (/TRUNCATED|EMPTY/.test(datagram)) expect(datagramResult(longer)).not.toBe('ok');
    else expect(datagramResult(longer)).toBe(datagram);
  });

  test.each(vectors)('$name cut anywhere: a message or a WireError', ({ bytes }) => {
    const step = Math.max(1, Math.floor(bytes.length / 500));
    const results = new Set<string>();
    for (let end = 0; end < bytes.length; end += step) {
      results.add(datagramResult(bytes.subarray(0, end)));
    }
    for (const result of results) expect(result).toMatch(/^(ok|SIP_[A-Z_]+ [0-9]{3} )/);
  });
});

describe('TP-03: over a stream', () => {
  test.each(vectors)('$name whole', ({ bytes, stream, pending }) => {
    expect(streamResult([bytes])).toEqual({ events: stream, pending });
  });

  test.each(vectors)('$name octet by octet', ({ bytes, stream, pending }) => {
    const octets = Array.from(bytes, (octet) => Buffer.from([octet]));
    expect(streamResult(octets)).toEqual({ events: stream, pending });
  });

  test.each(vectors)('$name split at every octet', ({ bytes, stream, pending }) => {
    // Large cases are split at some 400 places; octet by octet covers the others.
    const step = bytes.length > 2_000 ? Math.ceil(bytes.length / 400) : 1;
    const results = new Set<string>();
    for (let at = 0; at <= bytes.length; at += step) {
      results.add(JSON.stringify(streamResult([bytes.subarray(0, at), bytes.subarray(at)])));
    }
    expect([...results].map((result): unknown => JSON.parse(result))).toEqual([
      { events: stream, pending },
    ]);
  });

  test.each(vectors)('$name with another message behind', ({ bytes, stream, pending }) => {
    const { events } = streamResult([Buffer.concat([bytes, following])]);
    const isLost = stream.at(-1)?.endsWith('fatal') === true;
    if (isLost) expect(events).toEqual(stream);
    else if (pending === 0) expect(events).toEqual([...stream, 'ok']);
    else expect(events.slice(0, stream.length)).toEqual(stream);
  });
});

function datagramResult(bytes: Buffer): string {
  try {
    parseSip(bytes);
    return 'ok';
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const answerable = salvageRequest(bytes) ? 'answerable' : 'unanswerable';
    return `${error.code} ${error.status} ${answerable}`;
  }
}

function streamResult(chunks: readonly Buffer[]): { events: string[]; pending: number } {
  const stream = new SipStream();
  const events: string[] = [];
  for (const chunk of chunks) events.push(...stream.push(chunk).map(eventResult));
  return { events, pending: stream.pendingBytes };
}

function eventResult(event: SipStreamEvent): string {
  if (event.kind === 'message') return 'ok';
  if (event.kind !== 'error') return event.kind;
  const answerable = event.salvaged ? 'answerable' : 'unanswerable';
  return `${event.error.code} ${event.error.status} ${answerable}${event.fatal ? ' fatal' : ''}`;
}
