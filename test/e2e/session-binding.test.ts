/** MSRP sessions octet by octet: who binds one, who does not, and when a message is complete. */

import { once } from 'node:events';
import { createConnection } from 'node:net';
import { expect, test } from 'vitest';
import { ManualClock } from '../../src/testing/clock.js';
import { parseSdp, sdpAttribute } from '../../src/wire/session-description.js';
import { RawListener, RawPeer } from '../transport/msrp/raw-peer.js';
import {
  bind,
  clientPath,
  confirm,
  expectRequest,
  insideOf,
  retrieve,
  send,
  storeMessages,
  tomas,
} from './retrieval-scene.js';
import { contactOf, description, sdpType, withServer } from './sip-scene.js';

const noPush = { push: { default: false } };

async function connected(path: string): Promise<RawPeer> {
  const socket = createConnection({ host: '127.0.0.1', port: Number(/:(\d+)\//.exec(path)![1]) });
  await once(socket, 'connect');
  return new RawPeer(socket);
}

test('IMSpec-DMT-S-011, MSRP-11: to a client that waits the server connects, and binds by an empty SEND', async () => {
  const listener = await RawListener.open();
  try {
    await withServer(async (scene) => {
      await storeMessages(scene, 1);
      const path = listener.uri('client');
      const { accepted } = await retrieve(scene, { body: description({ setup: 'passive', path }) });
      const sdp = accepted.body.toString();
      expect(sdp).toMatch(/\r\na=setup:active\r\n/);
      const own = sdpAttribute(parseSdp(accepted.body).media[0]!, 'path');
      const peer = await listener.peer();
      const { head, body } = await peer.request(0);
      expect([head.method, head.toPath, head.fromPath, body.length]).toEqual([
        'SEND',
        [path],
        [own],
        0,
      ]);
      peer.answer(head, 200);
      const message = await peer.request(1);
      expect(message.body.toString()).toContain('message 1');
      peer.answer(message.head, 200);
    }, noPush);
  } finally {
    await listener.close();
  }
});

test('IMSpec-DMT-S-011: 481 for a session that is not there, 506 for one that is bound elsewhere', () =>
  withServer(async (scene) => {
    await storeMessages(scene, 1);
    const retrieval = await retrieve(scene);
    const path = sdpAttribute(parseSdp(retrieval.accepted.body).media[0]!, 'path')!;
    const stranger = await connected(path);
    stranger.write(send(path.replace(/\/[^/;]+;/, '/nobody;'), 'strange1'));
    expect(await stranger.status('strange1')).toBe(481);
    const msrp = await bind(retrieval);
    const second = await connected(path);
    second.write(send(path, 'second01'));
    expect(await second.status('second01')).toBe(506);
    // Neither has done anything to the session.
    expect(await confirm(msrp, 0)).toContain('message 1');
    await expectRequest(scene, 'BYE');
    for (const peer of [stranger, second, msrp]) peer.socket.destroy();
  }, noPush));

test('D-14, S1-STORE-LM: the time of a large message is that of its last missing octet, not of its last', async () => {
  const clock = new ManualClock();
  await withServer(
    async (scene) => {
      const accepted = await scene.ask({
        method: 'INVITE',
        uri: tomas,
        callId: 'large',
        headers: [
          contactOf(scene),
          ['Accept-Contact', '*;+g.oma.sip-im.large-message'],
          ['Subject', 'Floor plan'],
          sdpType,
        ],
        body: description({ direction: 'sendonly' }),
      });
      expect(accepted.status).toBe(200);
      const inside = insideOf(accepted, 'large');
      scene.send({ method: 'ACK', ...inside });
      const path = sdpAttribute(parseSdp(accepted.body).media[0]!, 'path')!;
      const peer = await connected(path);
      const chunk = (id: string, from: number, octets: string, flag: string): void =>
        peer.write(
          `MSRP ${id} SEND\r\nTo-Path: ${path}\r\nFrom-Path: ${clientPath}\r\n` +
            `Message-ID: m4Pq77sA\r\nByte-Range: ${from}-${from + octets.length - 1}/10\r\n` +
            `Content-Type: text/plain\r\n\r\n${octets}\r\n-------${id}${flag}\r\n`,
        );
      chunk('chunk002', 6, 'world', '$');
      expect(await peer.status('chunk002')).toBe(200);
      const account = 'tomas@example.org';
      const { accounts } = scene.world.server;
      // Its last octet is there, and it is not a message yet.
      expect((await accounts.summary(account)).messages).toBe(0);
      clock.advance(7_000);
      chunk('chunk001', 1, 'hello', '+');
      expect(await peer.status('chunk001')).toBe(200);
      const [history] = await accounts.histories(account, { limit: 2 });
      expect(history).toMatchObject({ size: 10, subject: 'Floor plan', receivedAt: clock.now() });
      expect((await scene.ask({ method: 'BYE', ...inside, cseq: 2 })).status).toBe(200);
      peer.socket.destroy();
      const client = await scene.world.client('tomas', { acceptTypes: ['multipart/mixed'] });
      const { messages } = await client.retrieve();
      const [message] = messages;
      expect(message!.body.toString()).toBe('helloworld');
      expect(message!.receivedAt!.getTime()).toBe(clock.now());
      expect(message!.payload.toString()).toContain('\r\nSubject: Floor plan\r\n');
    },
    noPush,
    'udp',
    {},
    { clock },
  );
});
