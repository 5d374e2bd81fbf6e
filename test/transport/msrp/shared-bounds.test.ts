/** Bounds of what waits where several processes share the MSRP connections of one port. */

import { afterEach, expect, test } from 'vitest';
import type { Content, MsrpSink } from '../../../src/ports.js';
import { ManualClock } from '../../../src/testing/clock.js';
import { msrpRecord } from '../../../src/transport/msrp/link.js';
import { outgoing } from '../../../src/testing/msrp-recorder.js';
import { until } from '../sip/fixture.js';
import { startEndpoint } from './raw-peer.js';
import {
  bound,
  defaultWindow,
  sendFrame,
  startShared,
  stopShared,
  turns,
  waiting,
} from './shared-scene.js';
import type { SharedScene } from './shared-scene.js';

let scene: SharedScene | undefined;

afterEach(async () => {
  if (scene) await stopShared(scene);
  scene = undefined;
});

test('a peer that does not read: no more than the window of each shard waits for it', async () => {
  // The window of MSRP itself would do before the sockets of the system are full.
  scene = await startShared({ options: { windowBytes: 67_108_864 } });
  const uris = scene.shards.map((shard) => waiting(shard, 'one'));
  const peer = await scene.dial();
  for (const [index, uri] of uris.entries()) peer.write(sendFrame(uri, `bind000${index}`));
  await peer.until(() => peer.frames.length === 2);
  peer.socket.pause();
  let [asked, before] = [0, -1];
  const size = 64 * 1_048_576;
  const content: Content = {
    size,
    read: (offset, length) => {
      asked = Math.max(asked, offset + length);
      return Buffer.alloc(Math.min(length, size - offset), 'x');
    },
  };
  for (const { running } of scene.shards) {
    running.endpoint.send(outgoing('one', 'long', '', { content }));
  }
  while (asked !== before) {
    before = asked;
    await turns(50);
  }
  const record = 65_536;
  expect(scene.front.heldOctets).toBeGreaterThan(defaultWindow);
  expect(scene.front.heldOctets).toBeLessThanOrEqual(2 * (defaultWindow + record));
  // The rest is in sockets of the system.
  expect(asked).toBeLessThan(size / 2);
  peer.socket.destroy();
  await until(() => scene!.front.heldOctets === 0);
});

test('a shard that takes nothing in: no more than its window is read from the peer', async () => {
  scene = await startShared();
  const [first] = scene.shards;
  let release: (() => void) | undefined;
  let size = 0;
  const sink: MsrpSink = {
    write: async (_offset, bytes) => {
      size += bytes.length;
      if (!release) await new Promise<void>((resolve) => (release = resolve));
    },
    complete: () => 200,
    abort: () => undefined,
  };
  first!.running.recorder.onReceive = () => sink;
  const client = await startEndpoint({ windowBytes: 8_388_608 });
  await bound(client, first!, 'one');
  const length = 6_000_000;
  let read = 0;
  const content: Content = {
    size: length,
    read: (offset, octets) => {
      read = Math.max(read, offset);
      return Buffer.alloc(Math.min(octets, length - offset), 'x');
    },
  };
  let there = 0;
  const { receive } = first!.there;
  first!.there.receive = (kind, record) => {
    there += record.length;
    receive!(kind, record);
  };
  client.endpoint.send(outgoing('one', 'long', '', { content }));
  await until(() => release !== undefined);
  let before = -1;
  while (there !== before) {
    before = there;
    await turns(50);
  }
  // One read beyond the window, one with the sink, and one that is the next for it.
  const chunk = 65_536;
  expect(there).toBeLessThan(defaultWindow + 3 * chunk);
  release!();
  await client.recorder.hears('sent', 'one/sender long 200');
  expect(size).toBe(length);
  await client.endpoint.stop(0);
});

test('MSRP_HELD_FULL: of many that do not read the one that has moved least is closed', async () => {
  const heldOctets = 3 * defaultWindow;
  scene = await startShared({ heldOctets, shards: 1, options: { windowBytes: 67_108_864 } });
  const [shard] = scene.shards;
  const peers = [];
  for (let index = 0; index < 6; index++) {
    const uri = waiting(shard!, `s${index}`);
    const peer = await scene.dial();
    peer.write(sendFrame(uri, 'bind0001'));
    expect(await peer.status('bind0001')).toBe(200);
    peer.socket.pause();
    const size = 64 * 1_048_576;
    const content: Content = { size, read: (_at, length) => Buffer.alloc(length, 'x') };
    const { endpoint } = shard!.running;
    for (let n = 0; n < 16; n++) {
      endpoint.send(outgoing(`s${index}`, `m${n}`, '', { content }));
    }
    peers.push(peer);
  }
  let most = 0;
  while (!scene.log.lines.some(({ code }) => code === 'MSRP_HELD_FULL')) {
    most = Math.max(most, scene.front.heldOctets);
    await turns(1);
  }
  expect(most).toBeLessThanOrEqual(heldOctets);
  await shard!.running.recorder.until((recorder) => recorder.of('lost').length > 0);
  expect(shard!.running.recorder.of('lost').length).toBeLessThan(6);
  for (const peer of peers) peer.socket.destroy();
});

test('MSRP_UNREAD: a peer that reads nothing is closed by the front as well, whatever shards say', async () => {
  const clock = new ManualClock();
  scene = await startShared({ clock, isBare: true, shards: 1 });
  const { front, log, shards } = scene;
  const peer = await scene.dial();
  let stream: Buffer | undefined;
  shards[0]!.there.receive = (kind, record) => {
    if (kind === msrpRecord.opened) stream = record.subarray(0, 4);
  };
  peer.write(sendFrame('msrp://127.0.0.1:1/Z0nobody;tcp', 'first001'));
  await until(() => stream !== undefined);
  peer.socket.pause();
  const frame = Buffer.from(
    sendFrame('msrp://127.0.0.1:9/peer;tcp', 'answer01', 'x'.repeat(60_000)),
  );
  let before = -1;
  // Until the sockets of the system are full.
  while (front.heldOctets === 0 || front.heldOctets !== before) {
    before = front.heldOctets;
    if (before < 1_000_000) front.received(msrpRecord.octets, Buffer.concat([stream!, frame]));
    await turns();
  }
  clock.advance(29_999);
  await turns();
  expect(front.connections).toBe(1);
  clock.advance(1);
  expect(log.lines.map(({ code }) => code)).toEqual(['MSRP_UNREAD']);
  expect([front.connections, front.heldOctets]).toEqual([0, 0]);
});

test('MSRP-13: frames for nobody, however many, keep no connection', async () => {
  const clock = new ManualClock();
  const limits = { bindWaitMs: 5_000, connectMs: 1_000 };
  scene = await startShared({ clock, options: { limits } });
  const [shard] = scene.shards;
  const peer = await scene.dial();
  const unknown = 'msrp://127.0.0.1:1/Z0abcdefghijklmnopqrst;tcp';
  peer.write(sendFrame(unknown, 'junk0000'));
  expect(await peer.status('junk0000')).toBe(481);
  for (const [round, waitMs] of [5_000, 1_000, 1_000].entries()) {
    expect(scene.front.connections).toBe(1);
    // One is always on its way, and may be the first of a session.
    shard!.there.isHeld = true;
    peer.write(sendFrame(unknown, `junk000${round + 1}`));
    await until(() => shard!.there.octets > 0);
    clock.advance(waitMs);
    await turns();
    shard!.there.release();
    await turns();
  }
  await peer.closed();
  expect(scene.front.connections).toBe(0);
});

test('MSRP_CONNECTIONS_FULL: as many connections as allowed, of all shards together', async () => {
  scene = await startShared({ options: { limits: { connections: 2 } } });
  const [first] = [await scene.dial(), await scene.dial()];
  await until(() => scene!.front.connections === 2);
  const third = await scene.dial();
  await third.closed();
  expect(scene.log.lines.map(({ code }) => code)).toEqual(['MSRP_CONNECTIONS_FULL']);
  first.socket.destroy();
  await until(() => scene!.front.connections === 1);
});
