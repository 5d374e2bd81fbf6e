/** Peers that send and do not take what they are answered: what waits for them, one by one and in sum. */

import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { SocketsPort } from '../../../src/ports.js';
import { ManualClock } from '../../../src/testing/clock.js';
import { outgoing } from '../../../src/testing/msrp-recorder.js';
import { SocketStream } from '../../../src/transport/msrp/socket-stream.js';
import type { MsrpEndpointOptions } from '../../../src/transport/msrp/options.js';
import { startEndpoint } from './raw-peer.js';
import type { Running } from './raw-peer.js';
import { peerPath, sendFrame, startShared, stopShared, turns } from './shared-scene.js';

const unknown = 'msrp://127.0.0.1:1/Z0nobody;tcp';
/** One reading of a socket. */
const readBytes = 65_536;
const unreadBytes = 65_536;

/** A socket whose peer takes only what the test lets it take. */
class SilentSocket extends SocketStream {
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 9;
  takes = false;
  frames = 0;
  taken = '';
  #isWanted = false;
  #waiting: (() => void) | undefined;

  constructor() {
    super({ allowHalfOpen: false, highWaterMark: readBytes });
  }

  /** Sends for as long as the other side reads, `most` frames at most. */
  async flood(to: string, most = Infinity): Promise<void> {
    for (let quiet = 0; quiet < 30; quiet++) {
      await turns(1);
      if (!this.#isWanted || this.destroyed || this.frames >= most) continue;
      quiet = 0;
      let octets = '';
      while (octets.length < readBytes && this.frames < most) {
        octets += sendFrame(to, `t${String(this.frames++).padStart(7, '0')}`);
      }
      this.#isWanted = false;
      this.push(octets);
    }
  }

  /** Takes what the other side is writing. */
  drain(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.();
  }

  get answers(): number {
    return this.taken.split(/^MSRP t\d{7} \d/m).length - 1;
  }

  override _read(): void {
    this.#isWanted = true;
  }

  override _writev(chunks: { chunk: Buffer }[], written: () => void): void {
    this.#waiting = () => {
      for (const { chunk } of chunks) this.taken += chunk.toString('latin1');
      written();
    };
    if (this.takes) this.drain();
  }
}

let clock: ManualClock;
let running: Running;

afterEach(async () => {
  await running.endpoint.stop(0);
});

/** An endpoint, and what connects a silent socket to it. */
async function start(options: Partial<MsrpEndpointOptions> = {}): Promise<() => SilentSocket> {
  clock = new ManualClock();
  let server: Server | undefined;
  const sockets = { server: () => (server = createServer()) } as unknown as SocketsPort;
  // Without a session a connection is closed, whoever reads.
  const limits = { bindWaitMs: 1_000_000_000 };
  running = await startEndpoint({ clock, sockets, limits, ...options });
  return () => {
    const socket = new SilentSocket();
    server!.emit('connection', socket as unknown as Socket);
    return socket;
  };
}

const codes = (): unknown[] => running.log.lines.map(({ code }) => code);

test.each(['nobody', 'its session'])(
  'a peer that does not take its answers, to frames for %s, is not read from until it does',
  async (whom) => {
    const connect = await start();
    const peer = connect();
    const uri = running.endpoint.reserve('one');
    if (whom === 'its session')
      running.endpoint.connect('one', { path: [peerPath], active: false });
    await peer.flood(whom === 'its session' ? uri : unknown);
    expect(peer.isPaused()).toBe(true);
    // What was with the stream, what was read with the last look at the bound, and the bound.
    expect(peer.writableLength).toBeLessThan(unreadBytes + 2 * readBytes);
    const { frames } = peer;
    // As slow as may be: whoever takes something within the time limit is not closed.
    for (let round = 0; peer.answers < frames; round++) {
      expect(round).toBeLessThan(100);
      clock.advance(29_000);
      peer.drain();
      await turns();
    }
    expect(codes()).toEqual([]);
    expect(peer.isPaused()).toBe(false);
    peer.takes = true;
    await peer.flood(unknown, frames + 10_000);
    expect(peer.answers).toBe(frames + 10_000);
    peer.destroy();
  },
);

test('MSRP_UNREAD: whoever takes nothing within the time limit is closed', async () => {
  const connect = await start();
  const peer = connect();
  await peer.flood(unknown);
  clock.advance(29_999);
  expect(codes()).toEqual([]);
  clock.advance(1);
  expect(codes()).toEqual(['MSRP_UNREAD']);
  expect(peer.destroyed).toBe(true);
});

test('MSRP_HELD_FULL: in sum, whoever has taken nothing for longest is closed', async () => {
  const heldOctets = 1_048_576;
  const connect = await start({ heldOctets });
  const slow = connect();
  await slow.flood(unknown);
  const hostile = Array.from({ length: 20 }, connect);
  let most = 0;
  for (const peer of hostile) {
    await peer.flood(unknown);
    slow.drain();
    await turns();
    await slow.flood(unknown);
    most = Math.max(most, sumOf([slow, ...hostile]));
  }
  expect(most).toBeGreaterThan(heldOctets / 2);
  expect(most).toBeLessThanOrEqual(heldOctets);
  expect(new Set(codes())).toEqual(new Set(['MSRP_HELD_FULL']));
  expect(slow.destroyed).toBe(false);
  const closed = hostile.map(({ destroyed }) => destroyed);
  expect(closed).toEqual(closed.toSorted().toReversed());
  for (const peer of [slow, ...hostile]) peer.destroy();
});

test('two that wait for responses of each other do not both stop reading', async () => {
  const connect = await start();
  const peer = connect();
  const uri = running.endpoint.reserve('one');
  running.endpoint.connect('one', { path: [peerPath], active: false });
  peer.takes = true;
  await peer.flood(uri, 1);
  running.endpoint.send(outgoing('one', 'msga', 'text'));
  await turns();
  const [, id] = /MSRP (\S+) SEND/.exec(peer.taken)!;
  peer.takes = false;
  await peer.flood(uri, 2_000);
  expect(peer.isPaused()).toBe(false);
  peer.push(
    `MSRP ${id!} 200 OK\r\nTo-Path: ${uri}\r\nFrom-Path: ${peerPath}\r\n-------${id!}$\r\n`,
  );
  await running.recorder.until((recorder) => recorder.of('sent').length > 0);
  expect(running.recorder.of('sent')).toEqual(['one/sender msga 200']);
  peer.destroy();
});

test('behind a front: a peer that does not take its answers is not read from', async () => {
  const scene = await startShared({ shards: 1 });
  running = scene.shards[0]!.running;
  const peer = await scene.dial();
  const many = Buffer.from(sendFrame(unknown, 'txx00000').repeat(2_000));
  peer.socket.pause();
  // Until the sockets of the system are full in both directions.
  let written = 0;
  let flushed = true;
  for (let quiet = 0; quiet < 2_000; quiet++) {
    await turns(1);
    if (!flushed || peer.socket.destroyed) continue;
    [quiet, flushed] = [0, false];
    peer.socket.write(many, () => {
      written += many.length;
      flushed = true;
    });
  }
  expect(written).toBeGreaterThan(0);
  expect(codes()).toEqual([]);
  expect(peer.socket.destroyed).toBe(false);
  const before = peer.frames.length;
  peer.socket.resume();
  await peer.until(({ frames }) => frames.length >= before + written / (many.length / 2_000));
  peer.socket.destroy();
  await stopShared(scene);
});

function sumOf(peers: readonly SilentSocket[]): number {
  let sum = 0;
  for (const { destroyed, writableLength } of peers) sum += destroyed ? 0 : writableLength;
  return sum;
}
