/** Keep-alives in both roles, and the flow that fails without them (KA-01, KA-02; RFC 5626, 6223). */

import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { Queue, RecordingHandler, responseTo } from '../../../src/testing/sip-peer.js';
import type { SipRequest } from '../../../src/wire/sip/message.js';
import { parseSip } from '../../../src/wire/sip/parse.js';
import { dial, message, openEndpoint, textOf, withScene, type Opened } from './fixture.js';

const cleanUp: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of cleanUp.splice(0).reverse()) await close();
});

interface Scene extends Opened {
  readonly handler: RecordingHandler;
  readonly port: number;
  /** What comes to the peer, chunk by chunk. */
  readonly chunks: Queue<Buffer>;
  readonly sockets: Socket[];
  ask(id: string): void;
}

/** An endpoint that offers keep-alives, and a TCP peer as a bare socket. */
async function start(keepAlive = true): Promise<Scene> {
  const chunks: Scene['chunks'] = new Queue();
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const opened = openEndpoint({ keepAlive });
  const handler = new RecordingHandler();
  await opened.endpoint.start(handler);
  cleanUp.push(async () => {
    await opened.endpoint.stop(0);
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const uri = `sip:peer@127.0.0.1:${port};transport=tcp`;
  const common = { uri, to: uri, from: 'sip:us@example.org', route: [], headers: [] };
  const ask = (id: string): void => {
    opened.endpoint.request({ ...common, owner: 'o', id, method: 'OPTIONS' });
  };
  return { ...opened, handler, port, chunks, sockets, ask };
}

/** Answers the next request with that value of keep. */
async function agree(scene: Scene, keep: string): Promise<void> {
  scene.ask('a');
  const request = parseSip(await scene.chunks.next()) as SipRequest;
  expect(request.header('Via')).toMatch(/;keep$/);
  const answer = responseTo(request, 200).toString('latin1').replace(';keep', `;keep${keep}`);
  scene.sockets[0]!.write(answer);
  await scene.handler.next('response');
}

const ping = Buffer.from('\r\n\r\n');

test('KA-01: pings on a flow we opened, as often as the peer wants, less a fifth', async () => {
  const scene = await start();
  await agree(scene, '=30');
  scene.clock.advance(23_980);
  expect(scene.chunks.length).toBe(0);
  // Two answers in a row look like a ping of the peer; they count as what they are.
  for (let n = 0; n < 3; n++) {
    scene.clock.advance(n === 0 ? 30 : 24_010);
    expect(await scene.chunks.next()).toEqual(ping);
    scene.sockets[0]!.write('\r\n');
    // What is sent behind the answer has come when the answer has.
    scene.sockets[0]!.write(
      message(`SIP/2.0/TCP peer.example;branch=z9hG4bK${n}`).replace('n1', `n${n}`),
    );
    await scene.handler.next('request');
  }
  scene.clock.advance(23_000);
  expect(scene.endpoint.counters()['connections']).toBe(1);
});

test('KA-01: without an answer within 10 s the flow has failed', async () => {
  const scene = await start();
  await agree(scene, '=30');
  scene.clock.advance(24_010);
  expect(await scene.chunks.next()).toEqual(ping);
  const closed = once(scene.sockets[0]!, 'close');
  scene.clock.advance(9_980);
  expect(scene.endpoint.counters()['connections']).toBe(1);
  scene.clock.advance(30);
  await closed;
  expect(scene.endpoint.counters()['connections']).toBe(0);
  expect(scene.lines.map(({ fields }) => fields['code'])).toContain('SIP_TCP_PONG');
  scene.ask('again');
  expect(String(await scene.chunks.next())).toMatch(/^OPTIONS /);
  expect(scene.sockets).toHaveLength(2);
});

test.each(['', '=x', '=-1', '=999999'])(
  'KA-02: a peer that answers keep%s gets no keep-alives',
  async (keep) => {
    const scene = await start();
    await agree(scene, keep);
    scene.clock.advance(300_000);
    scene.ask('b');
    expect(String(await scene.chunks.next())).toMatch(/^OPTIONS /);
  },
);

test('KA-02: keep=0 leaves the interval to us, and a tiny one is not heeded', async () => {
  for (const [keep, beforeMs] of [
    ['=0', 95_980],
    ['=1', 3_980],
  ] as const) {
    const scene = await start();
    await agree(scene, keep);
    scene.clock.advance(beforeMs);
    expect(scene.chunks.length).toBe(0);
    scene.clock.advance(50);
    expect(await scene.chunks.next()).toEqual(ping);
  }
});

test('KA-02: an endpoint that does not offer it sends no keep', async () => {
  const scene = await start(false);
  scene.ask('a');
  expect(parseSip(await scene.chunks.next()).header('Via')).not.toContain('keep');
});

test('KA-02: the offer of a peer on a connection is answered with the interval', () =>
  withScene('tcp', { limits: { keepAliveMs: 95_000 } }, async (scene) => {
    const socket = await dial(scene);
    const via = 'SIP/2.0/TCP 127.0.0.1:5;branch=z9hG4bKk';
    for (const [offer, answer] of [
      [';keep', ';keep=95'],
      [';keep;alias', ';keep=95;alias'],
      [';keep=7', ';keep=7'],
      [';x="a;keep"', ';x="a;keep"'],
      ['', ''],
    ] as const) {
      const text = message(`${via}${offer.length}${offer}`).replace('n1', `n${offer}`);
      socket.write(text.replace(/[";=]*Call-ID: .*\r\n/, `Call-ID: n${offer.length}\r\n`));
      const { received } = await scene.handler.next('request');
      scene.endpoint.respond(received.transaction, { status: 200, headers: [] });
      const [line] = /Via: .*/.exec(await textOf(socket))!;
      expect(line).toContain(`z9hG4bKk${offer.length}${answer}`);
    }
    socket.destroy();
  }));

test('KA-02: over UDP there are none', () =>
  withScene('udp', {}, async (scene) => {
    const at = `127.0.0.1:${scene.peer.port}`;
    scene.sendBytes(message(`SIP/2.0/UDP ${at};branch=z9hG4bKk;keep`));
    const { received } = await scene.handler.next('request');
    scene.endpoint.respond(received.transaction, { status: 200, headers: [] });
    expect((await scene.peer.nextResponse()).header('Via')).toMatch(/;keep(?:;received|$)/);
  }));

test('KA-02: ob, reg-id and +sip.instance go up untouched', () =>
  withScene('udp', {}, async (scene) => {
    const contact = '<sip:bob@192.0.2.1;ob>;reg-id=1;+sip.instance="<urn:uuid:0>"';
    const via = `SIP/2.0/UDP 127.0.0.1:${scene.peer.port};branch=z9hG4bKo`;
    scene.sendBytes(message(via, `Contact: ${contact}\r\n`));
    const { received } = await scene.handler.next('request');
    expect(received.request.header('Contact')).toBe(contact);
  }));
