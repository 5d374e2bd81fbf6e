/** The link between front and shard: frames, bounds, questions; marks; layouts. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Calls } from '../../src/cluster/calls.js';
import { claimLayout, shardAmong } from '../../src/cluster/layout.js';
import { Link } from '../../src/cluster/link.js';
import { markedRandom, markOf, shardsMax } from '../../src/cluster/marker.js';
import { systemClock, systemRandom } from '../../src/system.js';
import {
  decodeArrival,
  decodeDeparture,
  encodeArrival,
  encodeDeparture,
} from '../../src/transport/sip/link-codec.js';
import { Queue } from '../../src/testing/sip-peer.js';

const open: { end?: () => void }[] = [];
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'poste-cluster-'));
});
afterEach(() => {
  for (const one of open.splice(0)) one.end?.();
  rmSync(directory, { recursive: true, force: true });
});

test('frames arrive whole and in order, however the stream cuts them', async () => {
  const [near, far] = await pair();
  const arrived = new Queue<readonly [number, string]>();
  link(far, (kind, octets) => arrived.push([kind, octets.toString()]));
  const bytes: Buffer[] = [];
  for (const [kind, text] of [
    [1, 'first'],
    [2, ''],
    [6, 'x'.repeat(70_000)],
  ] as const) {
    const head = Buffer.alloc(5);
    head.writeUInt32LE(5 + text.length, 0);
    head[4] = kind;
    bytes.push(head, Buffer.from(text));
  }
  const octets = Buffer.concat(bytes);
  for (let at = 0; at < octets.length; at += 7) near.write(octets.subarray(at, at + 7));
  expect(await arrived.next()).toEqual([1, 'first']);
  expect(await arrived.next()).toEqual([2, '']);
  expect((await arrived.next())[1]).toHaveLength(70_000);
});

test('cluster.pendingOctets: what the other side does not take is refused, not queued', async () => {
  const [near, far] = await pair();
  far.pause();
  const sender = new Link(near, { pendingOctets: 1_000_000, frame: () => undefined, closed });
  const octets = Buffer.alloc(100_000);
  let taken = 0;
  while (sender.offer(1, [octets])) taken++;
  expect(taken).toBeGreaterThanOrEqual(9);
  expect(taken).toBeLessThanOrEqual(10);
});

test('questions are answered with values and with codes, and fail when nobody is left', async () => {
  const [near, far] = await pair();
  const parts = { clock: systemClock, pending: 2, timeoutMs: 60_000 };
  const asking: Link = link(near, (kind, octets) => {
    if (kind === 6) asker.answered(octets);
  });
  const answering: Link = link(far, (_kind, octets) => void answerer.asked(octets));
  const asker = new Calls(
    { ...parts, ask: (octets) => asking.send(5, [octets]), answer: () => false },
    {},
  );
  const answerer = new Calls(
    { ...parts, ask: () => false, answer: (octets) => answering.send(6, [octets]) },
    {
      sum: (one: number, other: number) => one + other,
      fail: () => Promise.reject(Object.assign(new Error('no'), { code: 'STORE_GONE' })),
      never: () => new Promise(() => undefined),
    },
  );
  expect(await asker.call('sum', 1, 2)).toBe(3);
  await expect(asker.call('fail')).rejects.toMatchObject({ code: 'STORE_GONE' });
  await expect(asker.call('unheard')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  const lost = [asker.call('never'), asker.call('never')];
  await expect(asker.call('sum', 1, 1)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  asker.lost();
  for (const one of lost) await expect(one).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
});

test('SIP messages pass as they are, with what belongs to them', () => {
  const bytes = Buffer.from([0, 255, 13, 10]);
  for (const names of [[], ['a.example', 'b.example']]) {
    const where = { flow: 0xffff_ffff, transport: 'wss', address: '2001:db8::1', port: 65_535 };
    const arrival = { ...where, transport: 'wss' as const, names, bytes };
    expect(decodeArrival(Buffer.concat(encodeArrival(arrival)))).toEqual(arrival);
    const departure = { ...where, transport: 'tls' as const, id: 7, domain: 'a.example', bytes };
    expect(decodeDeparture(Buffer.concat(encodeDeparture(departure)))).toEqual(departure);
  }
});

test('names carry the mark of their shard; numbers that are drawn do not', () => {
  for (let shard = 0; shard < shardsMax; shard++) {
    const random = markedRandom(systemRandom, shard);
    expect(markOf(random.token(10))).toBe(shard);
    expect(random.token(24)).toMatch(/^[A-Za-z0-9]{24}$/);
    expect(random.token(6)).toHaveLength(6);
  }
  expect(markOf('Z')).toBeUndefined();
  expect(markOf('')).toBeUndefined();
  expect(markOf('Z-aaaaaaaaa')).toBeUndefined();
});

test('every account is in one shard, and shards have about as many', () => {
  const counts = [0, 0, 0];
  for (let n = 0; n < 30_000; n++) counts[shardAmong(`user${n}@example.org`, 3)]!++;
  for (const one of counts) expect(one).toBeGreaterThan(9_000);
});

test('CLUSTER_LAYOUT: a directory is not divided anew in passing', async () => {
  await claimLayout(directory, 4);
  await claimLayout(directory, 4);
  await expect(claimLayout(directory, 2)).rejects.toMatchObject({ code: 'CLUSTER_LAYOUT' });
  await expect(claimLayout(directory, 1)).rejects.toMatchObject({ code: 'CLUSTER_LAYOUT' });
  writeFileSync(join(directory, 'shards.json'), '{"shards":');
  await expect(claimLayout(directory, 4)).rejects.toMatchObject({ code: 'CLUSTER_LAYOUT' });
});

test('CLUSTER_LAYOUT: a store of one process is not divided', async () => {
  writeFileSync(join(directory, 'CURRENT'), '');
  await claimLayout(directory, 1);
  await expect(claimLayout(directory, 2)).rejects.toMatchObject({ code: 'CLUSTER_LAYOUT' });
});

test('CLUSTER_LAYOUT: what is divided and does not say how is not guessed', async () => {
  await claimLayout(directory, 3);
  mkdirSync(join(directory, 'shard-0'));
  rmSync(join(directory, 'shards.json'));
  for (const shards of [1, 3]) {
    const claimed = claimLayout(directory, shards);
    await expect(claimed).rejects.toMatchObject({ code: 'CLUSTER_LAYOUT' });
  }
});

test('STORE_UNAVAILABLE: a directory that is none, as a store alone says it', async () => {
  writeFileSync(join(directory, 'file'), '');
  for (const path of [join(directory, 'file'), join(directory, 'file', 'store')]) {
    await expect(claimLayout(path, 2)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  }
});

function closed(): void {
  // Nothing waits for it.
}

function link(stream: Socket, frame: (kind: number, octets: Buffer) => void): Link {
  return new Link(stream, { pendingOctets: 1_000_000, frame, closed });
}

/** Two ends of a stream. */
async function pair(): Promise<readonly [Socket, Socket]> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [far] = (await once(server, 'connection')) as [Socket];
  open.push({ end: () => server.close() });
  for (const socket of [near, far]) open.push({ end: () => socket.destroy() });
  return [near, far];
}
