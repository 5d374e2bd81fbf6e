/** Framing SIP messages out of a stream. */

import { describe, expect, test } from 'vitest';
import { SipStream } from '../../../src/wire/sip/stream.js';
import type { SipStreamEvent } from '../../../src/wire/sip/stream.js';
import { MANDATORY, messageBytes, withBody } from './message.js';

describe('TP-03: framing', () => {
  test('many messages in one chunk come out in order, with their bodies', () => {
    const bodies = ['one', '', 'three\r\n\r\n', 'x'.repeat(5_000)];
    const chunk = Buffer.concat(bodies.map((body) => messageBytes(['X-A: 1'], body)));
    expect(bodiesOf(new SipStream().push(chunk))).toEqual(bodies);
  });

  test('a message that was handed out is not written over by later chunks', () => {
    const stream = new SipStream();
    const first = messageBytes([], 'first');
    const second = messageBytes([], 'second');
    const all = Buffer.concat([first, second, first, second]);
    const events: SipStreamEvent[] = [];
    for (let at = 0; at < all.length; at += 7) {
      // A private copy, as a socket would give it.
      events.push(...stream.push(Buffer.from(all.subarray(at, at + 7))));
    }
    expect(bodiesOf(events)).toEqual(['first', 'second', 'first', 'second']);
    const octets = events.map((event) => (event.kind === 'message' ? event.message.bytes : null));
    expect(octets).toEqual([first, second, first, second]);
  });

  test('without Content-Length the framing is lost: 400, answerable, then silence', () => {
    const stream = new SipStream();
    const lines = ['MESSAGE sip:b@h SIP/2.0', ...MANDATORY, 'CSeq: 3 MESSAGE', '', ''];
    const [event, ...others] = stream.push(Buffer.from(lines.join('\r\n')));
    expect(others).toEqual([]);
    expect(summary(event)).toBe('SIP_CONTENT_LENGTH_MISSING 400 MESSAGE fatal');
    expect(stream.isBroken).toBe(true);
    expect(stream.push(messageBytes([]))).toEqual([]);
    expect(stream.pendingBytes).toBe(0);
  });

  test('a message that is wrong but framed does not end the connection of others', () => {
    const wrong = messageBytes(['Max-Forwards: x'], 'body');
    const stream = new SipStream();
    const events = stream.push(Buffer.concat([wrong, messageBytes([], 'next')]));
    expect(summary(events[0])).toBe('SIP_MAX_FORWARDS 400 MESSAGE');
    expect(bodiesOf(events.slice(1))).toEqual(['next']);
  });

  test('two Content-Lengths are ambiguous and end the stream', () => {
    const [event] = new SipStream().push(messageBytes(['Content-Length: 5'], 'hello'));
    expect(summary(event)).toBe('SIP_DUPLICATE_HEADER 400 MESSAGE fatal');
  });

  test('a response that is wrong is reported and has nobody to answer', () => {
    const [event] = new SipStream().push(withBody(['SIP/2.0 200 OK', ...MANDATORY]));
    expect(summary(event)).toBe('SIP_MISSING_HEADER 400 nobody');
  });
});

test('the chunks of the caller are never written to', () => {
  const stream = new SipStream();
  const socketBuffer = Buffer.alloc(1_000);
  const bytes = messageBytes([], 'hello');
  bytes.copy(socketBuffer);
  stream.push(socketBuffer.subarray(0, 50));
  stream.push(Buffer.from(bytes.subarray(50, 60)));
  expect(socketBuffer.subarray(0, bytes.length)).toEqual(bytes);
  expect(bodiesOf(stream.push(Buffer.from(bytes.subarray(60))))).toEqual(['hello']);
  expect(socketBuffer.subarray(bytes.length).every((octet) => octet === 0)).toBe(true);
});

describe('KA-01: keep-alive', () => {
  test('a double CRLF between messages is one ping', () => {
    const stream = new SipStream();
    const events = stream.push(Buffer.concat([messageBytes([]), Buffer.from('\r\n\r\n')]));
    expect(events.map((event) => event.kind)).toEqual(['message', 'pong', 'ping']);
  });

  test('a single CRLF is a pong, its second half makes a ping, in four pieces too', () => {
    const stream = new SipStream();
    const kinds = ['\r', '\n', '\r', '\n'].map((octet) =>
      stream.push(Buffer.from(octet)).map((event) => event.kind),
    );
    expect(kinds).toEqual([[], ['pong'], [], ['ping']]);
  });

  test('line ends before and behind a message do not add up to a ping', () => {
    const stream = new SipStream();
    const chunks = [Buffer.from('\r\n'), messageBytes([]), Buffer.from('\r\n')];
    const kinds = chunks.flatMap((chunk) => stream.push(chunk).map((event) => event.kind));
    expect(kinds).toEqual(['pong', 'message', 'pong']);
  });

  test('a flood of line ends asks for one answer per chunk', () => {
    const events = new SipStream().push(Buffer.from('\r\n'.repeat(30_000)));
    expect(events.map((event) => event.kind)).toEqual(['pong', 'ping']);
  });
});

describe('bounds', () => {
  test('endless header lines end at the bound with 513, the request answerable', () => {
    const stream = new SipStream({ headerBytes: 1_000 });
    const head = messageBytes([])
      .toString()
      .replace(/Content-Length[^]*$/, '');
    const events = stream.push(Buffer.from(head));
    expect(events).toEqual([]);
    for (let at = 0; at < 100; at++) events.push(...stream.push(Buffer.from('X-Slow: y\r\n')));
    expect(events.map(summary)).toEqual(['SIP_HEADER_TOO_LONG 513 MESSAGE fatal']);
    expect(stream.pendingBytes).toBe(0);
  });

  test('an endless start line ends at the bound', () => {
    const [event] = new SipStream({ headerBytes: 100 }).push(Buffer.alloc(200, 0x41));
    expect(summary(event)).toBe('SIP_HEADER_TOO_LONG 513 nobody fatal');
  });

  test('a head that is complete but too long is refused however it is cut', () => {
    const bytes = messageBytes([`Subject: ${'x'.repeat(500)}`]);
    const limits = { headerBytes: bytes.length - 1 };
    const [event] = new SipStream(limits).push(bytes);
    expect(summary(event)).toBe('SIP_HEADER_TOO_LONG 513 MESSAGE fatal');
    expect(new SipStream({ headerBytes: bytes.length }).push(bytes)[0]?.kind).toBe('message');
  });

  test('a body beyond the bound is refused before it comes', () => {
    const bytes = messageBytes([], 'x'.repeat(101)).subarray(0, -101);
    const [event] = new SipStream({ bodyBytes: 100 }).push(bytes);
    expect(summary(event)).toBe('SIP_BODY_TOO_LARGE 513 MESSAGE fatal');
  });

  test('octets held never exceed what was sent of the message', () => {
    const stream = new SipStream();
    const bytes = messageBytes([], 'hello');
    stream.push(bytes.subarray(0, -1));
    expect(stream.pendingBytes).toBe(bytes.length - 1);
    stream.push(bytes.subarray(-1));
    expect(stream.pendingBytes).toBe(0);
  });
});

function bodiesOf(events: readonly SipStreamEvent[]): string[] {
  return events.map((event) =>
    event.kind === 'message' ? event.message.body.toString() : `no message but ${event.kind}`,
  );
}

function summary(event: SipStreamEvent | undefined): string {
  if (event?.kind !== 'error') return event?.kind ?? 'nothing';
  const whom = event.salvaged?.method ?? 'nobody';
  return `${event.error.code} ${event.error.status} ${whom}${event.fatal ? ' fatal' : ''}`;
}
