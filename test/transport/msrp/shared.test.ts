/** One MSRP port for the sessions of several processes: real sockets outside, records inside. */

import { createHash } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { msrpPortContract } from '../../../src/testing/msrp-port-contract.js';
import { outgoing, patternBytes } from '../../../src/testing/msrp-recorder.js';
import { ManualClock } from '../../../src/testing/clock.js';
import type { Content, TraceEntry } from '../../../src/ports.js';
import { systemClock, systemRandom } from '../../../src/system.js';
import { createMsrpEndpoint } from '../../../src/transport/msrp/endpoint.js';
import { until } from '../sip/fixture.js';
import { fingerprintOf, tlsOptions } from './certificates.js';
import { recordingLog, startEndpoint } from './raw-peer.js';
import type { Running } from './raw-peer.js';
import {
  bound,
  peerPath,
  sendFrame,
  startShared,
  stopShared,
  turns,
  waiting,
} from './shared-scene.js';
import type { SharedScene } from './shared-scene.js';

let scene: SharedScene | undefined;
const others: Running[] = [];

afterEach(async () => {
  for (const { endpoint } of others.splice(0)) await endpoint.stop(0);
  if (scene) await stopShared(scene);
  scene = undefined;
});

async function other(options: Parameters<typeof startEndpoint>[0] = {}): Promise<Running> {
  const running = await startEndpoint(options);
  others.push(running);
  return running;
}

test.each(msrpPortContract)('behind a front: $name', async ({ run }) => {
  const scenes: SharedScene[] = [];
  await run(async () => {
    const made = await startShared({ shards: 1, isBare: true });
    scenes.push(made);
    return createMsrpEndpoint({
      ...{ host: '127.0.0.1', port: 0, clock: systemClock, random: systemRandom },
      ...{ log: recordingLog(), ...made.shards[0]!.options },
    });
  });
  for (const made of scenes) await stopShared(made);
});

test('RFC 4975 5.4: one connection carries sessions of two shards, both ways', async () => {
  scene = await startShared();
  const uris = scene.shards.map((shard, index) => waiting(shard, `s${index}`));
  const peer = await scene.dial();
  for (const [index, uri] of uris.entries()) peer.write(sendFrame(uri, `bind000${index}`));
  for (const index of [0, 1]) expect(await peer.status(`bind000${index}`)).toBe(200);
  for (const [index, { running }] of scene.shards.entries()) {
    running.endpoint.send(outgoing(`s${index}`, `out${index}`, `from ${index}`));
  }
  await peer.until(() => peer.requests.length === 2);
  for (const { head, body } of peer.requests) {
    const index = uris.indexOf(head.fromPath[0]!);
    expect(body.toString()).toBe(`from ${index}`);
    peer.answer(head);
  }
  for (const [index, { running }] of scene.shards.entries()) {
    await running.recorder.hears('sent', `s${index}/sender out${index} 200`);
    peer.write(sendFrame(uris[index]!, `in00000${index}`, `to ${index}`));
    expect(await peer.status(`in00000${index}`)).toBe(200);
    expect(running.recorder.bodies.map(String)).toEqual([`to ${index}`]);
  }
  expect(scene.front.connections).toBe(1);
});

test('MSRP-06: large messages of two shards share a connection; no chunk is broken into', async () => {
  scene = await startShared();
  const [first, second] = scene.shards;
  const client = await other();
  const bodies = [patternBytes(3_000_001), patternBytes(2_000_003)];
  // Both to the same host and port: the endpoint reuses its connection.
  await bound(client, first!, 'one');
  await bound(client, second!, 'two');
  expect(scene.front.connections).toBe(1);
  for (const [index, shard] of scene.shards.entries()) {
    const owner = ['one', 'two'][index]!;
    const { endpoint } = shard.running;
    endpoint.send(outgoing(owner, `out${index}`, bodies[index]!, { successReport: true }));
    client.endpoint.send(outgoing(owner, `in${index}`, bodies[index]!));
  }
  for (const [index, { running }] of scene.shards.entries()) {
    const owner = ['one', 'two'][index]!;
    await running.recorder.hears('reported', `${owner}/sender out${index} 200`);
    await client.recorder.hears('sent', `${owner}/sender in${index} 200`);
    expect(digest(running.recorder.bodies[0]!)).toBe(digest(bodies[index]!));
    const got = client.recorder.bodies.find(({ length }) => length === bodies[index]!.length);
    expect(digest(got!)).toBe(digest(bodies[index]!));
  }
});

test('MSRP-06: who keeps a chunk open ends it when another shard has something to say', async () => {
  scene = await startShared();
  const [first, second] = scene.shards;
  const uris = [waiting(first!, 'slow'), waiting(second!, 'quick')];
  const peer = await scene.dial();
  for (const [index, uri] of uris.entries()) peer.write(sendFrame(uri, `bind000${index}`));
  await peer.until(() => peer.frames.length === 2);
  let goOn: (() => void) | undefined;
  const content: Content = {
    size: 200_000,
    read: async (offset, length) => {
      // The rest is not there before the other one has been heard.
      if (offset >= 8_192) await new Promise<void>((resolve) => (goOn = resolve));
      return patternBytes(200_000).subarray(offset, Math.min(offset + length, offset + 8_192));
    },
  };
  first!.running.endpoint.send(outgoing('slow', 'long', '', { content }));
  await until(() => goOn !== undefined);
  second!.running.endpoint.send(outgoing('quick', 'short', 'in between'));
  await peer.until(() => peer.requests.length >= 2);
  const [chunk, between] = peer.requests;
  expect([chunk!.flag, chunk!.head.messageId]).toEqual(['+', 'long']);
  expect(between!.body.toString()).toBe('in between');
});

describe('what is nobody’s', () => {
  test('IMSpec-DMT-S-011: 481 for an unknown session, whatever its id looks like', async () => {
    scene = await startShared();
    const { port } = scene.front.addresses!.plain;
    const peer = await scene.dial();
    const ids = ['nobody', 'Z1aaaaaaaaaaaaaaaaaaaa', 'Zzaaaaaaaaaaaaaaaaaaaa'];
    for (const [index, id] of ids.entries()) {
      peer.write(sendFrame(`msrp://127.0.0.1:${port}/${id};tcp`, `nobody0${index}`, 'x'));
      expect(await peer.status(`nobody0${index}`)).toBe(481);
    }
    const two = `msrp://h:1/a;tcp msrp://127.0.0.1:${port}/b;tcp`;
    peer.write(sendFrame(two, 'nobody09'));
    expect(await peer.status('nobody09')).toBe(481);
  });

  test.each([
    ['no MSRP', 'GET / HTTP/1.1\r\n\r\n'],
    ['octets', Buffer.from([0, 255, 3, 10, 13, 10])],
    ['a start line without end', `MSRP ${'a'.repeat(2_000)}`],
    ['a field without end', `MSRP abcd SEND\r\nTo-Path: ${'a'.repeat(40_000)}`],
    ['fields without end', `MSRP abcd SEND\r\n${'X: y\r\n'.repeat(9_000)}`],
  ])('MSRP-20: %s ends the connection, and no other one', async (_what, octets) => {
    scene = await startShared();
    const uri = waiting(scene.shards[1]!, 'spared');
    const spared = await scene.dial();
    spared.write(sendFrame(uri, 'bind0001'));
    expect(await spared.status('bind0001')).toBe(200);
    const peer = await scene.dial();
    peer.write(octets);
    await peer.closed();
    await until(() => scene!.front.connections === 1);
    spared.write(sendFrame(uri, 'again001', 'still there'));
    expect(await spared.status('again001')).toBe(200);
  });

  test('MSRP-20: a faulty frame is answered by the shard of its session, the connection goes on', async () => {
    scene = await startShared();
    const uri = waiting(scene.shards[1]!, 'one');
    const peer = await scene.dial();
    peer.write(
      `MSRP fault001 SEND\r\nTo-Path: ${uri}\r\nFrom-Path: ${peerPath}\r\n-------fault001$\r\n`,
    );
    expect(await peer.status('fault001')).toBe(400);
    peer.write(sendFrame(uri, 'bind0001'));
    expect(await peer.status('bind0001')).toBe(200);
  });

  test('MSRP-22: a body without end is cut off when it does not move, with a head alone, too', async () => {
    const clock = new ManualClock();
    scene = await startShared({ clock });
    const uri = waiting(scene.shards[0]!, 'one');
    const open = await scene.dial();
    open.write(sendFrame(uri, 'bind0001'));
    expect(await open.status('bind0001')).toBe(200);
    open.write(sendFrame(uri, 'endless1', 'x'.repeat(10)).slice(0, -20));
    const head = await scene.dial();
    head.write('MSRP abcd SEND\r\nTo-Path: ');
    await until(() => scene!.front.connections === 2);
    // Each look of the watch wants that the octets have come.
    while (!(open.isClosed && head.isClosed)) {
      clock.advance(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(scene.log.lines.map(({ code }) => code)).toContain('MSRP_SLOW_PEER');
    await scene.shards[0]!.running.recorder.hears('lost', 'one closed');
  });
});

describe('its end', () => {
  test('U6: a shard that dies in the middle of a chunk takes its sessions, and no others', async () => {
    scene = await startShared();
    const [first, second] = scene.shards;
    const uris = [waiting(first!, 'lost'), waiting(second!, 'spared')];
    const peer = await scene.dial();
    for (const [index, uri] of uris.entries()) peer.write(sendFrame(uri, `bind000${index}`));
    await peer.until(() => peer.frames.length === 2);
    const content: Content = {
      size: 100_000,
      read: (offset) =>
        offset < 20_000 ? Buffer.alloc(10_000, 'x') : new Promise<Buffer>(() => undefined),
    };
    first!.running.endpoint.send(outgoing('lost', 'long', '', { content }));
    let octets = 0;
    peer.socket.on('data', (chunk: Buffer) => (octets += chunk.length));
    await until(() => octets > 10_000);
    // A chunk of the peer for it is under way as well.
    peer.write(sendFrame(uris[0]!, 'broken01', 'y'.repeat(50)).slice(0, -40));
    await until(() => first!.there.octets === 0);
    scene.lose(first!);
    const [chunk] = await Promise.all([peer.request(0)]);
    expect(chunk.flag).toBe('#');
    peer.write(`y\r\n-------broken01$\r\n${sendFrame(uris[1]!, 'after001', 'spared')}`);
    expect(await peer.status('after001')).toBe(200);
    expect(second!.running.recorder.bodies.map(String)).toEqual(['spared']);
    // Its sessions are nobody's now.
    peer.write(sendFrame(uris[0]!, 'after002'));
    expect(await peer.status('after002')).toBe(481);
  });

  test('U6: a connection that only the dead shard used is closed', async () => {
    scene = await startShared();
    const uri = waiting(scene.shards[0]!, 'lost');
    const peer = await scene.dial();
    peer.write(sendFrame(uri, 'bind0001'));
    expect(await peer.status('bind0001')).toBe(200);
    scene.lose(scene.shards[0]!);
    await peer.closed();
  });

  test.each(['end', 'resetAndDestroy'] as const)(
    'MSRP-13: when the peer goes (%s) the sessions of all shards end',
    async (how) => {
      scene = await startShared();
      const uris = scene.shards.map((shard) => waiting(shard, 'one'));
      const peer = await scene.dial();
      for (const [index, uri] of uris.entries()) peer.write(sendFrame(uri, `bind000${index}`));
      await peer.until(() => peer.frames.length === 2);
      peer.socket[how]();
      for (const { running } of scene.shards) await running.recorder.hears('lost', 'one closed');
      await until(() => scene!.front.connections === 0);
    },
  );

  test('MSRP-13: a connection that no session uses is closed after a while, not before', async () => {
    const clock = new ManualClock();
    scene = await startShared({ clock, options: { limits: { idleMs: 1_000 } } });
    const [first, second] = scene.shards;
    const uris = scene.shards.map((shard) => waiting(shard, 'one'));
    const peer = await scene.dial();
    for (const [index, uri] of uris.entries()) peer.write(sendFrame(uri, `bind000${index}`));
    await peer.until(() => peer.frames.length === 2);
    first!.running.endpoint.release('one');
    await turns();
    clock.advance(1_000);
    await turns();
    // The other shard has a session on it; the first one may have another one later.
    const next = waiting(first!, 'next');
    peer.write(sendFrame(next, 'bind0003'));
    expect(await peer.status('bind0003')).toBe(200);
    for (const { endpoint } of [first!.running, second!.running]) {
      endpoint.release('one');
      endpoint.release('next');
    }
    while (!peer.isClosed) {
      clock.advance(1_000);
      await turns();
    }
    expect(scene.front.connections).toBe(0);
  });

  test('MSRP-11: a connection without a frame is closed after bindWaitMs', async () => {
    const clock = new ManualClock();
    scene = await startShared({ clock, options: { limits: { bindWaitMs: 5_000 } } });
    const peer = await scene.dial();
    await until(() => scene!.front.connections === 1);
    clock.advance(5_000);
    await peer.closed();
  });
});

describe('MSRP-14: TLS ends at the front', () => {
  const tls = { ...tlsOptions('server'), clientCertificate: 'require' as const };

  test('the shard judges the certificate of the peer by its fingerprint', async () => {
    scene = await startShared({ options: { tls } });
    for (const name of ['renewed', 'self-signed'] as const) {
      const client = await other({ tls: tlsOptions(name) });
      for (const [index, expected] of (['renewed', 'elsewhere'] as const).entries()) {
        const { endpoint, recorder } = scene.shards[1]!.running;
        const owner = `${name}-${index}`;
        const uri = endpoint.reserve(owner);
        const fingerprints = [fingerprintOf(expected)];
        const path = [client.endpoint.reserve(owner)];
        endpoint.connect(owner, { path, active: false, fingerprints });
        client.endpoint.connect(owner, { path: [uri], active: true });
        expect(uri).toContain(`:${scene.front.addresses!.secure!.port}/`);
        if (name === expected) await recorder.hears('connected', owner);
        else await client.recorder.hears('lost', `${owner} refused`);
      }
    }
  });
});

test('U26: a trace at the front has the frames of all shards', async () => {
  const entries: TraceEntry[] = [];
  scene = await startShared({ trace: { record: (entry) => entries.push(entry) } });
  const uri = waiting(scene.shards[1]!, 'one');
  const peer = await scene.dial();
  peer.write(sendFrame(uri, 'bind0001', 'secret'));
  expect(await peer.status('bind0001')).toBe(200);
  const texts = entries.map(({ direction, bytes }) => `${direction} ${bytes.toString()}`);
  expect(texts).toHaveLength(2);
  expect(texts[0]).toMatch(/^in MSRP bind0001 SEND\r\n[^]*-------bind0001\$\r\n$/);
  expect(texts[0]).not.toContain('secret');
  expect(texts[1]).toMatch(/^out MSRP bind0001 200 [^]*-------bind0001\$\r\n$/);
});

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
