/** Those who open connections and say nothing keep nobody out (bounds of SipEndpointLimits). */

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { RecordingHandler } from '../../../src/testing/sip-peer.js';
import type { SipEndpointLimits, SipListener } from '../../../src/transport/sip/options.js';
import { certificate } from './certificates.js';
import { message, openEndpoint, textOf, until, type Opened } from './fixture.js';

const sockets: Socket[] = [];
const cleanUp: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const close of cleanUp.splice(0)) await close();
});

type Scene = Opened & { readonly handler: RecordingHandler; readonly port: number };

async function start(
  transport: SipListener['transport'],
  limits: Partial<SipEndpointLimits>,
): Promise<Scene> {
  const listeners = [{ transport, host: '127.0.0.1', port: 0 }];
  const opened = openEndpoint({ listeners, limits, tls: certificate('server') });
  const handler = new RecordingHandler();
  await opened.endpoint.start(handler);
  cleanUp.push(() => opened.endpoint.stop(0));
  return { ...opened, handler, port: opened.endpoint.addresses[0]!.port };
}

/** A connection from that address of the loopback. */
async function dial(port: number, localAddress?: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', ...(localAddress && { localAddress }) });
  sockets.push(socket);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Our ends stay open, and the process needs some files besides. */
function affordable(wanted: number): number {
  const files = Number(execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }));
  const count = Math.min(wanted, files - 3_000);
  if (count < wanted) console.info(`half-open: ${count} of ${wanted}, as ulimit -n is ${files}`);
  return count;
}

const via = 'SIP/2.0/TCP 127.0.0.9:5;branch=z9hG4bKh';

async function expectServed(scene: Scene, from: string): Promise<number> {
  const before = performance.now();
  const socket = await dial(scene.port, from);
  socket.write(message(via));
  const { received } = await scene.handler.next('request');
  scene.endpoint.respond(received.transaction, { status: 202, headers: [] });
  expect(await textOf(socket)).toMatch(/^SIP\/2\.0 202 /);
  return performance.now() - before;
}

test.each([
  ['tcp', 10_000, ''],
  ['tls', 2_000, '\x16\x03\x01\x02\x00\x01'],
  ['ws', 2_000, 'GET / HTTP/1.1\r\n'],
] as const)(
  'half-open connections by %s, %i from one address: bounded, others are served',
  { timeout: 240_000 },
  holdMany,
);

async function holdMany(
  transport: 'tcp' | 'tls' | 'ws',
  wanted: number,
  octets: string,
): Promise<void> {
  const scene = await start(transport, { connectionsPerPeer: 1_000, silentConnections: 500 });
  const seen = (): number => {
    const { connectionsAccepted, connectionsRefused } = scene.endpoint.counters();
    return connectionsAccepted! + connectionsRefused!;
  };
  const count = affordable(wanted);
  for (let opened = 0; opened < count;) {
    const batch = Math.min(250, count - opened);
    await Promise.all(
      Array.from({ length: batch }, async () => {
        const socket = await dial(scene.port);
        if (octets !== '') socket.write(octets, 'latin1');
      }),
    );
    opened += batch;
    // Whom the queue of the system has no place for tries again a second later.
    await until(() => seen() === opened);
    expect(scene.endpoint.counters()['connections']).toBeLessThanOrEqual(500);
  }
  expect(scene.endpoint.counters()['connections']).toBeLessThanOrEqual(500);
  expect(scene.endpoint.counters()['timers']).toBeLessThanOrEqual(1_000);
  if (transport === 'tcp') await expectServed(scene, '127.0.0.9');
  scene.clock.advance(60_010);
  const left = scene.endpoint.counters()['connections']!;
  expect(left).toBe(transport === 'tcp' ? 1 : 0);
  for (const socket of sockets.splice(0)) socket.destroy();
}

test('a full table takes who comes from elsewhere, at the cost of who has said nothing', async () => {
  const limits = { connections: 50, connectionsPerPeer: 1_000, silentConnections: 1_000 };
  const scene = await start('tcp', limits);
  await expectServed(scene, '127.0.0.2');
  for (let n = 0; n < 200; n++) await dial(scene.port, `127.0.1.${n + 1}`);
  await until(() => scene.endpoint.counters()['connectionsAccepted'] === 201);
  expect(scene.endpoint.counters()['connections']).toBe(50);
  expect(scene.endpoint.counters()['connectionsDropped']).toBe(151);
  // The one that had spoken is still there.
  sockets[0]!.write('\r\n\r\n');
  expect(await textOf(sockets[0]!)).toBe('\r\n');
});

test('a table full of those who have spoken takes nobody more', async () => {
  const scene = await start('tcp', { connections: 2 });
  await expectServed(scene, '127.0.0.2');
  await expectServed(scene, '127.0.0.3').catch(() => undefined);
  const refused = await dial(scene.port, '127.0.0.4');
  await once(refused, 'close');
  expect(scene.endpoint.counters()['connectionsRefused']).toBe(1);
});

test('a connection on which nothing comes is closed sooner than an idle one', async () => {
  const scene = await start('tcp', { silentMs: 20_000, idleMs: 600_000 });
  const silent = await dial(scene.port);
  const spoken = await dial(scene.port);
  spoken.write('\r\n\r\n');
  await textOf(spoken);
  await until(() => scene.endpoint.counters()['connections'] === 2);
  const closed = once(silent, 'close');
  scene.clock.advance(20_000);
  await closed;
  expect(scene.lines.map(({ fields }) => fields['code'])).toContain('SIP_TCP_SILENT');
  scene.clock.advance(500_000);
  expect(scene.endpoint.counters()['connections']).toBe(1);
});

test('handshakes that trickle are given up in time, one octet a second or not', async () => {
  const scene = await start('tls', { handshakeMs: 10_000 });
  const socket = await dial(scene.port);
  await until(() => scene.endpoint.counters()['connections'] === 1);
  for (const octet of [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc]) {
    socket.write(Buffer.from([octet]));
    scene.clock.advance(1_000);
  }
  expect(scene.endpoint.counters()['connections']).toBe(1);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  scene.clock.advance(1_000);
  await closed;
});
