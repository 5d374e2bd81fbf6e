/** MSRP over WebSocket, with a WebSocket client that speaks raw frames. */

import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { createConnection } from 'node:net';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { outgoing, patternBytes } from '../../../src/testing/msrp-recorder.js';
import type { MsrpEndpointOptions } from '../../../src/transport/msrp/options.js';
import { tlsOptions } from './certificates.js';
import { startEndpoint } from './raw-peer.js';
import type { Running } from './raw-peer.js';
import { clientUri, WebSocketClient } from './websocket-client.js';

const running: Running[] = [];
const clients: WebSocket[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.terminate();
  await Promise.all(running.splice(0).map(({ endpoint }) => endpoint.stop(0)));
});

async function start(options: Partial<MsrpEndpointOptions> = {}): Promise<Running> {
  const started = await startEndpoint({
    tls: tlsOptions('server'),
    webSocket: { port: 0 },
    ...options,
  });
  running.push(started);
  return started;
}

const ours = clientUri;

async function dial({ endpoint }: Running, scheme?: string): Promise<WebSocketClient> {
  const client = await WebSocketClient.to(endpoint.webSocketAddress!.port, scheme);
  clients.push(client.socket);
  return client;
}

test('WS-02: a session is bound over a WebSocket and carries messages both ways', async () => {
  const bob = await start();
  const uri = bob.endpoint.reserve('one', { webSocket: true });
  const { port } = bob.endpoint.webSocketAddress!;
  expect(uri).toMatch(new RegExp(`^msrps://127\\.0\\.0\\.1:${port}/[A-Za-z0-9]{22};ws$`));
  bob.endpoint.connect('one', { path: [ours], active: false });
  const client = await dial(bob);
  expect(client.socket.protocol).toBe('msrp');
  client.send(uri, 'tx01');
  await bob.recorder.hears('connected', 'one');
  client.send(uri, 'tx02', {
    rest: 'Byte-Range: 1-5/5\r\nContent-Type: text/plain\r\n\r\nhello\r\n',
  });
  await client.until(({ messages }) => messages.length === 2);
  expect(client.messages.map(({ heads }) => heads[0])).toMatchObject([
    { kind: 'response', transactionId: 'tx01', status: 200 },
    { kind: 'response', transactionId: 'tx02', status: 200 },
  ]);
  expect(bob.recorder.bodies.map(String)).toEqual(['hello']);
  bob.endpoint.send(outgoing('one', 'msga', 'back'));
  await client.until(({ messages }) => messages.length === 3);
  const { heads, body } = client.messages[2]!;
  expect(heads[0]).toMatchObject({ method: 'SEND', toPath: [ours], fromPath: [uri] });
  expect(body.toString()).toBe('back');
  client.answer(heads[0]!);
  await bob.recorder.hears('sent', 'one/sender msga 200');
});

test('WS-02: each WebSocket message is one frame, of large messages one chunk', async () => {
  const bob = await start({ chunkMax: 16_384 });
  const uri = bob.endpoint.reserve('one', { webSocket: true });
  bob.endpoint.connect('one', { path: [ours], active: false });
  const client = await dial(bob);
  client.send(uri, 'tx01');
  await bob.recorder.hears('connected', 'one');
  const bytes = patternBytes(100_000);
  bob.endpoint.send(outgoing('one', 'msga', bytes));
  bob.endpoint.send(outgoing('one', 'msgb', 'small'));
  await client.until(({ messages }) => messages.at(-1)?.body.toString() === 'small');
  const chunks = client.messages.slice(1, -1);
  expect(chunks.length).toBe(7);
  expect(chunks.every(({ body }) => body.length <= 16_384)).toBe(true);
  expect(Buffer.concat(chunks.map(({ body }) => body)).equals(bytes)).toBe(true);
});

test('WS-02: text and binary frames are both taken', async () => {
  const bob = await start();
  const uri = bob.endpoint.reserve('one', { webSocket: true });
  const client = await dial(bob);
  client.send(uri, 'tx01');
  await bob.recorder.hears('connected', 'one');
  const body = Buffer.from([0, 255, 128, 13, 10]);
  const head = `MSRP tx02 SEND\r\nTo-Path: ${uri}\r\nFrom-Path: ${ours}\r\nMessage-ID: msgb\r\n`;
  const type = 'Byte-Range: 1-5/5\r\nContent-Type: application/octet-stream\r\n\r\n';
  client.socket.send(
    Buffer.concat([Buffer.from(head + type), body, Buffer.from('\r\n-------tx02$\r\n')]),
  );
  await bob.recorder.until(({ bodies }) => bodies.length === 1);
  expect(bob.recorder.bodies[0]?.equals(body)).toBe(true);
});

test('WS-02: another subprotocol, none, or plain HTTP is refused', async () => {
  const bob = await start({ webSocket: { port: 0, terminated: true } });
  const { port } = bob.endpoint.webSocketAddress!;
  for (const protocol of ['sip', undefined]) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, protocol);
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
    expect(response.statusCode).toBe(400);
    socket.on('error', () => undefined);
    socket.terminate();
  }
  const asked = request({ host: '127.0.0.1', port, agent: false });
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  expect(response.statusCode).toBe(426);
  response.resume();
});

test('WS-02: without TLS only behind a proxy that ends it', async () => {
  await expect(startEndpoint({ webSocket: { port: 0 } })).rejects.toThrow(
    expect.objectContaining({ code: 'MSRP_CERTIFICATE' }),
  );
  const bob = await start({ webSocket: { port: 0, terminated: true, advertisedPort: 443 } });
  const uri = bob.endpoint.reserve('one', { webSocket: true });
  expect(uri).toMatch(/^msrps:\/\/127\.0\.0\.1:443\/.*;ws$/);
  const client = await dial(bob, 'ws');
  client.send(uri, 'tx01');
  await bob.recorder.hears('connected', 'one');
});

test('WS-02: a WebSocket message beyond the bound ends the connection', async () => {
  const bob = await start({ limits: { webSocketBytes: 10_000 } });
  const uri = bob.endpoint.reserve('one', { webSocket: true });
  const client = await dial(bob);
  client.send(uri, 'tx01');
  await bob.recorder.hears('connected', 'one');
  client.socket.on('error', () => undefined);
  client.socket.send(Buffer.alloc(10_001));
  await bob.recorder.hears('lost', 'one closed');
});

test('WS-02: a WebSocket that closes ends its sessions; ours ends with the endpoint', async () => {
  const bob = await start();
  const [first, second] = ['one', 'two'].map((owner) =>
    bob.endpoint.reserve(owner, { webSocket: true }),
  ) as [string, string];
  const [alice, carol] = [await dial(bob), await dial(bob)];
  alice.send(first, 'tx01');
  carol.send(second, 'tx02');
  await bob.recorder.hears('connected', 'one');
  await bob.recorder.hears('connected', 'two');
  alice.socket.close();
  await bob.recorder.hears('lost', 'one closed');
  const closed = once(carol.socket, 'close');
  await bob.endpoint.stop(0);
  await closed;
  expect(bob.recorder.of('lost')).toEqual(['one closed', 'two closed']);
});

test('WS-02: requests that never become a WebSocket are bounded', async () => {
  const bob = await start({
    webSocket: { port: 0, terminated: true },
    limits: { connections: 2, connectMs: 500 },
  });
  const { port } = bob.endpoint.webSocketAddress!;
  const silent = [0, 1, 2].map(() => createConnection({ host: '127.0.0.1', port }));
  await Promise.all(
    silent.map((socket) => {
      socket.on('error', () => undefined).resume();
      socket.write('GET / HTTP/1.1\r\n');
      return new Promise((resolve) => socket.on('close', resolve));
    }),
  );
  const uri = bob.endpoint.reserve('one', { webSocket: true });
  const client = await dial(bob, 'ws');
  client.send(uri, 'tx01');
  await bob.recorder.hears('connected', 'one');
});

test('WS-02: whoever is refused and stays holds no connection', async () => {
  const bob = await start({
    webSocket: { port: 0, terminated: true },
    limits: { connections: 1 },
  });
  const { port } = bob.endpoint.webSocketAddress!;
  const refused = createConnection({ host: '127.0.0.1', port, allowHalfOpen: true });
  refused.on('error', () => undefined).resume();
  const key = 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n';
  refused.write(
    `GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${key}\r\n`,
  );
  await once(refused, 'end');
  // It goes on writing, and hears that nobody is there.
  const writing = setInterval(() => refused.write('x'), 1);
  await new Promise((resolve) => refused.on('close', resolve));
  clearInterval(writing);
  const uri = bob.endpoint.reserve('one', { webSocket: true });
  const client = await dial(bob, 'ws');
  client.send(uri, 'tx01');
  await bob.recorder.hears('connected', 'one');
});
