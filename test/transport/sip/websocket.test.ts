/** SIP over WebSocket: handshake, frames, placeholder hosts and bounds (WS-01, RFC 7118). */

import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { Queue, RecordingHandler } from '../../../src/testing/sip-peer.js';
import type { SipEndpointOptions } from '../../../src/transport/sip/options.js';
import { authority, certificate } from './certificates.js';
import { message, openEndpoint, until, type Opened } from './fixture.js';

type Scene = Opened & { readonly handler: RecordingHandler; readonly port: number };

const cleanUp: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of cleanUp.splice(0).reverse()) await close();
});

async function start(
  transport: 'ws' | 'wss' = 'ws',
  options: Partial<SipEndpointOptions> = {},
): Promise<Scene> {
  const listeners = [{ transport, host: '127.0.0.1', port: 0 }];
  const opened = openEndpoint({ listeners, tls: certificate('server'), ...options });
  const handler = new RecordingHandler();
  await opened.endpoint.start(handler);
  cleanUp.push(() => opened.endpoint.stop(0));
  return { ...opened, handler, port: opened.endpoint.addresses[0]!.port };
}

interface Browser {
  readonly socket: WebSocket;
  readonly frames: Queue<{ readonly text: string; readonly isBinary: boolean }>;
}

async function browse(
  { port }: Scene,
  scheme = 'ws',
  localAddress = '127.0.0.1',
): Promise<Browser> {
  const options = { ca: authority, localAddress };
  const socket = new WebSocket(`${scheme}://127.0.0.1:${port}/`, 'sip', options);
  const frames: Browser['frames'] = new Queue();
  socket.on('message', (data: Buffer, isBinary) => {
    frames.push({ text: data.toString('latin1'), isBinary });
  });
  socket.on('error', () => undefined);
  cleanUp.push(() => socket.terminate());
  await once(socket, 'open');
  return { socket, frames };
}

const via = 'SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bKw';

test.each(['ws', 'wss'] as const)(
  'WS-01: by %s a request comes in as text, its answer goes back on the connection',
  async (transport) => {
    const scene = await start(transport);
    const { socket, frames } = await browse(scene, transport);
    expect(socket.protocol).toBe('sip');
    socket.send(message(via.replace('WS', transport.toUpperCase())));
    const { received } = await scene.handler.next('request');
    expect(received.peer.transport).toBe(transport);
    scene.endpoint.respond(received.transaction, { status: 202, headers: [] });
    const { text, isBinary } = await frames.next();
    expect(text).toMatch(/^SIP\/2\.0 202 /);
    expect(text).toContain('df7jal23ls0d.invalid;branch=z9hG4bKw;received=127.0.0.1');
    expect(isBinary).toBe(false);
  },
);

test('WS-01: a binary message is taken as well, without Content-Length, body untouched', async () => {
  const scene = await start();
  const { socket } = await browse(scene);
  const body = Buffer.from([0, 255, 128, 13, 10, 13, 10, 7]);
  const head = message(via).replace('Content-Length: 0\r\n', '');
  socket.send(Buffer.concat([Buffer.from(head), body]));
  const { received } = await scene.handler.next('request');
  expect(received.request.body).toEqual(body);
});

test('WS-01: what is not UTF-8 leaves as a binary message', async () => {
  const scene = await start();
  const { socket, frames } = await browse(scene);
  socket.send(message(via));
  const { received } = await scene.handler.next('request');
  const body = Buffer.from([0xff, 0xfe]);
  scene.endpoint.respond(received.transaction, { status: 200, headers: [], body });
  const { text, isBinary } = await frames.next();
  expect(isBinary).toBe(true);
  expect(text.slice(-2)).toBe('\xff\xfe');
});

test.each([[[]], [['msrp']]])(
  'WS-01: without the subprotocol sip it is refused',
  async (offered) => {
    const scene = await start();
    const socket = new WebSocket(`ws://127.0.0.1:${scene.port}/`, offered);
    socket.on('error', () => undefined);
    const [, response] = (await once(socket, 'unexpected-response')) as [
      unknown,
      { statusCode: 0 },
    ];
    expect(response.statusCode).toBe(400);
    await until(() => scene.endpoint.counters()['connections'] === 0);
  },
);

test('WS-01: a request that is no WebSocket gets 426', async () => {
  const scene = await start();
  const response = await fetch(`http://127.0.0.1:${scene.port}/`);
  expect(response.status).toBe(426);
  await until(() => scene.endpoint.counters()['connections'] === 0);
});

test('WS-01: keep-alives are answered, broken messages too, and the connection goes on', async () => {
  const scene = await start();
  const { socket, frames } = await browse(scene);
  socket.send('\r\n\r\n');
  expect((await frames.next()).text).toBe('\r\n');
  socket.send(message(via).replace('1 MESSAGE', '1 OPTIONS'));
  expect((await frames.next()).text).toMatch(/^SIP\/2\.0 400 /);
  socket.send('nonsense');
  socket.send('');
  socket.send(message(via));
  await scene.handler.next('request');
  expect(scene.endpoint.counters()['malformed']).toBe(3);
});

test('WS-01: two SIP messages in one WebSocket message are one, the rest is dropped', async () => {
  const scene = await start();
  const { socket } = await browse(scene);
  socket.send(message(via) + message(via.replace('z9hG4bKw', 'z9hG4bKx')));
  socket.send(message(via.replace('z9hG4bKw', 'z9hG4bKy')).replace('n1', 'n2'));
  await scene.handler.next('request');
  const { received } = await scene.handler.next('request');
  expect(received.request.header('Call-ID')).toBe('n2');
});

const register = (contact: string): string =>
  message(via, `Contact: ${contact}\r\n`).replaceAll('MESSAGE', 'REGISTER');

function ring(scene: Scene, uri: string, id = 'q'): void {
  scene.endpoint.request({
    ...{ owner: 'o', id, method: 'MESSAGE', uri, from: 'sip:us@example.org', to: uri },
    ...{ route: [], headers: [] },
  });
}

test('WS-01: who registers with a host in .invalid is reached on its connection', async () => {
  const scene = await start();
  const { socket, frames } = await browse(scene);
  const contact = 'sip:bob@A7jal23ls0d.invalid;transport=ws';
  socket.send(register(`<${contact}>;expires=60`));
  await scene.handler.next('request');
  ring(scene, contact);
  const { text } = await frames.next();
  expect(text).toMatch(/^MESSAGE sip:bob@A7jal23ls0d\.invalid/);
  expect(text).toContain(`Via: SIP/2.0/WS 127.0.0.1:${scene.port};branch=`);
  socket.terminate();
  await until(() => scene.endpoint.counters()['connections'] === 0);
  ring(scene, contact, 'gone');
  expect(await scene.handler.next('failure')).toMatchObject({ id: 'gone', cause: 'transport' });
});

test('WS-01: a placeholder host leads nowhere for sips without TLS, or when nobody has it', async () => {
  const scene = await start();
  const { socket } = await browse(scene);
  socket.send(register('<sip:bob@a.invalid;transport=ws>'));
  await scene.handler.next('request');
  ring(scene, 'sips:bob@a.invalid');
  expect((await scene.handler.next('failure')).cause).toBe('transport');
  ring(scene, 'sip:bob@b.invalid');
  expect((await scene.handler.next('failure')).cause).toBe('transport');
});

test('WS-01: the number of placeholder hosts of a connection is bounded', async () => {
  const scene = await start();
  const { socket, frames } = await browse(scene);
  for (let n = 1; n <= 5; n++) {
    socket.send(register(`<sip:bob@h${n}.invalid>`).replaceAll(/n1|z9hG4bKw/g, `$&${n}`));
    await scene.handler.next('request');
  }
  ring(scene, 'sip:bob@h4.invalid', 'four');
  expect((await frames.next()).text).toMatch(/^MESSAGE sip:bob@h4/);
  ring(scene, 'sip:bob@h5.invalid', 'five');
  expect(await scene.handler.next('failure')).toMatchObject({ id: 'five' });
});

test('WS-01: a placeholder host moves with its owner, and nobody else can take it', async () => {
  const scene = await start();
  const contact = 'sip:bob@a.invalid;transport=ws';
  const registered = async (browser: Browser, n: number): Promise<void> => {
    browser.socket.send(register(`<${contact}>`).replaceAll(/n1|z9hG4bKw/g, `$&${n}`));
    await scene.handler.next('request');
  };
  const first = await browse(scene);
  await registered(first, 1);
  const stranger = await browse(scene, 'ws', '127.0.0.2');
  await registered(stranger, 2);
  ring(scene, contact);
  expect((await first.frames.next()).text).toMatch(/^MESSAGE /);
  const second = await browse(scene);
  await registered(second, 3);
  first.socket.terminate();
  await until(() => scene.endpoint.counters()['connections'] === 2);
  ring(scene, contact);
  expect((await second.frames.next()).text).toMatch(/^MESSAGE /);
  expect([first, stranger].map(({ frames }) => frames.length)).toEqual([0, 0]);
});

test('WS-01: nobody connects to a browser', async () => {
  const scene = await start();
  ring(scene, 'sip:bob@127.0.0.1:9;transport=ws');
  expect((await scene.handler.next('failure')).cause).toBe('transport');
  expect(scene.endpoint.counters()['connectionsOpened']).toBe(0);
});

test('WS-01: a message beyond the bounds ends the connection', async () => {
  const scene = await start('ws', { limits: { headerBytes: 2_000, bodyBytes: 1_000 } });
  const { socket } = await browse(scene);
  socket.send(`${message(via)}${'x'.repeat(3_000)}`);
  const [code] = (await once(socket, 'close')) as [number];
  expect(code).toBe(1009);
  await until(() => scene.endpoint.counters()['connections'] === 0);
  expect(scene.endpoint.counters()['received']).toBe(0);
});

test('WS-01: text that is not UTF-8 ends the connection', async () => {
  const scene = await start();
  const { socket } = await browse(scene);
  socket.send(Buffer.from([0xff, 0xfe]), { binary: false });
  const [code] = (await once(socket, 'close')) as [number];
  expect(code).toBe(1007);
  await until(() => scene.endpoint.counters()['connections'] === 0);
});

test.each([
  ['', 'nothing'],
  ['GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n', 'a handshake without end'],
])('WS-01: %j, %s, is given up in time', async (octets) => {
  const scene = await start('ws', { limits: { handshakeMs: 3_000 } });
  const socket = connectTcp(scene.port, '127.0.0.1');
  cleanUp.push(() => void socket.destroy());
  socket.on('error', () => undefined);
  socket.resume().write(octets);
  await until(() => scene.endpoint.counters()['connections'] === 1);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  scene.clock.advance(3_000);
  await closed;
  expect(scene.endpoint.counters()['connections']).toBe(0);
});

test('WS-01: stop says that we are going away', async () => {
  const scene = await start();
  const { socket } = await browse(scene);
  const closed = once(socket, 'close');
  await scene.endpoint.stop(0);
  expect((await closed)[0]).toBe(1001);
});
