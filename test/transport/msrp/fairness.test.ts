/** Many sessions on one connection, and peers that take their time. */

import { afterEach, expect, test } from 'vitest';
import type { Content } from '../../../src/ports.js';
import { bufferContent, outgoing, patternBytes } from '../../../src/testing/msrp-recorder.js';
import type { MsrpEndpointOptions } from '../../../src/transport/msrp/options.js';
import { RawListener, startEndpoint } from './raw-peer.js';
import type { RawPeer, Running } from './raw-peer.js';

const running: Running[] = [];
const listeners: RawListener[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map(({ endpoint }) => endpoint.stop(0)));
  await Promise.all(listeners.splice(0).map((listener) => listener.close()));
});

async function start(options: Partial<MsrpEndpointOptions> = {}): Promise<Running> {
  const started = await startEndpoint(options);
  running.push(started);
  return started;
}

async function listen(): Promise<RawListener> {
  const listener = await RawListener.open();
  listeners.push(listener);
  return listener;
}

/** Binds sessions `s0`, `s1` … of `alice` to one connection of the listener. */
async function bindAll(alice: Running, listener: RawListener, count: number): Promise<RawPeer> {
  for (let index = 0; index < count; index++) {
    const owner = `s${index}`;
    alice.endpoint.reserve(owner);
    alice.endpoint.connect(owner, { path: [listener.uri(owner)], active: true });
  }
  const peer = await listener.peer();
  for (let index = 0; index < count; index++) peer.answer((await peer.request(index)).head);
  await alice.recorder.until(({ heard }) => heard.length === count);
  expect(listener.peers).toHaveLength(1);
  return peer;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Turns of the event loop after which nothing more is expected to move by itself. */
const quietTurns = 2_000;

/** Resolves once `value` has stayed the same for many turns. */
async function settled(value: () => number): Promise<number> {
  let last = value();
  for (let quiet = 0; quiet < quietTurns; quiet++) {
    await turn();
    if (value() !== last) quiet = 0;
    last = value();
  }
  return last;
}

test.each(['at once', 'later'])(
  'MSRP-06: 50 sessions on one connection take turns, contents read %s',
  async (speed) => {
    const sessions = 50;
    const bytes = patternBytes(60_000);
    const [alice, listener] = [await start(), await listen()];
    const peer = await bindAll(alice, listener, sessions);
    for (let index = 0; index < sessions; index++) {
      const read = (offset: number, length: number): Buffer | Promise<Buffer> => {
        const piece = bytes.subarray(offset, offset + Math.min(length, 16_384));
        return speed === 'later' ? turn().then(() => piece) : piece;
      };
      const content: Content = { size: bytes.length, read };
      alice.endpoint.send(outgoing(`s${index}`, `msg${index}`, '', { content }));
    }
    const chunks = () => peer.requests.slice(sessions);
    await peer.until(() => chunks().filter(({ flag }) => flag === '$').length === sessions);
    const bodies = new Map<string, Buffer[]>();
    const last = new Map<string, number>();
    for (const [position, { head, body }] of chunks().entries()) {
      // Nobody waits for more than a round of the others, and one that begins meanwhile.
      const waited = position - (last.get(head.messageId) ?? 0);
      expect(waited).toBeLessThanOrEqual(2 * sessions);
      last.set(head.messageId, position);
      bodies.set(head.messageId, [...(bodies.get(head.messageId) ?? []), body]);
    }
    expect(bodies.size).toBe(sessions);
    for (const pieces of bodies.values()) expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
  },
);

test('MSRP-06: a content that never comes holds up its own session only', async () => {
  const [alice, listener] = [await start(), await listen()];
  const peer = await bindAll(alice, listener, 2);
  const bytes = patternBytes(100_000);
  let asked = 0;
  const read = (offset: number, length: number): Buffer | Promise<Buffer> => {
    asked += 1;
    if (asked > 2) return new Promise<Buffer>(() => undefined);
    return bytes.subarray(offset, offset + Math.min(length, 4_096));
  };
  alice.endpoint.send(outgoing('s0', 'stuck', '', { content: { size: bytes.length, read } }));
  alice.endpoint.send(outgoing('s1', 'other', bytes));
  const isWhole =
    (id: string) =>
    ({ requests }: RawPeer) =>
      requests.some(({ head, flag }) => head.messageId === id && flag === '$');
  await peer.until(isWhole('other'));
  const of = (id: string) => peer.requests.filter(({ head }) => head.messageId === id);
  expect(Buffer.concat(of('other').map(({ body }) => body)).equals(bytes)).toBe(true);
  expect(isWhole('stuck')(peer)).toBe(false);
});

test('MSRP-06: a response is not held up by a content that never comes', async () => {
  const [alice, listener] = [await start(), await listen()];
  const peer = await bindAll(alice, listener, 1);
  const bytes = patternBytes(8_192);
  const read = (offset: number): Buffer | Promise<Buffer> =>
    offset === 0 ? bytes.subarray(0, 4_096) : new Promise<Buffer>(() => undefined);
  alice.endpoint.send(outgoing('s0', 'stuck', '', { content: { size: bytes.length, read } }));
  const to = peer.requests[0]!.head.fromPath[0]!;
  const paths = `To-Path: ${to}\r\nFrom-Path: ${listener.uri('s0')}\r\n`;
  peer.write(`MSRP tx01 SEND\r\n${paths}Message-ID: ping\r\n-------tx01$\r\n`);
  expect(await peer.status('tx01')).toBe(200);
});

test('MSRP-13: 1,000 sessions at once, both ways, on one connection', async () => {
  const sessions = 1_000;
  const [alice, bob] = [await start(), await start()];
  const bytes = patternBytes(3_000);
  for (let index = 0; index < sessions; index++) {
    const owner = `s${index}`;
    const path = [bob.endpoint.reserve(owner)];
    bob.endpoint.connect(owner, { path: [alice.endpoint.reserve(owner)], active: false });
    alice.endpoint.connect(owner, { path, active: true });
  }
  const connected = ({ heard }: Running['recorder']) =>
    heard.filter(({ type }) => type === 'connected').length === sessions;
  await alice.recorder.until(connected);
  await bob.recorder.until(connected);
  for (let index = 0; index < sessions; index++) {
    for (const { endpoint } of [alice, bob]) {
      const changes = { content: bufferContent(bytes), successReport: true };
      endpoint.send(outgoing(`s${index}`, `msg${index}`, '', changes));
    }
  }
  for (const { recorder } of [alice, bob]) {
    await recorder.until(({ heard }) => heard.length === 4 * sessions);
    const reported = recorder.of('reported');
    expect(reported).toHaveLength(sessions);
    expect(reported.every((line) => line.endsWith(' 200'))).toBe(true);
    expect(recorder.bodies.every((body) => body.equals(bytes))).toBe(true);
    expect(recorder.of('lost')).toEqual([]);
  }
  // One of them ends: the connection and the others stay.
  bob.endpoint.release('s0');
  alice.endpoint.send(outgoing('s1', 'more', 'still here'));
  await alice.recorder.hears('sent', 's1/sender more 200');
  expect(alice.recorder.of('lost')).toEqual([]);
});

test('MSRP-06: a peer that does not read stops the reading of the content', async () => {
  const size = 64 * 1_048_576;
  const window = { windowBytes: size * 2 };
  const [alice, listener] = [await start(window), await listen()];
  const peer = await bindAll(alice, listener, 1);
  const block = patternBytes(65_536);
  let octets = 0;
  const read = async (offset: number, length: number): Promise<Buffer> => {
    await turn();
    const start = offset % block.length;
    const piece = block.subarray(start, start + Math.min(length, size - offset));
    octets += piece.length;
    return piece;
  };
  peer.socket.pause();
  alice.endpoint.send(outgoing('s0', 'msga', '', { content: { size, read } }));
  const stopped = await settled(() => octets);
  // Only the buffers of two sockets have been filled.
  expect(stopped).toBeLessThan(size / 2);
  let answered = 1;
  peer.socket.on('data', () => {
    for (; answered < peer.requests.length; answered++) {
      const { head, body } = peer.requests[answered]!;
      expect(body.length).toBeGreaterThan(0);
      peer.answer(head);
    }
    peer.frames.splice(1);
    answered = 1;
  });
  peer.socket.resume();
  await alice.recorder.hears('sent', 's0/sender msga 200');
  expect(octets).toBe(size);
});

test('MSRP-06: a sink that is busy stops the reading of the content at the other side', async () => {
  const size = 32 * 1_048_576;
  const [alice, bob] = [await start(), await start()];
  let octets = 0;
  const block = patternBytes(65_536);
  const read = async (offset: number, length: number): Promise<Buffer> => {
    await turn();
    const start = offset % block.length;
    const piece = block.subarray(start, start + Math.min(length, size - offset));
    octets += piece.length;
    return piece;
  };
  let release = (): void => undefined;
  const busy = new Promise<void>((resolve) => (release = resolve));
  let taken = 0;
  bob.recorder.onReceive = () => ({
    write: async (_offset, bytes) => {
      await busy;
      taken += bytes.length;
    },
    complete: () => 200,
    abort: () => undefined,
  });
  const path = [bob.endpoint.reserve('one')];
  bob.endpoint.connect('one', { path: [alice.endpoint.reserve('one')], active: false });
  alice.endpoint.connect('one', { path, active: true });
  await alice.recorder.hears('connected', 'one');
  alice.endpoint.send(outgoing('one', 'msga', '', { content: { size, read } }));
  const stopped = await settled(() => octets);
  // The window of the session.
  expect(stopped).toBeLessThanOrEqual(524_288 + 131_072);
  expect(taken).toBe(0);
  release();
  await alice.recorder.hears('sent', 'one/sender msga 200');
  expect([octets, taken]).toEqual([size, size]);
});
