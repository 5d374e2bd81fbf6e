/** What an endpoint sends, seen by a peer (RFC 4975 5.4, 7.1; MSRP-02 … MSRP-23). */

import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Content, MsrpOutgoing, Random } from '../../../src/ports.js';
import { ManualClock } from '../../../src/testing/clock.js';
import { outgoing, patternBytes } from '../../../src/testing/msrp-recorder.js';
import type { MsrpRequestHead } from '../../../src/wire/msrp/frame.js';
import { RawListener, startEndpoint } from './raw-peer.js';
import type { RawPeer, Running } from './raw-peer.js';

let clock: ManualClock;
let listener: RawListener;
let running: Running;
let peer: RawPeer;
let tokens: string[];

/** Draws what a test prepared first, then tokens that are all different. */
const random: Random = {
  token: (length) => tokens.shift() ?? `t${String(drawn++).padStart(length - 1, '0')}`,
};
let drawn = 0;

beforeEach(async () => {
  tokens = [];
  clock = new ManualClock();
  listener = await RawListener.open();
  const limits = { outgoingMessages: 5 };
  running = await startEndpoint({ clock, random, limits, windowBytes: 20_000, chunkMax: 8_192 });
});

afterEach(async () => {
  await running.endpoint.stop(0);
  await listener.close();
});

async function bind(owner = 'one', path = [listener.uri(`peer-${owner}`)]): Promise<void> {
  const before = listener.peers[0]?.requests.length ?? 0;
  running.endpoint.reserve(owner);
  running.endpoint.connect(owner, { path, active: true });
  peer = await listener.peer();
  const { head } = await peer.request(before);
  peer.answer(head);
  await running.recorder.hears('connected', owner);
}

function send(messageId: string, body: Buffer | string, changes: Partial<MsrpOutgoing> = {}): void {
  running.endpoint.send(outgoing('one', messageId, body, changes));
}

/** Answers every chunk of a message with 200 and returns its chunks once it is whole. */
async function takeAll(messageId: string): Promise<(typeof peer.requests)[number][]> {
  const answered = new Set<string>();
  const isWhole = (): boolean => {
    for (const { head } of peer.requests) {
      if (head.messageId !== messageId || answered.has(head.transactionId)) continue;
      answered.add(head.transactionId);
      peer.answer(head);
    }
    return peer.requests.some((one) => one.head.messageId === messageId && one.flag !== '+');
  };
  await peer.until(isWhole);
  return peer.requests.filter((one) => one.head.messageId === messageId);
}

function report(head: MsrpRequestHead, range: string, status: number): string {
  const paths = `To-Path: ${head.fromPath[0]!}\r\nFrom-Path: ${head.toPath[0]!}\r\n`;
  const rest = `Message-ID: ${head.messageId}\r\nByte-Range: ${range}\r\nStatus: 000 ${status} X\r\n`;
  const id = `rep${drawn++}x`;
  return `MSRP ${id} REPORT\r\n${paths}${rest}-------${id}$\r\n`;
}

test('MSRP-11: the active endpoint binds with a bodiless SEND', async () => {
  const uri = running.endpoint.reserve('one');
  await bind();
  const [{ head, body, flag }] = [peer.requests[0]!];
  expect(head.method).toBe('SEND');
  expect(head.toPath).toEqual([listener.uri('peer-one')]);
  expect(head.fromPath).toEqual([uri]);
  expect(head.hasBody).toBe(false);
  expect(head.contentType).toBeUndefined();
  expect(body).toHaveLength(0);
  expect(flag).toBe('$');
});

test('MSRP-12: a refused binding is told, also by a connection that is refused', async () => {
  running.endpoint.reserve('one');
  running.endpoint.connect('one', { path: [listener.uri('x')], active: true });
  peer = await listener.peer();
  peer.answer((await peer.request(0)).head, 481);
  await running.recorder.hears('lost', 'one refused');
  const path = [listener.uri('x')];
  await running.endpoint.stop(0);
  await listener.close();
  listener = await RawListener.open();
  running = await startEndpoint({ clock, random });
  running.endpoint.reserve('two');
  running.endpoint.connect('two', { path, active: true });
  await running.recorder.hears('lost', 'two refused');
});

test('MSRP-22: a binding that is not answered is lost after 30 s', async () => {
  running.endpoint.reserve('one');
  running.endpoint.connect('one', { path: [listener.uri('x')], active: true });
  await (await listener.peer()).request(0);
  clock.advance(29_999);
  expect(running.recorder.heard).toEqual([]);
  clock.advance(1);
  expect(running.recorder.of('lost')).toEqual(['one timeout']);
});

test('MSRP-15: of several URIs the leftmost is connected to, To-Path is all of them', async () => {
  const path = [listener.uri('relay'), 'msrp://192.0.2.1:7777/target;tcp'];
  await bind('one', path);
  expect(peer.requests[0]?.head.toPath).toEqual(path);
  send('msga', 'hello');
  const [chunk] = await takeAll('msga');
  expect(chunk?.head.toPath).toEqual(path);
});

test('MSRP-05: a small message is one chunk with its whole range', async () => {
  await bind();
  send('msga', 'hello', { successReport: true, headers: [['Content-Disposition', 'inline']] });
  const [{ head, body, flag }] = (await takeAll('msga')) as [(typeof peer.requests)[number]];
  expect(head.byteRange).toEqual({ start: 1, end: 5, total: 5 });
  expect(head.successReport).toBe(true);
  expect(head.failureReport).toBe('yes');
  expect(head.headers.at(-1)).toEqual(['Content-Type', 'text/plain']);
  expect(head.headers).toContainEqual(['Content-Disposition', 'inline']);
  expect(body.toString()).toBe('hello');
  expect(flag).toBe('$');
  await running.recorder.hears('sent', 'one/sender msga 200');
});

test('MSRP-06: a long body goes in interruptible chunks, none below 2048 but the last', async () => {
  await bind();
  const bytes = patternBytes(50_001);
  send('msga', bytes, { successReport: true });
  const chunks = await takeAll('msga');
  let offset = 0;
  for (const [index, { head, body, flag }] of chunks.entries()) {
    const isLast = index === chunks.length - 1;
    expect(head.byteRange?.start).toBe(offset + 1);
    expect(head.byteRange?.total).toBe(50_001);
    if (body.length > 2048) expect(head.byteRange?.end).toBeUndefined();
    if (!isLast) expect(body.length).toBeGreaterThanOrEqual(2048);
    expect(head.successReport).toBe(true);
    expect(flag).toBe(isLast ? '$' : '+');
    expect(body.equals(bytes.subarray(offset, offset + body.length))).toBe(true);
    offset += body.length;
  }
  expect(offset).toBe(50_001);
  await running.recorder.hears('sent', 'one/sender msga 200');
});

test('MSRP-06: no more octets are unanswered than the window takes', async () => {
  await bind();
  let read = 0;
  const bytes = patternBytes(200_000);
  const content: Content = {
    size: bytes.length,
    read: (offset, length) => {
      read = Math.max(read, offset + length);
      return bytes.subarray(offset, offset + length);
    },
  };
  send('msga', '', { content });
  await peer.until(() => peer.requests.length === 4);
  const inFlight = peer.requests.reduce((sum, { body }) => sum + body.length, 0);
  expect(inFlight).toBeLessThanOrEqual(20_000 + 2_048);
  expect(read).toBeLessThanOrEqual(20_000 + 8_192 + 2_048);
  await takeAll('msga');
  await running.recorder.hears('sent', 'one/sender msga 200');
});

test('MSRP-06: a chunk is interrupted when a response has to go out', async () => {
  await bind();
  const bytes = patternBytes(8_000);
  let release = (): void => undefined;
  const content: Content = {
    size: bytes.length,
    read: (offset, length) => {
      if (offset === 0) return bytes.subarray(0, 3_000);
      return new Promise((resolve) => {
        release = () => resolve(bytes.subarray(offset, offset + length));
      });
    },
  };
  send('msga', '', { content });
  const bound = peer.requests[0]!.head;
  const paths = `To-Path: ${bound.fromPath[0]!}\r\nFrom-Path: ${bound.toPath[0]!}\r\n`;
  peer.write(`MSRP tx01 SEND\r\n${paths}Message-ID: back\r\n-------tx01$\r\n`);
  expect(await peer.status('tx01')).toBe(200);
  const [first] = peer.requests.slice(1);
  expect(first?.flag).toBe('+');
  expect(first?.body).toHaveLength(3_000);
  release();
  const chunks = await takeAll('msga');
  expect(chunks[1]?.head.byteRange).toEqual({ start: 3_001, end: undefined, total: 8_000 });
  expect(Buffer.concat(chunks.map(({ body }) => body)).equals(bytes)).toBe(true);
});

test('MSRP-06: sessions on one connection take turns by chunks of 2048', async () => {
  await bind('one');
  await bind('two');
  expect(listener.peers).toHaveLength(1);
  send('msga', patternBytes(9_000));
  running.endpoint.send(outgoing('two', 'msgb', patternBytes(9_000)));
  await takeAll('msga');
  await takeAll('msgb');
  const order = peer.requests.slice(2).map(({ head, body }) => `${head.messageId} ${body.length}`);
  expect(order).toEqual([
    ...['msga 2048', 'msgb 2048', 'msga 2048', 'msgb 2048', 'msga 2048', 'msgb 2048'],
    ...['msga 2048', 'msgb 2048', 'msga 808', 'msgb 808'],
  ]);
});

test('MSRP-02: a transaction id whose end-line occurs in the body is not used', async () => {
  await bind();
  tokens = ['drawnFirst01', 'drawnSecond1'];
  send('msga', 'text\r\n-------drawnFirst01$\r\n');
  const [chunk] = await takeAll('msga');
  expect(chunk?.head.transactionId).toBe('drawnSecond1');
});

test('MSRP-02: an end-line that lies across two pieces of the body ends the chunk before', async () => {
  await bind();
  const mark = '-------drawnFirst01$';
  const bytes = Buffer.concat([patternBytes(3_000), Buffer.from(mark), patternBytes(3_000)]);
  const pieces = [3_005, 6, bytes.length];
  const content: Content = {
    size: bytes.length,
    read: (offset, length) => bytes.subarray(offset, offset + Math.min(length, pieces.shift()!)),
  };
  tokens = ['drawnFirst01'];
  send('msga', '', { content });
  const chunks = await takeAll('msga');
  expect(chunks[0]?.head.transactionId).toBe('drawnFirst01');
  expect(chunks[0]?.body.length).toBe(3_011);
  expect(Buffer.concat(chunks.map(({ body }) => body)).equals(bytes)).toBe(true);
});

test('MSRP-22: a chunk that is not answered within 30 s ends its message with 408', async () => {
  await bind();
  clock.advance(5_000);
  send('msga', 'first');
  await peer.request(1);
  clock.advance(10_000);
  send('msgb', 'second');
  peer.answer((await peer.request(2)).head);
  await running.recorder.hears('sent', 'one/sender msgb 200');
  clock.advance(19_999);
  expect(running.recorder.of('sent')).toHaveLength(1);
  clock.advance(1);
  expect(running.recorder.of('sent')).toContain('one/sender msga 408');
  peer.answer(peer.requests[1]!.head);
  send('msgc', 'third');
  peer.answer((await peer.request(3)).head);
  await running.recorder.hears('sent', 'one/sender msgc 200');
  expect(running.recorder.of('sent')).toHaveLength(3);
  expect(running.recorder.of('lost')).toEqual([]);
});

test('MSRP-23: 413 stops the message at once, its open chunk ends with #', async () => {
  await bind();
  const bytes = patternBytes(100_000);
  let asked = 0;
  const content: Content = {
    size: bytes.length,
    read: (offset, length) => {
      asked += 1;
      if (asked === 3) return new Promise<Buffer>(() => undefined);
      return bytes.subarray(offset, offset + Math.min(length, 5_000));
    },
  };
  send('msga', '', { content });
  // Chunks of 8192 octets: the second one is open and waits for the third read.
  peer.answer((await peer.request(1)).head, 413);
  await running.recorder.hears('sent', 'one/sender msga 413');
  const { flag } = await peer.request(2);
  expect(flag).toBe('#');
  send('msgb', 'next');
  await peer.until(() => peer.requests.length === 4);
  peer.answer(peer.requests[3]!.head);
  await running.recorder.hears('sent', 'one/sender msgb 200');
  expect(running.recorder.of('sent')).toHaveLength(2);
});

test('MSRP-23: a failure REPORT stops the message and is the last word on it', async () => {
  await bind();
  send('msga', patternBytes(100_000), { successReport: true });
  const { head } = await peer.request(1);
  peer.write(report(head, '1-2048/100000', 413));
  await running.recorder.hears('reported', 'one/sender msga 413');
  for (const request of peer.requests.slice(1)) peer.answer(request.head);
  send('msgb', 'next');
  await peer.until(() => peer.requests.some((one) => one.head.messageId === 'msgb'));
  peer.answer(peer.requests.at(-1)!.head);
  await running.recorder.hears('sent', 'one/sender msgb 200');
  expect(running.recorder.of('sent')).toEqual(['one/sender msgb 200']);
});

test('MSRP-23: a type that was answered 415 is not sent again', async () => {
  await bind();
  send('msga', 'hello', { contentType: 'text/html;charset=utf-8' });
  peer.answer((await peer.request(1)).head, 415);
  await running.recorder.hears('sent', 'one/sender msga 415');
  send('msgb', 'hello', { contentType: 'TEXT/HTML' });
  await running.recorder.hears('sent', 'one/sender msgb 415');
  send('msgc', 'hello');
  await takeAll('msgc');
  expect(peer.requests.map(({ head }) => head.messageId)).not.toContain('msgb');
});

test('MSRP-23: 481 ends the session but not the connection', async () => {
  await bind('one');
  await bind('two');
  send('msga', 'hello');
  send('msgb', 'queued behind');
  const answered = await peer.request(2);
  peer.answer(answered.head, 481);
  await running.recorder.hears('lost', 'one protocol');
  expect(running.recorder.of('sent')).toEqual(['one/sender msga 481']);
  running.endpoint.send(outgoing('two', 'msgc', 'hello'));
  await takeAll('msgc');
  await running.recorder.hears('sent', 'two/sender msgc 200');
});

test('MSRP-21: REPORTs in pieces are told once they cover the message', async () => {
  await bind();
  send('msga', patternBytes(5_000), { successReport: true });
  const { head } = await peer.request(1);
  peer.write(report(head, '2001-5000/5000', 200) + report(head, '2001-3000/5000', 200));
  await takeAll('msga');
  await running.recorder.hears('sent', 'one/sender msga 200');
  expect(running.recorder.of('reported')).toEqual([]);
  peer.write(report(head, '1-2000/5000', 200) + report(head, '1-5000/5000', 200));
  await running.recorder.hears('reported', 'one/sender msga 200');
  send('msgb', 'another exchange');
  await takeAll('msgb');
  await running.recorder.hears('sent', 'one/sender msgb 200');
  expect(running.recorder.of('reported')).toHaveLength(1);
});

test('MSRP-13: release drops pending messages without a word and ends an open chunk with #', async () => {
  await bind('one');
  await bind('two');
  const content: Content = {
    size: 9_000,
    read: (offset) => (offset === 0 ? patternBytes(3_000) : new Promise<Buffer>(() => undefined)),
  };
  send('msga', '', { content });
  send('msgb', 'never sent');
  await new Promise((resolve) => setImmediate(resolve));
  running.endpoint.release('one');
  running.endpoint.send(outgoing('two', 'msgc', 'hello'));
  await takeAll('msgc');
  await running.recorder.hears('sent', 'two/sender msgc 200');
  expect(running.recorder.of('sent')).toHaveLength(1);
  expect(peer.requests.slice(2).map(({ head, flag }) => `${head.messageId} ${flag}`)).toEqual([
    'msga #',
    'msgc $',
  ]);
});

test('MSRP-13: the queue of a session is bounded', async () => {
  running.endpoint.reserve('one');
  for (let index = 0; index < 6; index++) send(`msg${index}`, 'hello');
  await running.recorder.hears('sent', 'one/sender msg5 408');
  expect(running.recorder.of('sent')).toHaveLength(1);
});

test('MSRP-01: a header field that cannot be written ends its message with 400', async () => {
  await bind();
  send('msga', 'hello', { headers: [['X-Bad', 'a\r\nTo-Path: b']] });
  send('msgb', 'hello');
  await takeAll('msgb');
  await running.recorder.hears('sent', 'one/sender msgb 200');
  expect(running.recorder.of('sent')).toEqual(['one/sender msga 400', 'one/sender msgb 200']);
});

test('MSRP-06: a content that is short ends its message with 408', async () => {
  await bind();
  const content: Content = { size: 9_000, read: () => Buffer.alloc(0) };
  send('msga', '', { content });
  await running.recorder.hears('sent', 'one/sender msga 408');
  expect(running.log.lines.map(({ code }) => code)).toEqual(['MSRP_CONTENT_FAILED']);
});
