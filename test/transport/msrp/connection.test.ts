/** Connections: reuse, time limits, bounds, hostile peers, the trace (MSRP-12, MSRP-13). */

import { afterEach, beforeEach, expect, test } from 'vitest';
import type { TraceEntry } from '../../../src/ports.js';
import { ManualClock } from '../../../src/testing/clock.js';
import { MsrpRecorder, outgoing, patternBytes } from '../../../src/testing/msrp-recorder.js';
import type { MsrpEndpointOptions } from '../../../src/transport/msrp/endpoint.js';
import { systemRandom } from '../../../src/system.js';
import { createMsrpEndpoint } from '../../../src/transport/msrp/endpoint.js';
import { RawListener, RawPeer, recordingLog, startEndpoint } from './raw-peer.js';
import type { Running } from './raw-peer.js';

const from = 'msrp://127.0.0.1:9/peer;tcp';
let clock: ManualClock;
let open: Running[];

beforeEach(() => {
  clock = new ManualClock();
  open = [];
});

afterEach(async () => {
  for (const { endpoint } of open) await endpoint.stop(0);
});

async function start(options: Partial<MsrpEndpointOptions> = {}): Promise<Running> {
  const running = await startEndpoint({ clock, ...options });
  open.push(running);
  return running;
}

/** Reserves a passive session and returns its URI. */
function wait({ endpoint }: Running, owner: string): string {
  const uri = endpoint.reserve(owner);
  endpoint.connect(owner, { path: [from], active: false });
  return uri;
}

function empty(id: string, to: string): string {
  const paths = `To-Path: ${to}\r\nFrom-Path: ${from}\r\n`;
  return `MSRP ${id} SEND\r\n${paths}Message-ID: ${id}\r\n-------${id}$\r\n`;
}

/** Binds a session of `active` to one of `passive`. */
async function join(active: Running, passive: Running, owner: string): Promise<void> {
  const path = [wait(passive, owner)];
  active.endpoint.reserve(owner);
  active.endpoint.connect(owner, { path, active: true });
  await active.recorder.hears('connected', owner);
}

test('MSRP-12: a passive session that nobody binds is lost after the wait', async () => {
  const running = await start({ limits: { bindWaitMs: 5_000 } });
  wait(running, 'one');
  clock.advance(4_999);
  expect(running.recorder.heard).toEqual([]);
  clock.advance(1);
  expect(running.recorder.of('lost')).toEqual(['one timeout']);
});

test('MSRP-12: an accepted connection that binds no session is closed after the wait', async () => {
  const running = await start({ limits: { bindWaitMs: 5_000 } });
  const peer = await RawPeer.to(running.endpoint);
  peer.write(empty('tx01', 'msrp://127.0.0.1:9/nosuch;tcp'));
  expect(await peer.status('tx01')).toBe(481);
  clock.advance(5_000);
  await peer.closed();
});

test('SDP-06: an empty SEND of the passive side on our connection is answered 200', async () => {
  const listener = await RawListener.open();
  const running = await start();
  const uri = running.endpoint.reserve('one');
  running.endpoint.connect('one', { path: [listener.uri('x')], active: true });
  const peer = await listener.peer();
  const { head } = await peer.request(0);
  peer.write(empty('tx01', uri));
  expect(await peer.status('tx01')).toBe(200);
  peer.answer(head);
  await running.recorder.hears('connected', 'one');
  expect(running.recorder.of('connected')).toEqual(['one']);
  await listener.close();
});

test('MSRP-13: sessions to one host and port share a connection, which outlives each', async () => {
  const [alice, bob] = [await start({ limits: { connections: 1 } }), await start()];
  await join(alice, bob, 'one');
  await join(alice, bob, 'two');
  alice.endpoint.release('one');
  clock.advance(60_000);
  alice.endpoint.send(outgoing('two', 'msga', 'hello'));
  await alice.recorder.hears('sent', 'two/sender msga 200');
  expect(bob.recorder.of('lost')).toEqual([]);
});

test('MSRP-13: a connection without a session is closed after the idle time', async () => {
  const listener = await RawListener.open();
  const running = await start({ limits: { idleMs: 700 } });
  running.endpoint.reserve('one');
  running.endpoint.connect('one', { path: [listener.uri('x')], active: true });
  const peer = await listener.peer();
  peer.answer((await peer.request(0)).head);
  await running.recorder.hears('connected', 'one');
  running.endpoint.release('one');
  clock.advance(699);
  running.endpoint.reserve('two');
  running.endpoint.connect('two', { path: [listener.uri('y')], active: true });
  peer.answer((await peer.request(1)).head);
  await running.recorder.hears('connected', 'two');
  clock.advance(10_000);
  expect(peer.isClosed).toBe(false);
  running.endpoint.release('two');
  clock.advance(700);
  await peer.closed();
  expect(listener.peers).toHaveLength(1);
  expect(running.recorder.of('lost')).toEqual([]);
  await listener.close();
});

test('MSRP-13: a reused connection that is just being closed is replaced by another', async () => {
  const listener = await RawListener.open();
  const running = await start();
  running.endpoint.reserve('one');
  running.endpoint.connect('one', { path: [listener.uri('x')], active: true });
  const peer = await listener.peer();
  peer.answer((await peer.request(0)).head);
  await running.recorder.hears('connected', 'one');
  running.endpoint.release('one');
  running.endpoint.reserve('two');
  running.endpoint.connect('two', { path: [listener.uri('y')], active: true });
  peer.socket.destroy();
  const second = await listener.peer(1);
  second.answer((await second.request(0)).head);
  await running.recorder.hears('connected', 'two');
  second.socket.destroy();
  await running.recorder.hears('lost', 'two closed');
  await listener.close();
});

test('MSRP-13: the bounds on connections and sessions hold', async () => {
  const limits = { connectionsPerPeer: 2, connections: 3, sessions: 2 };
  const running = await start({ limits });
  const peers = [await RawPeer.to(running.endpoint), await RawPeer.to(running.endpoint)];
  const third = await RawPeer.to(running.endpoint);
  await third.closed();
  expect(running.log.lines.map(({ code }) => code)).toEqual(['MSRP_CONNECTIONS_FULL']);
  running.endpoint.reserve('one');
  running.endpoint.reserve('two');
  const code = 'MSRP_SESSIONS_FULL';
  expect(() => running.endpoint.reserve('three')).toThrow(expect.objectContaining({ code }));
  expect(running.endpoint.reserve('two')).toBe(running.endpoint.reserve('two'));
  const to = wait(running, 'one');
  peers[0]!.write(empty('tx01', to));
  expect(await peers[0]!.status('tx01')).toBe(200);
  peers[1]!.socket.destroy();
  peers[0]!.socket.destroy();
  await running.recorder.hears('lost', 'one closed');
});

test('MSRP-13: no connection is opened beyond the bound', async () => {
  const listener = await RawListener.open();
  const running = await start({ limits: { connections: 1 } });
  const peer = await RawPeer.to(running.endpoint);
  const to = wait(running, 'one');
  peer.write(empty('tx01', to));
  expect(await peer.status('tx01')).toBe(200);
  running.endpoint.reserve('two');
  running.endpoint.connect('two', { path: [listener.uri('x')], active: true });
  expect(running.recorder.of('lost')).toEqual([]);
  await running.recorder.hears('lost', 'two refused');
  await listener.close();
  peer.socket.destroy();
});

test.each([
  ['a start line without an end', 'MSRP ' + 'a'.repeat(100_000), 'MSRP_START_LINE_TOO_LONG'],
  ['SIP', 'OPTIONS sip:x SIP/2.0\r\n\r\n', 'MSRP_START_LINE'],
  ['HTTP', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'MSRP_START_LINE'],
  ['TLS', Buffer.from('160301020001000001fc0303', 'hex'), 'MSRP_START_LINE'],
  ['zeros', Buffer.alloc(100_000), 'MSRP_START_LINE'],
])(
  'MSRP-09: %s on the port closes the connection with one log line',
  async (_what, bytes, code) => {
    const running = await start();
    const peer = await RawPeer.to(running.endpoint);
    peer.write(bytes);
    await peer.closed();
    expect(running.log.lines.map((line) => line.code)).toEqual([code]);
    expect(running.log.lines[0]?.text).not.toMatch(/aaa|OPTIONS|GET|\n| at /);
  },
);

test('MSRP-09: garbage on a connection loses its sessions and leaves the others', async () => {
  const running = await start();
  const [one, two] = [await RawPeer.to(running.endpoint), await RawPeer.to(running.endpoint)];
  one.write(empty('tx01', wait(running, 'one')));
  two.write(empty('tx02', wait(running, 'two')));
  await one.status('tx01');
  await two.status('tx02');
  one.write('nonsense\r\n');
  await running.recorder.hears('lost', 'one protocol');
  await one.closed();
  two.write(empty('tx03', running.endpoint.reserve('two')));
  expect(await two.status('tx03')).toBe(200);
  two.socket.destroy();
});

test('MSRP-09: a peer that sends nothing but faulty frames is closed', async () => {
  const running = await start();
  const peer = await RawPeer.to(running.endpoint);
  const to = wait(running, 'one');
  for (let index = 0; index < 40; index++) {
    peer.write(empty(`txx${index}`, to).replace('Message-ID', 'X-Nothing'));
  }
  await peer.closed();
  expect(running.log.lines).toHaveLength(1);
  expect(peer.frames.length).toBeLessThanOrEqual(32);
});

test('MSRP-09: a peer that stops within a request is closed, one that goes on is not', async () => {
  const running = await start({ limits: { partialMs: 1_000, progressBytes: 100 } });
  const [slow, fast] = [await RawPeer.to(running.endpoint), await RawPeer.to(running.endpoint)];
  const paths = (to: string): string => `To-Path: ${to}\r\nFrom-Path: ${from}\r\n`;
  const head = (id: string, to: string): string =>
    `MSRP ${id} SEND\r\n${paths(to)}Message-ID: ${id}\r\nContent-Type: text/plain\r\n\r\n`;
  const taken = new Map<string, number>();
  running.recorder.onReceive = (owner, incoming) => {
    const sink = running.recorder.sink(owner, incoming);
    return {
      ...sink,
      write: (offset, bytes) => {
        taken.set(owner, offset + bytes.length);
        running.recorder.nudge();
        return sink.write(offset, bytes);
      },
    };
  };
  slow.write(head('slow1', wait(running, 'slow')) + 'x');
  fast.write(head('fast1', wait(running, 'fast')) + 'x');
  await running.recorder.until(() => taken.size === 2);
  for (let second = 1; second <= 3; second++) {
    fast.write('y'.repeat(200));
    await running.recorder.until(() => taken.get('fast') === 1 + second * 200);
    clock.advance(1_000);
  }
  await slow.closed();
  expect(running.recorder.of('lost')).toEqual(['slow timeout']);
  expect(running.recorder.of('aborted')).toEqual(['slow slow1 lost']);
  expect(running.log.lines.map(({ code }) => code)).toEqual(['MSRP_SLOW_PEER']);
  fast.write('\r\n-------fast1$\r\n');
  expect(await fast.status('fast1')).toBe(200);
  expect(running.recorder.bodies[0]).toHaveLength(601);
  fast.socket.destroy();
});

test('MSRP-22: a peer that does not read is given up, its answers are bounded', async () => {
  const running = await start({ limits: { outboundBytes: 50_000 } });
  const peer = await RawPeer.to(running.endpoint);
  const to = wait(running, 'one');
  peer.write(empty('tx00', to));
  await peer.status('tx00');
  peer.socket.pause();
  const many = Array.from({ length: 2_000 }, (_one, index) => empty(`txx${index}`, to)).join('');
  const flood = (): void => {
    // Goes on until the answers fill the buffers of both sockets and then the bound.
    if (!peer.socket.destroyed) peer.socket.write(many, () => setImmediate(flood));
  };
  flood();
  await running.recorder.hears('lost', 'one timeout');
  expect(running.log.lines.map(({ code }) => code)).toEqual(['MSRP_UNREAD']);
  peer.socket.destroy();
});

test('MSRP-22: a large message to a peer that does not read is lost after the time limit', async () => {
  const listener = await RawListener.open();
  const running = await start({ windowBytes: 64_000_000, chunkMax: 64_000_000 });
  running.endpoint.reserve('one');
  running.endpoint.connect('one', { path: [listener.uri('x')], active: true });
  const peer = await listener.peer();
  peer.answer((await peer.request(0)).head);
  await running.recorder.hears('connected', 'one');
  peer.socket.pause();
  let read = 0;
  const content = {
    size: 64_000_000,
    read: (offset: number, length: number) => {
      read = offset + length;
      return Buffer.alloc(length, 97);
    },
  };
  running.endpoint.send(outgoing('one', 'msga', '', { content }));
  let before = -1;
  while (read !== before) {
    before = read;
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(read).toBeLessThan(32_000_000);
  // The watch looks again as long as there was progress since it began.
  while (running.recorder.of('lost').length === 0) {
    clock.advance(30_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(running.recorder.of('lost')).toEqual(['one timeout']);
  expect(running.recorder.of('sent')).toEqual([]);
  await listener.close();
});

test('MSRP-13: stop lets pending messages end, for as long as the grace lasts', async () => {
  const [alice, bob] = [await start(), await start()];
  let finish = (): void => undefined;
  bob.recorder.onComplete = () =>
    new Promise((resolve) => {
      finish = () => resolve(200);
    });
  await join(alice, bob, 'one');
  alice.endpoint.send(outgoing('one', 'msga', patternBytes(9_000)));
  await bob.recorder.hears('received', 'one msga');
  const stopped = alice.endpoint.stop(10_000);
  finish();
  await stopped;
  expect(alice.recorder.of('sent')).toEqual(['one/sender msga 200']);
  bob.recorder.onComplete = () => new Promise<number>(() => undefined);
  const carol = await start();
  await join(carol, bob, 'two');
  carol.endpoint.send(outgoing('two', 'msgb', 'never answered'));
  await bob.recorder.hears('received', 'two msgb');
  const late = carol.endpoint.stop(10_000);
  clock.advance(10_000);
  await late;
  expect(carol.recorder.of('sent')).toEqual([]);
});

test('MSRP-10: URIs name the advertised host, an IPv6 host in brackets', async () => {
  const running = await start({ advertisedHost: 'im.example.org', advertisedPort: 2855 });
  expect(running.endpoint.reserve('one')).toMatch(
    /^msrp:\/\/im\.example\.org:2855\/[A-Za-z0-9]{22};tcp$/,
  );
  const other = await start({ advertisedHost: '2001:db8::1' });
  const { port } = other.endpoint.address;
  expect(other.endpoint.reserve('one').startsWith(`msrp://[2001:db8::1]:${port}/`)).toBe(true);
});

test('MSRP-10: a port in use is told by a coded error', async () => {
  const running = await start();
  const second = createMsrpEndpoint({
    ...{ host: '127.0.0.1', port: running.endpoint.address.port },
    ...{ clock, random: systemRandom, log: recordingLog() },
  });
  expect(() => second.address).toThrow(expect.objectContaining({ code: 'MSRP_NOT_STARTED' }));
  const failure = expect.objectContaining({ code: 'MSRP_LISTEN' }) as Error;
  await expect(second.start(new MsrpRecorder())).rejects.toEqual(failure);
});

test('MSRP-14: a path of another scheme or transport, or without a port, is refused', async () => {
  const running = await start();
  const paths = ['msrps://127.0.0.1:5/x;tcp', 'msrp://127.0.0.1:5/x;ws', 'msrp://127.0.0.1/x;tcp'];
  for (const [index, uri] of [...paths, 'nonsense', ''].entries()) {
    running.endpoint.reserve(`s${index}`);
    running.endpoint.connect(`s${index}`, { path: uri === '' ? [] : [uri], active: true });
    await running.recorder.hears('lost', `s${index} refused`);
  }
});

test('MSRP-01: the trace has heads and end-lines of both directions, no bodies', async () => {
  const entries: TraceEntry[] = [];
  const trace = { record: (entry: TraceEntry) => entries.push(entry) };
  const [alice, bob] = [await start({ trace }), await start({ trace })];
  await join(alice, bob, 'one');
  const body = 'secret '.repeat(1_000);
  alice.endpoint.send(outgoing('one', 'msga', body, { successReport: true }));
  alice.endpoint.send(outgoing('one', 'msgb', 'secret'));
  await alice.recorder.hears('reported', 'one/sender msga 200');
  await alice.recorder.hears('sent', 'one/sender msgb 200');
  const count = { in: new Map<string, number>(), out: new Map<string, number>() };
  for (const { bytes, direction, local, remote, protocol, transport, at } of entries) {
    const text = bytes.toString();
    expect(text).not.toContain('secret');
    expect(text).toMatch(/^MSRP \S+ (SEND|REPORT|200 OK)\r\nTo-Path: /);
    expect(text).toMatch(/\r\n-------\S+[$+#]\r\n$/);
    expect([protocol, transport, at]).toEqual(['msrp', 'tcp', clock.now()]);
    for (const address of [local, remote]) expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
    count[direction].set(text, (count[direction].get(text) ?? 0) + 1);
  }
  // What one side sends is what the other receives, octet by octet but for the body.
  expect(count.in).toEqual(count.out);
  expect(count.in.size).toBe(7);
});
