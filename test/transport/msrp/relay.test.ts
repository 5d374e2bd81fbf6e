/** A client of a relay, with a relay that a test plays. */

import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../../src/testing/clock.js';
import { outgoing } from '../../../src/testing/msrp-recorder.js';
import type { MsrpRelayOptions } from '../../../src/transport/msrp/options.js';
import { startEndpoint } from './raw-peer.js';
import type { Running } from './raw-peer.js';
import { ScriptedRelay } from './scripted-relay.js';

const usePath = 'Use-Path: msrps://a.example.org:2855/near;tcp msrps://b.example.org:2855/far;tcp';
const granted = [200, usePath, 'Expires: 1000'] as const;
const challenge = (rest: string): readonly [number, string] => [
  401,
  `WWW-Authenticate: Digest realm="relay", nonce="n1"${rest}`,
];
const peer = 'msrp://127.0.0.1:7/peer;tcp';

let clock: ManualClock;
let relay: ScriptedRelay;
let running: Running;

beforeEach(async () => {
  clock = new ManualClock();
  relay = new ScriptedRelay();
  relay.script = () => granted;
  await relay.open();
  await start();
});

afterEach(async () => {
  await running.endpoint.stop(0);
  await relay.close();
});

async function start(options: Partial<MsrpRelayOptions> = {}): Promise<void> {
  await running?.endpoint.stop(0);
  running = await startEndpoint({
    clock,
    relay: { uri: relay.uri(), username: 'alice', password: 'secret', ...options },
  });
  running.endpoint.reserve('one');
}

const path = (): Promise<readonly string[]> => running.endpoint.path('one');
const refused = (code: string): Promise<void> => expect(path()).rejects.toMatchObject({ code });

test('RLY-01: the path is the Use-Path reversed, then our own URI', async () => {
  const uri = running.endpoint.reserve('one');
  expect(await path()).toEqual([
    'msrps://b.example.org:2855/far;tcp',
    'msrps://a.example.org:2855/near;tcp',
    uri,
  ]);
  expect(relay.auths).toHaveLength(1);
  const { fields } = relay.auths[0]!;
  expect([fields.get('To-Path'), fields.get('From-Path')]).toEqual([relay.uri(), uri]);
  expect(await path()).toHaveLength(3);
  expect(relay.auths).toHaveLength(1);
});

test('RLY-01: two who ask at once share one AUTH; another session has its own', async () => {
  running.endpoint.reserve('two');
  const both = await Promise.all([path(), path(), running.endpoint.path('two')]);
  expect(both[0]).toEqual(both[1]);
  expect(relay.auths).toHaveLength(2);
  expect(relay.sockets).toHaveLength(1);
});

test('RLY-01: To-Path is the Use-Path, then the path of the peer', async () => {
  await path();
  running.endpoint.connect('one', { path: [peer], active: true });
  await running.recorder.hears('connected', 'one');
  running.endpoint.send(outgoing('one', 'msga', 'text'));
  await running.recorder.hears('sent', 'one/sender msga 200');
  const toPath = `${usePath.slice('Use-Path: '.length)} ${peer}`;
  expect(relay.sends.map(({ fields }) => fields.get('To-Path'))).toEqual([toPath, toPath]);
  expect(relay.sockets).toHaveLength(1);
});

test.each([
  ['MD5', 'md5', ''],
  ['MD5', 'md5', ', algorithm=MD5'],
  ['SHA-256', 'sha256', ', algorithm=SHA-256'],
  ['SHA-512-256', 'sha512-256', ', algorithm=SHA-512-256, opaque="o1"'],
])('RLY-01: a challenge for %s is answered with %s%s', async (name, hash, rest) => {
  relay.script = (_auth, count) => (count === 0 ? challenge(`, qop="auth"${rest}`) : granted);
  await path();
  const value = relay.auths[1]!.fields.get('Authorization')!;
  const field = (key: string): string => new RegExp(`[ ,]${key}="?([^",]+)`).exec(value)?.[1] ?? '';
  const digest = (text: string): string => createHash(hash).update(text).digest('hex');
  const secret = digest('alice:relay:secret');
  const tail = digest(`AUTH:${relay.uri()}`);
  const text = `${secret}:n1:00000001:${field('cnonce')}:auth:${tail}`;
  expect(field('response')).toBe(digest(text));
  expect([field('username'), field('nonce'), field('algorithm')]).toEqual(['alice', 'n1', name]);
  expect(field('opaque')).toBe(rest.includes('opaque') ? 'o1' : '');
});

test('RLY-01: of several challenges the strongest is answered', async () => {
  relay.script = (_auth, count) =>
    count > 0
      ? granted
      : [...challenge(', qop="auth"'), challenge(', qop="auth", algorithm=SHA-256')[1]];
  await path();
  expect(relay.auths[1]!.fields.get('Authorization')).toContain('algorithm=SHA-256');
});

test('RLY-01: MD5 is not answered where that is forbidden', async () => {
  await start({ md5: false });
  relay.script = () => challenge(', qop="auth"');
  await refused('MSRP_RELAY_REFUSED');
  expect(relay.auths).toHaveLength(1);
});

test('RLY-01: a second 401 is the end, unless the nonce was stale', async () => {
  relay.script = () => challenge(', qop="auth"');
  await refused('MSRP_RELAY_REFUSED');
  expect(relay.auths).toHaveLength(2);
  relay.auths.length = 0;
  relay.script = (_auth, count) => (count === 2 ? granted : challenge(', qop="auth", stale=true'));
  expect(await path()).toHaveLength(3);
  relay.auths.length = 0;
  running.endpoint.release('one');
  running.endpoint.reserve('one');
  relay.script = () => challenge(', qop="auth", stale=true');
  await refused('MSRP_RELAY_REFUSED');
  expect(relay.auths).toHaveLength(4);
});

test('RLY-01: a time that is out of bounds is asked for again within them', async () => {
  await start({ expires: 5 });
  relay.script = (_auth, count) => (count === 0 ? [423, 'Min-Expires: 60'] : granted);
  await path();
  expect(relay.auths.map(({ fields }) => fields.get('Expires'))).toEqual(['5', '60']);
  running.endpoint.release('one');
  running.endpoint.reserve('one');
  relay.script = () => [423, 'Max-Expires: 3'];
  await refused('MSRP_RELAY_REFUSED');
});

test.each<[string, readonly [number, ...string[]]]>([
  ['MSRP_RELAY_FAULTY', [200]],
  ['MSRP_RELAY_FAULTY', [200, 'Use-Path: nonsense']],
  ['MSRP_RELAY_FAULTY', [200, usePath, 'Expires: soon']],
  ['MSRP_RELAY_FAULTY', [401, 'WWW-Authenticate: Digest nonce=']],
  ['MSRP_RELAY_REFUSED', [401]],
  ['MSRP_RELAY_REFUSED', [401, 'WWW-Authenticate: Basic realm="x"']],
  ['MSRP_RELAY_REFUSED', challenge('')],
  ['MSRP_RELAY_REFUSED', challenge(', qop="auth", algorithm=SHA3')],
  ['MSRP_RELAY_REFUSED', [403]],
  ['MSRP_RELAY_REFUSED', [423]],
])('RLY-01: %s tells of the answer %j', async (code, answer) => {
  relay.script = () => answer;
  await refused(code);
  // The session is there: the next attempt may do better.
  relay.script = () => granted;
  expect(await path()).toHaveLength(3);
});

test('RLY-01: a relay that is silent, closes, or is not there is told', async () => {
  relay.script = () => undefined;
  const silent = refused('MSRP_RELAY_SILENT');
  await relay.until(({ auths }) => auths.length === 1);
  clock.advance(30_000);
  await silent;
  const closing = refused('MSRP_RELAY_SILENT');
  await relay.until(({ auths }) => auths.length === 2);
  for (const socket of relay.sockets) socket.destroy();
  await closing;
  await start({ uri: 'msrp://127.0.0.1:9;tcp' });
  await refused('MSRP_RELAY_UNREACHABLE');
  await expect(running.endpoint.path('nobody')).rejects.toMatchObject({ code: 'MSRP_SESSION' });
});

test('RLY-01: a session that ends while it waits for the relay stays ended', async () => {
  relay.script = () => undefined;
  const ended = refused('MSRP_RELAY_SILENT');
  await relay.until(({ auths }) => auths.length === 1);
  running.endpoint.release('one');
  for (const socket of relay.sockets) socket.destroy();
  await ended;
  expect(running.recorder.heard).toEqual([]);
});

test('RLY-01: the path is refreshed before its time is over', async () => {
  await path();
  clock.advance(799_999);
  expect(relay.auths).toHaveLength(1);
  clock.advance(1);
  await relay.until(({ auths }) => auths.length === 2);
  running.endpoint.connect('one', { path: [peer], active: true });
  await running.recorder.hears('connected', 'one');
  clock.advance(800_000);
  await relay.until(({ auths }) => auths.length === 3);
  running.endpoint.release('one');
  clock.advance(10_000_000);
  expect(relay.auths).toHaveLength(3);
});

test('RLY-01: a refresh that grants another path: we send by that', async () => {
  await path();
  running.endpoint.connect('one', { path: [peer], active: true });
  await running.recorder.hears('connected', 'one');
  relay.script = () => [200, 'Use-Path: msrps://c.example.org:2855/next;tcp'];
  clock.advance(800_000);
  await relay.until(({ auths }) => auths.length === 2);
  const next = `msrps://c.example.org:2855/next;tcp ${peer}`;
  // The grant is still on its way to us: one of the next messages goes by it.
  for (let count = 0; relay.sends.at(-1)?.fields.get('To-Path') !== next; count++) {
    running.endpoint.send(outgoing('one', `msg${count}`, 'text'));
    await running.recorder.hears('sent', `one/sender msg${count} 200`);
  }
});

test('RLY-01: a refresh that is refused ends the session', async () => {
  await path();
  relay.script = () => [403];
  clock.advance(800_000);
  await running.recorder.hears('lost', 'one refused');
  expect(running.log.lines.map(({ code }) => code)).toContain('MSRP_RELAY_REFUSED');
});

test('RLY-01: the loss of the relay ends its sessions, bound or not', async () => {
  running.endpoint.reserve('two');
  await Promise.all([path(), running.endpoint.path('two')]);
  running.endpoint.connect('one', { path: [peer], active: true });
  await running.recorder.hears('connected', 'one');
  for (const socket of relay.sockets) socket.destroy();
  await running.recorder.hears('lost', 'one closed');
  await running.recorder.hears('lost', 'two closed');
});

test('RLY-01: a relay that cuts and merges chunks delivers the same message', async () => {
  const uri = running.endpoint.reserve('one');
  await path();
  running.endpoint.connect('one', { path: [peer], active: false });
  const body = 'abcdefghijklmnopqrstuvwxyz';
  // 1-10 was cut in two and 11-20 merged with 21-26; the cut ones come last.
  const chunks: [string, string, string][] = [
    ['11-26/26', body.slice(10), '$'],
    ['5-10/26', body.slice(4, 10), '+'],
    ['1-4/26', body.slice(0, 4), '+'],
  ];
  const socket = relay.sockets[0]!;
  for (const [index, [range, text, flag]] of chunks.entries()) {
    const id = `tx0${index}`;
    const head = `To-Path: ${uri}\r\nFrom-Path: ${relay.uri('far')} ${peer}\r\nMessage-ID: msga\r\n`;
    const type = `Byte-Range: ${range}\r\nContent-Type: text/plain\r\n\r\n${text}\r\n`;
    socket.write(`MSRP ${id} SEND\r\n${head}${type}-------${id}${flag}\r\n`);
  }
  await running.recorder.until(({ bodies }) => bodies.length === 1);
  expect(running.recorder.bodies[0]?.toString()).toBe(body);
  expect(running.recorder.of('connected')).toEqual(['one']);
});
