/** SIP over TLS: both roles, certificates, their names and their reload (TP-01, RFC 5922). */

import { once } from 'node:events';
import { connect as connectTcp, type AddressInfo } from 'node:net';
import { connect, createServer, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { Queue, RecordingHandler, responseTo } from '../../../src/testing/sip-peer.js';
import { SipTlsError, type SipTlsOptions } from '../../../src/transport/sip/tls.js';
import type { SipEndpointOptions } from '../../../src/transport/sip/options.js';
import type { SipMessage, SipRequest } from '../../../src/wire/sip/message.js';
import { SipStream } from '../../../src/wire/sip/stream.js';
import { authority, certificate, pair, type CertificateName } from './certificates.js';
import { message, openEndpoint, textOf, until, type Opened } from './fixture.js';

type Started = Opened & { readonly handler: RecordingHandler; readonly port: number };

const cleanUp: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of cleanUp.splice(0).reverse()) await close();
});

const own: SipTlsOptions = { ...certificate('server'), ca: [authority] };

async function start(
  tls: SipTlsOptions = own,
  options: Partial<SipEndpointOptions> = {},
): Promise<Started> {
  const listeners = [{ transport: 'tls', host: '127.0.0.1', port: 0 }] as const;
  const opened = openEndpoint({ listeners, tls, ...options });
  const handler = new RecordingHandler();
  await opened.endpoint.start(handler);
  cleanUp.push(() => opened.endpoint.stop(0));
  return { ...opened, handler, port: opened.endpoint.addresses[0]!.port };
}

/** A peer that connects; what it is shown is verified unless told otherwise. */
async function dial({ port }: Started, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', ca: authority, ...options });
  cleanUp.push(() => void socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

const via = 'SIP/2.0/TLS client.example.com;branch=z9hG4bKs';

describe('a listener', () => {
  test('TP-01: a request comes in by TLS and its answer goes back on the connection', async () => {
    const scene = await start();
    const socket = await dial(scene);
    socket.write(message(via));
    const { received } = await scene.handler.next('request');
    expect(received.peer.transport).toBe('tls');
    expect(received.peer.names).toBeUndefined();
    scene.endpoint.respond(received.transaction, { status: 202, headers: [] });
    expect(await textOf(socket)).toMatch(/^SIP\/2\.0 202 .*\r\nVia: SIP\/2\.0\/TLS client/);
  });

  test('KA-01: a double CRLF is answered with one', async () => {
    const socket = await dial(await start());
    socket.write('\r\n\r\n');
    expect(await textOf(socket)).toBe('\r\n');
  });

  test('TLS 1.1 is refused, 1.2 is the least', async () => {
    const scene = await start();
    const old = connect({
      ...{ port: scene.port, host: '127.0.0.1', ca: authority },
      ...{ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
    });
    await expect(once(old, 'secureConnect')).rejects.toMatchObject({ code: /^E/ });
    const least = await dial(scene, { maxVersion: 'TLSv1.2' });
    expect(least.getProtocol()).toBe('TLSv1.2');
    await until(() => scene.endpoint.counters()['connections'] === 1);
  });

  test('without a certificate it does not open', async () => {
    await expect(start({ ca: [authority] })).rejects.toMatchObject({ code: 'SIP_LISTEN' });
  });

  test('a client that names another of our domains is shown its certificate (SNI)', async () => {
    const scene = await start({ ...own, servers: [certificate('second')] });
    const shown = async (servername: string): Promise<string> => {
      const socket = await dial(scene, { servername, checkServerIdentity: () => undefined });
      return String(socket.getPeerCertificate().subject.CN);
    };
    expect(await shown('second.example.net')).toBe('test server of another domain');
    expect(await shown('SECOND.example.net')).toBe('test server of another domain');
    // RFC 5922 7.1: beside a SIP URI the DNS names of a certificate do not count.
    expect(await shown('other.example.net')).toBe('test server');
    expect(await shown('im.example.org')).toBe('test server');
  });

  test('a key that is not that of the certificate is an error with a code', () => {
    const { key } = certificate('proxy');
    expect(() => openEndpoint({ tls: { ...own, key } })).toThrow(SipTlsError);
  });
});

describe('certificates of clients', () => {
  test('PAI-01: the names of a verified one go up with the request', async () => {
    const scene = await start({ ...own, requestCertificate: 'request' });
    const socket = await dial(scene, pair('proxy'));
    socket.write(message(via));
    const { received } = await scene.handler.next('request');
    expect(received.peer.names).toEqual(['proxy.example.com']);
  });

  test.each<CertificateName | 'none'>(['stranger', 'expired', 'nameless', 'none'])(
    'PAI-01: %s proves nothing where one is only asked for',
    async (name) => {
      const scene = await start({ ...own, requestCertificate: 'request' });
      const socket = await dial(scene, name === 'none' ? {} : pair(name));
      socket.write(message(via));
      const { received } = await scene.handler.next('request');
      expect(received.peer.names).toBeUndefined();
    },
  );

  test.each<[CertificateName | 'none', boolean]>([
    ['proxy', true],
    ['stranger', false],
    ['expired', false],
    ['none', false],
  ])('PAI-01: where one is required, a connection with %s stands: %s', async (name, stands) => {
    const scene = await start({ ...own, requestCertificate: 'require' });
    const shown = name === 'none' ? {} : pair(name);
    const socket = connect({ port: scene.port, host: '127.0.0.1', ca: authority, ...shown });
    cleanUp.push(() => void socket.destroy());
    socket.on('error', () => undefined);
    socket.write(message(via));
    if (stands) await scene.handler.next('request');
    else await new Promise((resolve) => socket.once('close', resolve));
    expect(scene.handler.told).toHaveLength(0);
    expect(scene.endpoint.counters()['received']).toBe(stands ? 1 : 0);
  });
});

describe('reload', () => {
  test('new connections get the new certificate, those that stand go on', async () => {
    const scene = await start({ ...own, servers: [certificate('second')] });
    const before = await dial(scene);
    expect(before.getPeerCertificate().subject.CN).toBe('test server');
    scene.endpoint.reloadTls({ ...certificate('renewed'), ca: [authority] });
    const after = await dial(scene);
    expect(after.getPeerCertificate().subject.CN).toBe('test server, renewed');
    const anyName = { servername: 'second.example.net', checkServerIdentity: () => undefined };
    const other = await dial(scene, anyName);
    expect(other.getPeerCertificate().subject.CN).toBe('test server, renewed');
    before.write('\r\n\r\n');
    expect(await textOf(before)).toBe('\r\n');
  });

  test('certificates that cannot be used leave all as it was', async () => {
    const scene = await start();
    const broken = { ...certificate('renewed'), key: 'no key' };
    expect(() => scene.endpoint.reloadTls(broken)).toThrow(SipTlsError);
    const socket = await dial(scene);
    expect(socket.getPeerCertificate().subject.CN).toBe('test server');
  });
});

describe('bounds', () => {
  test('a handshake that does not come to its end is given up, and blocks nobody', async () => {
    const scene = await start(own, { limits: { handshakeMs: 4_000 } });
    const half = connectTcp(scene.port, '127.0.0.1');
    await once(half, 'connect');
    // A ClientHello that has begun.
    half.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]));
    await until(() => scene.endpoint.counters()['connections'] === 1);
    const socket = await dial(scene);
    socket.write('\r\n\r\n');
    expect(await textOf(socket)).toBe('\r\n');
    const closed = once(half, 'close');
    half.on('error', () => undefined);
    scene.clock.advance(4_000);
    await closed;
    expect(scene.lines.map(({ fields }) => fields['code'])).toContain('SIP_TLS_HANDSHAKE');
    expect(scene.endpoint.counters()['connections']).toBe(1);
  });

  test.each([
    ['plain SIP', message(via)],
    ['noise', '\u0016\u0003\u0001\u0000\u0005\u0001\u0000\u0000\u0001\u0000'],
  ])('%s on a TLS port ends the connection and nothing else', async (_name, octets) => {
    const scene = await start();
    const wrong = connectTcp(scene.port, '127.0.0.1');
    wrong.on('error', () => undefined).resume();
    wrong.write(octets, 'latin1');
    await once(wrong, 'close');
    await until(() => scene.endpoint.counters()['connections'] === 0);
    expect(scene.endpoint.counters()['received']).toBe(0);
  });

  test('a client that goes away in the middle of its handshake leaves nothing', async () => {
    const scene = await start();
    const gone = connect({ port: scene.port, host: '127.0.0.1', ca: authority });
    gone.on('error', () => undefined);
    await once(gone, 'connect');
    gone.destroy();
    await until(() => scene.endpoint.counters()['connectionsAccepted'] === 1);
    await until(() => scene.endpoint.counters()['connections'] === 0);
    expect(scene.endpoint.counters()['timers']).toBe(0);
  });
});

interface SecurePeer {
  readonly port: number;
  readonly arrivals: Queue<{ message: SipMessage; socket: TLSSocket }>;
  readonly sockets: TLSSocket[];
}

/** A server that shows that certificate. */
async function listen(name: CertificateName, requestCert = false): Promise<SecurePeer> {
  const arrivals: SecurePeer['arrivals'] = new Queue();
  const sockets: TLSSocket[] = [];
  const options = { ...pair(name), ca: authority, requestCert };
  const server = createServer(options, (socket) => {
    sockets.push(socket);
    const stream = new SipStream();
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      for (const event of stream.push(chunk)) {
        if (event.kind === 'message') arrivals.push({ message: event.message, socket });
      }
    });
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, arrivals, sockets };
}

/** A request to that URI; every name leads to the loopback. */
function request(scene: Started, uri: string, id = 'q'): void {
  scene.endpoint.request({
    ...{ owner: 'o', id, uri, from: 'sip:us@example.org', to: uri, route: [], headers: [] },
    method: 'MESSAGE',
  });
}

function toLoopback(port: number): Partial<SipEndpointOptions> {
  const transport = 'tls' as const;
  return { resolve: () => [{ address: '127.0.0.1', port, transport }] };
}

describe('a connection that we open', () => {
  test.each([
    ['sips:bob@127.0.0.1:PORT', 'sips'],
    ['sip:bob@127.0.0.1:PORT;transport=tls', 'transport=tls'],
    ['sips:bob@127.0.0.1:PORT;transport=tcp', 'sips over tcp'],
  ])('TP-01: %s leaves by TLS', async (uri) => {
    const peer = await listen('server');
    const scene = await start();
    request(scene, uri.replace('PORT', String(peer.port)));
    const { message: sent, socket } = await peer.arrivals.next();
    expect(sent.header('Via')).toMatch(
      new RegExp(`^SIP/2\\.0/TLS 127\\.0\\.0\\.1:${scene.port};branch=z9hG4bK[^;]+$`),
    );
    socket.write(responseTo(sent as SipRequest, 202));
    expect((await scene.handler.next('response')).response.status).toBe(202);
  });

  test('TP-01: a sips URI never leaves by UDP, whatever it says', async () => {
    const scene = await start();
    request(scene, 'sips:bob@127.0.0.1:5061;transport=udp');
    expect((await scene.handler.next('failure')).cause).toBe('transport');
  });

  test.each<[string, CertificateName, boolean]>([
    ['im.example.org', 'server', true],
    ['IM.Example.ORG', 'server', true],
    ['second.example.net', 'second', true],
    ['other.example.net', 'second', false],
    ['im.example.org', 'wildcard', false],
    ['im.example.org', 'nameless', false],
    ['im.example.org', 'expired', false],
    ['im.example.org', 'stranger', false],
    ['im.example.org', 'proxy', false],
  ])('RFC 5922 7: to %s with the certificate %s: %s', async (domain, name, isTaken) => {
    const peer = await listen(name);
    const scene = await start(own, toLoopback(peer.port));
    request(scene, `sips:${domain}`);
    if (isTaken) {
      const { message: sent } = await peer.arrivals.next();
      expect((sent as SipRequest).uri).toBe(`sips:${domain}`);
      return;
    }
    expect((await scene.handler.next('failure')).cause).toBe('transport');
    expect(peer.arrivals.length).toBe(0);
  });

  test('nothing is sent before the certificate is verified, and the bound holds', async () => {
    const peer = await listen('server');
    const scene = await start(own, { limits: { pendingBytes: 2_000 } });
    const uri = `sips:bob@127.0.0.1:${peer.port}`;
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) request(scene, uri, id);
    expect((await scene.handler.next('failure')).cause).toBe('transport');
    expect(scene.lines.map(({ fields }) => fields['code'])).toContain('SIP_TLS_SLOW');
  });

  test('ours is shown to a server that asks', async () => {
    const peer = await listen('server', true);
    const scene = await start({ ...certificate('proxy'), ca: [authority] });
    request(scene, `sips:bob@127.0.0.1:${peer.port}`);
    const { socket } = await peer.arrivals.next();
    expect(socket.getPeerCertificate().subject.CN).toBe('test proxy');
  });

  test('requests to one domain share it, those to another have one of their own', async () => {
    const peer = await listen('server');
    const scene = await start(own, toLoopback(peer.port));
    for (const host of ['im.example.org', 'im.example.org', 'localhost']) {
      request(scene, `sips:${host}`, host);
    }
    const sockets = new Set<TLSSocket>();
    for (let n = 0; n < 3; n++) sockets.add((await peer.arrivals.next()).socket);
    expect(sockets.size).toBe(2);
    expect(scene.endpoint.counters()['connectionsOpened']).toBe(2);
  });

  test('a peer that connected is reached on its connection by its address', async () => {
    const scene = await start();
    const socket = await dial(scene);
    await until(() => scene.endpoint.counters()['connections'] === 1);
    request(scene, `sip:bob@127.0.0.1:${socket.localPort};transport=tls`);
    expect(await textOf(socket)).toMatch(/^MESSAGE sip:bob@127\.0\.0\.1/);
    expect(scene.endpoint.counters()['connectionsOpened']).toBe(0);
  });

  test('a peer that connected is not taken for a domain it has not proved', async () => {
    const listeners = [{ transport: 'tls', host: '127.0.0.1', port: 0 }] as const;
    const opened = await start({ ...own, requestCertificate: 'request' }, { listeners });
    const proved = await dial(opened, pair('proxy'));
    const unproved = await dial(opened);
    await until(() => opened.endpoint.counters()['connections'] === 2);
    const way = { port: 0 };
    const scene = await start(
      { ...own, requestCertificate: 'request' },
      { resolve: () => [{ address: '127.0.0.1', port: way.port, transport: 'tls' }] },
    );
    expect([proved.destroyed, unproved.destroyed]).toEqual([false, false]);
    const a = await dial(scene, pair('proxy'));
    const b = await dial(scene);
    await until(() => scene.endpoint.counters()['connections'] === 2);
    way.port = b.localPort!;
    request(scene, 'sips:proxy.example.com', 'b');
    // It connects anew, to a port where nobody listens.
    expect(await scene.handler.next('failure')).toMatchObject({ id: 'b', cause: 'transport' });
    way.port = a.localPort!;
    request(scene, 'sips:proxy.example.com', 'a');
    expect(await textOf(a)).toMatch(/^MESSAGE sips:proxy\.example\.com/);
  });
});

test('an endpoint without a TLS listener is known by a placeholder host', async () => {
  const server = await start();
  const client = await start(
    { ca: [authority] },
    { listeners: [{ transport: 'tcp', host: '127.0.0.1', port: 0 }] },
  );
  const contact = client.endpoint.contactUri('bob', 'tls');
  expect(contact).toMatch(/^sip:bob@[a-z0-9]+\.invalid;transport=tls$/);
  client.endpoint.request({
    ...{ owner: 'o', id: 'r', uri: `sips:127.0.0.1:${server.port}`, method: 'REGISTER' },
    ...{ from: 'sip:bob@example.org', to: 'sip:bob@example.org', route: [] },
    headers: [['Contact', `<${contact}>`]],
  });
  const { received } = await server.handler.next('request');
  expect(received.request.header('Via')).toMatch(/^SIP\/2\.0\/TLS [a-z0-9]+\.invalid:?;?/);
  server.endpoint.respond(received.transaction, { status: 200, headers: [] });
  await client.handler.next('response');
  request(server, contact);
  expect((await client.handler.next('request')).received.request.uri).toBe(contact);
  expect(server.endpoint.counters()['connectionsOpened']).toBe(0);
});
