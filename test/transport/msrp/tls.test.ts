/** MSRP over TLS: which certificates do, in both roles, and their reload. */

import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { systemClock, systemRandom } from '../../../src/system.js';
import { ManualClock } from '../../../src/testing/clock.js';
import { msrpPortContract } from '../../../src/testing/msrp-port-contract.js';
import { outgoing, patternBytes } from '../../../src/testing/msrp-recorder.js';
import { createMsrpEndpoint } from '../../../src/transport/msrp/endpoint.js';
import type { MsrpEndpointOptions, MsrpTlsOptions } from '../../../src/transport/msrp/options.js';
import type { CertificateFingerprint } from '../../../src/wire/msrp/fingerprint.js';
import { certificate, fingerprintOf, tlsOptions } from './certificates.js';
import type { CertificateName } from './certificates.js';
import { RawPeer, recordingLog, startEndpoint } from './raw-peer.js';
import type { Running } from './raw-peer.js';

const running: Running[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map(({ endpoint }) => endpoint.stop(0)));
});

async function start(
  name: CertificateName,
  tls: Partial<MsrpTlsOptions> = {},
  options: Partial<MsrpEndpointOptions> = {},
): Promise<Running> {
  const started = await startEndpoint({ ...options, tls: { ...tlsOptions(name), ...tls } });
  running.push(started);
  return started;
}

interface Expected {
  /** What each side is told of the certificate of the other. */
  readonly ofPassive?: readonly CertificateFingerprint[];
  readonly ofActive?: readonly CertificateFingerprint[];
}

/** Has `alice` connect to `bob`. */
function connect(alice: Running, bob: Running, owner: string, expected: Expected = {}): void {
  const path = [bob.endpoint.reserve(owner)];
  const back = [alice.endpoint.reserve(owner)];
  const { ofPassive = [], ofActive = [] } = expected;
  bob.endpoint.connect(owner, { path: back, active: false, fingerprints: ofActive });
  alice.endpoint.connect(owner, { path, active: true, fingerprints: ofPassive });
}

test.each(msrpPortContract)('MSRP-14: over TLS: $name', async ({ run }) => {
  await run(() =>
    createMsrpEndpoint({
      ...{ host: '127.0.0.1', port: 0, clock: systemClock, random: systemRandom },
      ...{ log: recordingLog(), tls: tlsOptions('server') },
    }),
  );
});

test('MSRP-14: a session is msrps on the port of TLS, if wanted or preferred', async () => {
  const { endpoint } = await start('server', { preferred: false, advertisedPort: 4443 });
  expect(endpoint.reserve('one')).toMatch(/^msrp:\/\//);
  expect(endpoint.reserve('two', { secure: true })).toMatch(/^msrps:\/\/127\.0\.0\.1:4443\//);
  const other = await start('server');
  const { port } = other.endpoint.secureAddress!;
  expect(other.endpoint.reserve('one').startsWith(`msrps://127.0.0.1:${port}/`)).toBe(true);
  expect(other.endpoint.reserve('two', { secure: false })).toMatch(/^msrp:\/\//);
});

test('MSRP-14: without TLS there is no msrps, neither as listener nor as target', async () => {
  const plain = await startEndpoint();
  running.push(plain);
  const code = 'MSRP_CARRIAGE';
  expect(() => plain.endpoint.reserve('one', { secure: true })).toThrow(
    expect.objectContaining({ code }),
  );
  expect(plain.endpoint.fingerprint).toBeUndefined();
  const secure = await start('server');
  plain.endpoint.reserve('one');
  plain.endpoint.connect('one', { path: [secure.endpoint.reserve('one')], active: true });
  await plain.recorder.hears('lost', 'one refused');
});

test('MSRP-14: an authority and a SubjectAltName that fits will do', async () => {
  const [alice, bob] = [await start('server'), await start('server')];
  connect(alice, bob, 'one');
  await alice.recorder.hears('connected', 'one');
  const body = patternBytes(300_000);
  alice.endpoint.send(outgoing('one', 'msga', body, { successReport: true }));
  await alice.recorder.hears('reported', 'one/sender msga 200');
  expect(bob.recorder.bodies[0]?.equals(body)).toBe(true);
});

test.each<[CertificateName, string]>([
  ['elsewhere', 'whose SubjectAltName is another'],
  ['nameless', 'without SubjectAltName'],
  ['self-signed', 'of no authority'],
])('MSRP-14: %s, a certificate %s, is refused', async (name) => {
  const [alice, bob] = [await start('server'), await start(name)];
  connect(alice, bob, 'one');
  await alice.recorder.hears('lost', 'one refused');
  expect(alice.log.lines.map(({ code }) => code)).toContain('MSRP_TLS_CERTIFICATE');
  expect(bob.recorder.of('connected')).toEqual([]);
});

test('MSRP-14: a self-signed certificate does with its fingerprint', async () => {
  const [alice, bob] = [await start('server'), await start('self-signed')];
  expect(bob.endpoint.fingerprint).toEqual(fingerprintOf('self-signed'));
  connect(alice, bob, 'one', { ofPassive: [fingerprintOf('self-signed')] });
  await alice.recorder.hears('connected', 'one');
});

test('MSRP-14: another fingerprint refuses even a certificate of an authority', async () => {
  const [alice, bob] = [await start('server'), await start('server')];
  connect(alice, bob, 'one', { ofPassive: [fingerprintOf('self-signed')] });
  await alice.recorder.hears('lost', 'one refused');
  expect(bob.recorder.of('connected')).toEqual([]);
});

test('MSRP-14: of several fingerprints the strongest hash counts, unknown ones do not', async () => {
  const [alice, bob] = [await start('server'), await start('self-signed')];
  const weak = { hash: 'sha-1', value: '00:11' };
  const odd = { hash: 'md5', value: '00:11' };
  connect(alice, bob, 'one', { ofPassive: [weak, odd, fingerprintOf('self-signed')] });
  await alice.recorder.hears('connected', 'one');
  connect(alice, bob, 'two', { ofPassive: [odd] });
  await alice.recorder.hears('lost', 'two refused');
});

test('MSRP-13: a connection is not reused where its certificate does not do', async () => {
  const [alice, bob] = [await start('server'), await start('self-signed')];
  connect(alice, bob, 'one', { ofPassive: [fingerprintOf('self-signed')] });
  await alice.recorder.hears('connected', 'one');
  // No fingerprint: this session needs an authority.
  connect(alice, bob, 'two');
  await alice.recorder.hears('lost', 'two refused');
  connect(alice, bob, 'three', { ofPassive: [fingerprintOf('self-signed')] });
  await alice.recorder.hears('connected', 'three');
  expect(alice.recorder.of('lost')).toEqual(['two refused']);
});

test('MSRP-14: mutual TLS: the fingerprint of the active side is looked at', async () => {
  const bob = await start('server', { clientCertificate: 'require' });
  const alice = await start('self-signed');
  connect(alice, bob, 'one', { ofActive: [fingerprintOf('self-signed')] });
  await alice.recorder.hears('connected', 'one');
  connect(alice, bob, 'two', { ofActive: [fingerprintOf('server')] });
  await alice.recorder.hears('lost', 'two refused');
  // No fingerprint, no authority.
  connect(alice, bob, 'three');
  await alice.recorder.hears('lost', 'three refused');
  expect(bob.recorder.of('connected')).toEqual(['one']);
  const known = await start('server');
  connect(known, bob, 'four');
  await known.recorder.hears('connected', 'four');
});

test('MSRP-14: mutual TLS: without a certificate there is no session, if one is required', async () => {
  for (const [clientCertificate, status] of [
    ['require', 403],
    ['request', 200],
    [undefined, 200],
  ] as const) {
    const tls = clientCertificate === undefined ? {} : { clientCertificate };
    const bob = await start('server', tls);
    const peer = await secureRaw(bob);
    const to = bob.endpoint.reserve('one');
    peer.write(sendTo(to));
    expect(await peer.status('tx01')).toBe(status);
    peer.socket.destroy();
  }
});

test('MSRP-14: a session that is msrps cannot be bound without TLS', async () => {
  const bob = await start('server');
  const peer = await RawPeer.to(bob.endpoint);
  peer.write(sendTo(bob.endpoint.reserve('one')));
  expect(await peer.status('tx01')).toBe(481);
  // Nor does it connect without.
  const path = ['msrp://127.0.0.1:7/x;tcp'];
  bob.endpoint.connect('one', { path, active: true });
  await bob.recorder.hears('lost', 'one refused');
  peer.socket.destroy();
});

test('MSRP-14: another certificate is taken without restart, connections stay', async () => {
  const [alice, bob] = [await start('server'), await start('server')];
  connect(alice, bob, 'one');
  await alice.recorder.hears('connected', 'one');
  const faulty = { certificate: 'none', key: 'none' };
  expect(() => bob.endpoint.reloadCertificate(faulty)).toThrow(
    expect.objectContaining({ code: 'MSRP_CERTIFICATE' }),
  );
  expect(bob.endpoint.fingerprint).toEqual(fingerprintOf('server'));
  bob.endpoint.reloadCertificate(certificate('renewed'));
  expect(bob.endpoint.fingerprint).toEqual(fingerprintOf('renewed'));
  const raw = await secureRaw(bob);
  expect(raw.fingerprint).toBe(fingerprintOf('renewed').value);
  alice.endpoint.send(outgoing('one', 'msga', 'still here'));
  await alice.recorder.hears('sent', 'one/sender msga 200');
  connect(alice, bob, 'two', { ofPassive: [fingerprintOf('renewed')] });
  await alice.recorder.hears('connected', 'two');
  raw.socket.destroy();
});

test('MSRP-14: a certificate without its key is told by a coded error', () => {
  const tls = { ...tlsOptions('server'), key: certificate('renewed').key };
  const rest = { host: '127.0.0.1', port: 0, clock: systemClock, random: systemRandom };
  const make = () => createMsrpEndpoint({ ...rest, log: recordingLog(), tls });
  expect(make).toThrow(expect.objectContaining({ code: 'MSRP_CERTIFICATE' }));
});

test('MSRP-14: handshakes that never end count as connections, and end', async () => {
  const limits = { connections: 3, connectMs: 200 };
  const bob = await start('server', {}, { limits });
  const silent = await Promise.all(
    Array.from({ length: 3 }, () => open(bob.endpoint.secureAddress!.port)),
  );
  const fourth = createConnection({ host: '127.0.0.1', port: bob.endpoint.secureAddress!.port });
  fourth.on('error', () => undefined);
  await new Promise((resolve) => fourth.on('close', resolve));
  // Real time: Node ends them.
  await Promise.all(silent.map((socket) => once(socket, 'close')));
  const peer = await secureRaw(bob);
  peer.write(sendTo(bob.endpoint.reserve('one')));
  expect(await peer.status('tx01')).toBe(200);
  peer.socket.destroy();
});

test('MSRP-14: what is no TLS on the port of TLS is closed, and the endpoint goes on', async () => {
  const bob = await start('server');
  const socket = await open(bob.endpoint.secureAddress!.port);
  socket.write('MSRP tx01 SEND\r\n');
  await once(socket, 'close');
  const peer = await secureRaw(bob);
  peer.write(sendTo(bob.endpoint.reserve('one')));
  expect(await peer.status('tx01')).toBe(200);
  peer.socket.destroy();
});

test('MSRP-14: a peer that does not shake hands is given up in time', async () => {
  const clock = new ManualClock();
  const alice = await start('server', {}, { clock });
  const server = createServer((socket) => socket.on('error', () => undefined));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  alice.endpoint.reserve('one');
  const accepted = once(server, 'connection');
  alice.endpoint.connect('one', { path: [`msrps://127.0.0.1:${port}/x;tcp`], active: true });
  const [socket] = (await accepted) as [Socket];
  clock.advance(10_000);
  await alice.recorder.hears('lost', 'one timeout');
  socket.destroy();
  server.close();
});

async function open(port: number) {
  const socket = createConnection({ host: '127.0.0.1', port });
  socket.on('error', () => undefined);
  socket.resume();
  await once(socket, 'connect');
  return socket;
}

/** A peer without certificate that looks at nothing. */
async function secureRaw({ endpoint }: Running): Promise<RawPeer & { fingerprint: string }> {
  const { port } = endpoint.secureAddress!;
  const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const fingerprint = socket.getPeerX509Certificate()!.fingerprint256;
  return Object.assign(new RawPeer(socket), { fingerprint });
}

function sendTo(uri: string): string {
  const paths = `To-Path: ${uri}\r\nFrom-Path: msrps://127.0.0.1:9/raw;tcp\r\n`;
  return `MSRP tx01 SEND\r\n${paths}Message-ID: binding\r\n-------tx01$\r\n`;
}
