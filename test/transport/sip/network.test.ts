/** Datagrams, listeners and the way of requests (RFC 3261 18, RFC 3581, RFC 3263). */

import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import {
  openSipPeer,
  RecordingHandler,
  requestOf,
  responseTo,
} from '../../../src/testing/sip-peer.js';
import type { SipRequest } from '../../../src/wire/sip/message.js';
import { SipListenError } from '../../../src/transport/sip/network.js';
import { freePort } from '../../loopback-port.js';
import { collect, message, openEndpoint, toPeer, withScene, type Scene } from './fixture.js';

test('TP-02: received is added, the answer goes to the sent-by port of the source', () =>
  withScene('udp', {}, async (scene) => {
    const other = await openSipPeer('udp');
    const via = `SIP/2.0/UDP elsewhere.example:${other.port};branch=z9hG4bKr, SIP/2.0/UDP b.example`;
    scene.sendBytes(message(via));
    const { received } = await scene.handler.next('request');
    expect(received.request.header('Via')).toBe(via);
    expect(received.peer.port).toBe(scene.peer.port);
    scene.endpoint.respond(received.transaction, { status: 202, headers: [] });
    const answer = await other.nextResponse();
    expect(answer.list('Via')).toEqual([
      `SIP/2.0/UDP elsewhere.example:${other.port};branch=z9hG4bKr;received=127.0.0.1`,
      'SIP/2.0/UDP b.example',
    ]);
    await other.close();
  }));

test('TP-02: with rport the answer goes to the source', () =>
  withScene('udp', {}, async (scene) => {
    scene.sendBytes(message('SIP/2.0/UDP 10.9.9.9:9;rport;branch=z9hG4bKr'));
    const { received } = await scene.handler.next('request');
    scene.endpoint.respond(received.transaction, { status: 202, headers: [] });
    const via = (await scene.peer.nextResponse()).header('Via')!;
    expect(via).toContain(`rport=${scene.peer.port}`);
    expect(via).toContain('received=127.0.0.1');
  }));

test('TP-03: a datagram shorter than its Content-Length gets 400', () =>
  withScene('udp', {}, async (scene) => {
    const via = `SIP/2.0/UDP 127.0.0.1:${scene.peer.port};branch=z9hG4bKs`;
    scene.sendBytes(message(via).replace('Length: 0', 'Length: 10'));
    const answer = await scene.peer.nextResponse();
    expect([answer.status, answer.header('Call-ID')]).toEqual([400, 'n1']);
    expect(await collect(scene)).toEqual([]);
    expect(scene.endpoint.counters()['malformed']).toBe(1);
    expect(scene.lines).toHaveLength(1);
    expect(scene.lines[0]!.fields['code']).toBe('SIP_TRUNCATED');
    expect(scene.lines[0]!.level).toBe('info');
  }));

test('TP-03: octets behind the body are dropped', () =>
  withScene('udp', {}, async (scene) => {
    const via = `SIP/2.0/UDP 127.0.0.1:${scene.peer.port};branch=z9hG4bKs`;
    scene.sendBytes(`${message(via)}trailing`);
    const { received } = await scene.handler.next('request');
    expect(received.request.body).toHaveLength(0);
  }));

test('what cannot be answered is met with silence', () =>
  withScene('udp', {}, async (scene) => {
    const via = `SIP/2.0/UDP 127.0.0.1:${scene.peer.port};branch=z9hG4bKs`;
    const good = message(via);
    for (const bad of [
      'hello',
      '\r\n\r\n',
      '\0\0\0\0\0\0',
      good.replace(/Via: .*\r\n/, ''),
      good.replace(/Via: .*\r\n/, 'Via: nonsense\r\n'),
      good.replace('MESSAGE sip', 'ACK sip'),
      good.replace('MESSAGE sip:bob@example.org SIP/2.0', 'SIP/2.0 999999 Odd'),
    ]) {
      scene.sendBytes(bad);
    }
    expect(await collect(scene)).toEqual([]);
  }));

test('a broken request that can be answered gets its status', () =>
  withScene('udp', { limits: { headerBytes: 2_000 } }, async (scene) => {
    const via = `SIP/2.0/UDP 127.0.0.1:${scene.peer.port};branch=z9hG4bKs`;
    scene.sendBytes(message(via).replace('1 MESSAGE', '1 OPTIONS'));
    expect((await scene.peer.nextResponse()).status).toBe(400);
    scene.sendBytes(message(via, `X-Long: ${'x'.repeat(3_000)}\r\n`));
    expect((await scene.peer.nextResponse()).status).toBe(513);
  }));

test.each([
  [1_299, 'udp'],
  [1_300, 'udp'],
  [1_301, 'tcp'],
])('TP-01: a request of %i octets leaves by %s', (size, transport) =>
  withScene('udp', {}, async (scene) => {
    const { endpoint } = scene;
    const { stream, datagrams, port } = await openBoth();
    const arrived = new Promise<string>((resolve) => {
      datagrams.on('message', (bytes) => resolve(`udp ${bytes.length}`));
      stream.on('connection', (socket) => {
        socket.once('data', (bytes) => resolve(`tcp ${bytes.length}`));
      });
    });
    const probe = { ...toPeer({ address: '127.0.0.1', port }), method: 'MESSAGE' };
    const fixed = { ...probe, callId: 'probe', localTag: 'tag' };
    const overhead = await sizeOf(scene, fixed, port);
    endpoint.request({ ...fixed, body: Buffer.alloc(size - overhead - 3, 'x') });
    // What counts is the size as a datagram, whose Via asks for rport.
    const octets = transport === 'udp' ? size : size - ';rport'.length;
    expect(await arrived).toBe(`${transport} ${octets}`);
    await endpoint.stop(0);
    stream.close();
    datagrams.close();
  }),
);

/** A TCP listener and a UDP socket on one port. */
async function openBoth(): Promise<{ stream: Server; datagrams: DatagramSocket; port: number }> {
  for (;;) {
    const stream = createServer().listen(0, '127.0.0.1');
    await once(stream, 'listening');
    const { port } = stream.address() as AddressInfo;
    const datagrams = createSocket('udp4').bind(port, '127.0.0.1');
    const isFree = await once(datagrams, 'listening').then(
      () => true,
      () => false,
    );
    if (isFree) return { stream, datagrams, port };
    stream.close();
    datagrams.close();
  }
}

/** The size of a request without body; a body of four digits takes three octets more. */
async function sizeOf(
  scene: Scene,
  request: ReturnType<typeof toPeer> & { method: string },
  port: number,
) {
  const other = await openSipPeer('udp');
  // The probe has another port in its Request-URI, perhaps of another length.
  const uri = request.uri.replace(/:\d+$/, `:${other.port}`);
  scene.endpoint.request({ ...request, owner: 'probe', uri, to: request.to });
  const { bytes } = await other.nextRequest();
  await other.close();
  return bytes.length - String(other.port).length + String(port).length;
}

test('TP-01: where TCP is refused, a large request leaves by UDP after all', () =>
  withScene('udp', {}, async (scene) => {
    const body = Buffer.alloc(5_000, 'x');
    scene.endpoint.request({ ...toPeer(scene.peer), method: 'MESSAGE', body });
    const { message: request, reply } = await scene.peer.arrivals.next();
    expect(request.header('Via')).toMatch(/^SIP\/2\.0\/UDP /);
    expect(request.body).toEqual(body);
    reply(responseTo(request as SipRequest, 202));
    expect((await scene.handler.next('response')).response.status).toBe(202);
  }));

test('TP-05: targets are tried in order, each with a branch of its own', () =>
  withScene('udp', {}, async (scene) => {
    const first = { address: '127.0.0.1', port: await freePort(), transport: 'tcp' } as const;
    const second = { address: '127.0.0.1', port: scene.peer.port, transport: 'udp' } as const;
    const asked: unknown[] = [];
    const opened = openEndpoint({
      resolve: (hop) => {
        asked.push(hop);
        return Promise.resolve([first, second]);
      },
    });
    await opened.endpoint.start(scene.handler);
    const uri = 'sip:im.example.com:5070';
    opened.endpoint.request({ ...toPeer(scene.peer), uri, method: 'MESSAGE' });
    expect((await scene.peer.nextRequest()).uri).toBe(uri);
    expect(asked).toEqual([{ host: 'im.example.com', port: 5070 }]);
    await opened.endpoint.stop(0);
  }));

test('TP-05: a look-up that fails, finds nothing or never ends is a failure', () =>
  withScene('udp', {}, async (scene) => {
    for (const resolve of [
      () => Promise.reject(new Error('ESERVFAIL')),
      () => Promise.resolve([]),
      () => [],
      () => new Promise<never>(() => undefined),
    ]) {
      const { endpoint, clock } = openEndpoint({ resolve });
      await endpoint.start(scene.handler);
      endpoint.request({ ...toPeer(scene.peer), method: 'MESSAGE' });
      await Promise.resolve();
      clock.advance(32_000);
      expect((await scene.handler.next('failure')).cause).toBe('transport');
      await endpoint.stop(0);
    }
  }));

const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
);

test.each(hasIpv6 ? ['::1'] : [])('IPv6: a listener on %s by UDP and TCP', async (host) => {
  const listeners = [
    { transport: 'udp', host, port: 0 },
    { transport: 'tcp', host, port: 0 },
  ] as const;
  for (const transport of ['udp', 'tcp'] as const) {
    await withScene(transport, { listeners }, async (scene) => {
      const peer = await openSipPeer(transport, host);
      const to = scene.endpoint.addresses.find((one) => one.transport === transport)!;
      peer.send(to, requestOf(peer, { method: 'MESSAGE', branch: 'v6' }));
      const { received } = await scene.handler.next('request');
      expect(received.peer.address).toBe(host);
      scene.endpoint.respond(received.transaction, { status: 202, headers: [] });
      expect((await peer.nextResponse()).status).toBe(202);
      expect(scene.endpoint.contactUri('us', transport)).toContain(`sip:us@[::1]:${to.port}`);
      const uri = `sip:peer@[::1]:${peer.port};transport=${transport}`;
      scene.endpoint.request({ ...toPeer(scene.peer), uri, method: 'MESSAGE' });
      expect((await peer.nextRequest()).header('Via')).toContain('[::1]:');
      await peer.close();
    });
  }
});

test.each(['udp', 'tcp'] as const)(
  'a %s port that is taken rejects start with a code and leaves nothing open',
  async (transport) => {
    const first = openEndpoint();
    await first.endpoint.start(new RecordingHandler());
    const taken = first.endpoint.addresses.find((one) => one.transport === transport)!;
    const port = await freePort();
    const second = openEndpoint({
      listeners: [
        { transport: 'tcp', host: '127.0.0.1', port },
        { transport, host: '127.0.0.1', port: taken.port },
      ],
    });
    const failed = second.endpoint.start(new RecordingHandler()).catch((error: unknown) => error);
    expect(await failed).toBeInstanceOf(SipListenError);
    expect(((await failed) as SipListenError).code).toBe('SIP_LISTEN');
    // The listener that was open already is closed again: its port is free.
    const third = openEndpoint({
      listeners: [{ transport: 'tcp', host: '127.0.0.1', port }],
    });
    await third.endpoint.start(new RecordingHandler());
    await third.endpoint.stop(0);
    await first.endpoint.stop(0);
  },
);

test('contactUri escapes the user, names the advertised host and its transport', () =>
  withScene('udp', { advertised: 'im.example.org' }, ({ endpoint }) => {
    const [udp, tcp] = endpoint.addresses;
    expect(endpoint.contactUri('push/1 ü;x')).toBe(
      `sip:push/1%20%C3%BC;x@im.example.org:${udp!.port}`,
    );
    expect(endpoint.contactUri('a@b', 'tcp')).toBe(
      `sip:a%40b@im.example.org:${tcp!.port};transport=tcp`,
    );
    return Promise.resolve();
  }));

test('the trace sees every message, retransmissions included', () =>
  withScene('udp', {}, async (scene) => {
    scene.send({ method: 'MESSAGE', branch: 't' });
    const { received } = await scene.handler.next('request');
    scene.endpoint.respond(received.transaction, { status: 202, headers: [] });
    scene.send({ method: 'MESSAGE', branch: 't' });
    await scene.peer.nextResponse();
    await scene.peer.nextResponse();
    expect(scene.traced.map(({ direction }) => direction)).toEqual(['in', 'out', 'in', 'out']);
    expect(scene.traced[0]!.remote).toBe(`127.0.0.1:${scene.peer.port}`);
    expect(scene.traced[1]!.bytes).toEqual(scene.traced[3]!.bytes);
  }));

test('stop refuses what is new, waits for what is pending, at most the grace', () =>
  withScene('udp', {}, async (scene) => {
    scene.send({ method: 'MESSAGE', branch: 'p' });
    await scene.handler.next('request');
    const stopped = scene.endpoint.stop(5_000);
    scene.send({ method: 'MESSAGE', branch: 'q', callId: 'q' });
    expect((await scene.peer.nextResponse()).status).toBe(503);
    scene.clock.advance(5_000);
    await stopped;
    expect(scene.endpoint.counters()['timers']).toBe(0);
    await scene.endpoint.stop(0);
  }));
