/** The server's own MSRP sessions over a WebSocket that the client opens (RFC 7977). */

import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { freePort } from '../loopback-port.js';
import { responseTo } from '../../src/testing/sip-peer.js';
import { parseSdp, sdpAttribute } from '../../src/wire/sdp.js';
import { clientUri, WebSocketClient } from '../transport/msrp/websocket-client.js';
import { largeMessageTag } from './large-peer.js';
import { accepted, described, ended, mediaLines, storeText } from './media-scene.js';
import { contactOf, sdpType, withServer } from './sip-scene.js';
import type { SipScene } from './sip-scene.js';

interface Scene extends SipScene {
  readonly port: number;
  /** A WebSocket to the server. */
  dial(): Promise<WebSocketClient>;
}

const file = (name: string): string =>
  fileURLToPath(new URL(`../transport/msrp/certificates/${name}`, import.meta.url));

async function withWebSocket(play: (scene: Scene) => Promise<void>): Promise<void> {
  const port = await freePort();
  const tls = { port: 0, certificate: file('server.pem'), key: file('server.key') };
  const clients: WebSocketClient[] = [];
  const dial = async (): Promise<WebSocketClient> => {
    const client = await WebSocketClient.to(port);
    clients.push(client);
    return client;
  };
  const msrp = { tls, webSocket: { port } };
  try {
    await withServer((scene) => play({ ...scene, port, dial }), {}, 'udp', { msrp });
  } finally {
    for (const { socket } of clients) socket.terminate();
  }
}

const lines = mediaLines({ uri: clientUri, setup: 'active' });

function ownPath(body: Buffer, { port }: Scene): string {
  const path = sdpAttribute(parseSdp(body).media[0]!, 'path')!;
  expect(path).toMatch(new RegExp(`^msrps://127\\.0\\.0\\.1:${port}/\\w{22};ws$`));
  return path;
}

/** Binds the session, and answers the next message of the server. */
async function fetched(client: WebSocketClient, path: string): Promise<string> {
  client.send(path, 'bind');
  await client.until(({ messages }) => messages.length >= 2);
  const [bound, message] = client.messages;
  expect(bound!.heads[0]).toMatchObject({ kind: 'response', status: 200 });
  const head = message!.heads[0]!;
  expect(head).toMatchObject({ method: 'SEND', toPath: [clientUri], fromPath: [path] });
  client.answer(head);
  if (head.kind === 'request' && head.messageId !== undefined) {
    client.report(head, head.messageId, message!.body.length);
  }
  return message!.body.toString();
}

test('WS-02: a retrieval over a WebSocket', () =>
  withWebSocket(async (scene) => {
    await storeText(scene, 'The keys');
    const { answer } = await accepted(scene, described(lines));
    const path = ownPath(answer.body, scene);
    expect(sdpAttribute(parseSdp(answer.body).media[0]!, 'setup')).toBe('passive');
    const client = await scene.dial();
    expect(await fetched(client, path)).toContain('The keys');
    await ended(scene);
  }));

test('WS-02: a push to whoever registered over a WebSocket offers one', () =>
  withWebSocket(async (scene) => {
    await storeText(scene, 'The keys');
    // A browser behind a proxy: its host leads nowhere, its Path does (RFC 7118 5, RFC 3327).
    const contact = '<sip:tomas@df7jal23ls0d.invalid;transport=ws>;+g.oma.sip-im';
    const to = '<sip:tomas@example.org>';
    const path = `<sip:127.0.0.1:${scene.peer.port};lr>`;
    const headers = [
      ['Contact', contact],
      ['Path', path],
      ['Expires', '600'],
    ] as const;
    const sketch = { method: 'REGISTER', uri: 'sip:example.org', to, headers };
    expect((await scene.ask(sketch)).status).toBe(200);
    const { request: invite, reply } = await scene.request();
    expect(invite.uri).toBe('sip:tomas@df7jal23ls0d.invalid;transport=ws');
    const own = ownPath(invite.body, scene);
    const media = parseSdp(invite.body).media[0]!;
    expect(sdpAttribute(media, 'setup')).toBe('passive');
    expect(media.proto).toBe('TCP/TLS/MSRP');
    const body = Buffer.from(described(lines));
    const fields = [contactOf(scene), sdpType] as const;
    reply(responseTo(invite, 200, { tag: 'peer', headers: fields, body }));
    expect((await scene.request()).request.method).toBe('ACK');
    expect(await fetched(await scene.dial(), own)).toContain('The keys');
    await ended(scene);
    const { accounts } = scene.world.server;
    expect((await accounts.summary('tomas@example.org')).messages).toBe(0);
  }));

test('WS-02: a large message is taken in over a WebSocket, and kept when the last SEND is answered', () =>
  withWebSocket(async (scene) => {
    const sendonly = lines.map((line) => line.replace('a=recvonly', 'a=sendonly'));
    const offer = described(sendonly).replace('message/sipfrag message/cpim', 'message/cpim');
    const headers = [contactOf(scene), largeMessageTag, sdpType] as const;
    const uri = 'sip:nora@example.org';
    const answer = await scene.ask({
      method: 'INVITE',
      uri,
      callId: 'large',
      headers,
      body: offer,
    });
    expect(answer.status).toBe(200);
    const target = /<([^>]+)>/.exec(answer.header('Contact')!)![1]!;
    const from = '<sip:tomas@example.org>;tag=t';
    scene.send({ method: 'ACK', uri: target, callId: 'large', from, to: answer.header('To')! });
    const client = await scene.dial();
    const path = ownPath(answer.body, scene);
    client.send(path, 'bind');
    const cpim = `From: <sip:tomas@example.org>\r\nTo: <${uri}>\r\n\r\nContent-Type: text/plain\r\n\r\n`;
    const text = `${cpim}${'large '.repeat(5_000)}`;
    const half = text.length >> 1;
    for (const [id, begin, end, flag] of [
      ['one1', 0, half, '+'],
      ['two2', half, text.length, '$'],
    ] as const) {
      const range = `Byte-Range: ${begin + 1}-${end}/${text.length}\r\n`;
      const type = 'Content-Type: message/cpim\r\n\r\n';
      const rest = `${range}${type}${text.slice(begin, end)}\r\n`;
      client.send(path, id, { rest, flag, messageId: 'large1' });
    }
    await client.until(({ messages }) => messages.length === 3);
    expect(client.messages.map(({ heads }) => heads[0])).toMatchObject(
      ['bind', 'one1', 'two2'].map((transactionId) => ({ transactionId, status: 200 })),
    );
    const { messages, octets } = await scene.world.server.accounts.summary('nora@example.org');
    expect(messages).toBe(1);
    expect(octets).toBeGreaterThanOrEqual(text.length);
  }));
