/** Connections that never finish a request: many of them, and slow ones. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/system.js';
import type { Clock } from '../../../src/ports.js';
import { ManualClock } from '../../../src/testing/clock.js';
import { RawPeer, startEndpoint } from './raw-peer.js';
import type { Running } from './raw-peer.js';

const running: Running[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map(({ endpoint }) => endpoint.stop(0)));
});

async function start(clock: Clock, limits = {}): Promise<Running> {
  const started = await startEndpoint({ clock, limits });
  running.push(started);
  return started;
}

/**
 * A process of its own that opens as many connections as a line on its input says, each with the
 * beginning of a request, and tells when all that it ever opened are closed.
 */
const opener = `
const { createConnection } = require('node:net');
const port = Number(process.argv[1]);
let opened = 0, closed = 0;
function open() {
  opened += 1;
  const socket = createConnection({ host: '127.0.0.1', port });
  socket.on('error', () => undefined);
  socket.on('connect', () => socket.write('MSRP tx01 SEND\\r\\nTo-Path: msrp://'));
  socket.on('close', () => {
    closed += 1;
    if (closed === opened) console.log('closed');
  });
  socket.resume();
}
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  for (let left = Number(line); left > 0; left--) open();
});
`;
/** At once: the queue of the system for those who wait to be let in holds them. */
const atOnce = 250;

/** A clock that fires every time limit when it is told to, and never before. */
class StandingClock implements Clock {
  readonly #calls = new Set<() => void>();

  now(): number {
    return systemClock.now();
  }

  after(_delayMs: number, call: () => void): () => void {
    const entry = (): void => call();
    this.#calls.add(entry);
    return () => this.#calls.delete(entry);
  }

  /** How many time limits run: for each connection that it is idle, and that a request is whole. */
  get running(): number {
    return this.#calls.size;
  }

  /** Only what waits already: what is set meanwhile goes on waiting. */
  fire(): void {
    for (const call of [...this.#calls]) {
      this.#calls.delete(call);
      call();
    }
  }
}

/** Fewer where a process may not have as many sockets. */
const count = Number(process.env['MSRP_HALF_OPEN'] ?? 10_000);
/** Octets of memory for each of them. */
const heldBytes = 20_000;

test(`MSRP-12: ${count} half-open connections are held within bounds, closed in time`, holdMany);

async function holdMany(): Promise<void> {
  const clock = new StandingClock();
  const limits = { connections: count, connectionsPerPeer: count + 1 };
  const { endpoint, log } = await start(clock, limits);
  const before = process.memoryUsage();
  const child = spawn(process.execPath, ['-e', opener, String(endpoint.address.port)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  for (let held = 0; held < count;) {
    const more = Math.min(atOnce, count - held);
    child.stdin.write(`${more}\n`);
    held += more;
    // What the opener calls open may still stand in the queue of the system, and not in order.
    await expect.poll(() => clock.running, { interval: 5 }).toBe(2 * held);
  }
  // One more is turned away at once.
  const late = await RawPeer.to(endpoint);
  await late.closed();
  const full = log.lines.filter(({ code }) => code === 'MSRP_CONNECTIONS_FULL');
  expect(full).toHaveLength(1);
  const held = process.memoryUsage();
  const each = (held.heapUsed + held.external - before.heapUsed - before.external) / count;
  expect(each).toBeLessThan(heldBytes);
  clock.fire();
  expect(await once(lines, 'line')).toEqual(['closed']);
  const peer = await RawPeer.to(endpoint);
  peer.write(sendTo(endpoint.reserve('one'), 'tx01'));
  expect(await peer.status('tx01')).toBe(200);
  peer.socket.destroy();
  child.kill();
  await once(child, 'exit');
  await endpoint.stop(0);
  running.length = 0;
}

test.each([
  ['the start line', 'MSRP tx02 SEND'],
  ['the head', 'MSRP tx02 SEND\r\nTo-Path: msrp://127.0.0.1:1/'],
  ['the body', undefined],
])('MSRP-12: one octet per second in %s ends the connection within 30 s', async (_in, begun) => {
  const clock = new ManualClock();
  const { endpoint, log, recorder } = await start(clock);
  const to = endpoint.reserve('one');
  const body = sendTo(to, 'tx02', 'Content-Type: text/plain\r\n\r\n').replace(/\r\n-{7}.*/s, '');
  const [slow, quick] = [await RawPeer.to(endpoint), await RawPeer.to(endpoint)];
  slow.write(sendTo(to, 'tx01') + (begun ?? body));
  expect(await slow.status('tx01')).toBe(200);
  const other = endpoint.reserve('two');
  for (let second = 1; second <= 29; second++) {
    slow.write('x');
    clock.advance(1_000);
    // Nobody else is held up.
    quick.write(sendTo(other, `quick${second}`));
    expect(await quick.status(`quick${second}`)).toBe(200);
  }
  expect(slow.isClosed).toBe(false);
  clock.advance(1_000);
  await slow.closed();
  expect(log.lines.map(({ code }) => code)).toEqual(['MSRP_SLOW_PEER']);
  expect(recorder.of('lost')).toEqual(['one timeout']);
  expect(quick.isClosed).toBe(false);
  quick.socket.destroy();
});

function sendTo(uri: string, id: string, rest = ''): string {
  const paths = `To-Path: ${uri}\r\nFrom-Path: msrp://127.0.0.1:9/raw;tcp\r\n`;
  return `MSRP ${id} SEND\r\n${paths}Message-ID: msg${id}\r\n${rest}-------${id}$\r\n`;
}
