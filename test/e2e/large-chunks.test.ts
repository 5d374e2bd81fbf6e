/** Large messages from a bare MSRP socket: header fields that nobody knows, and chunks without end. */

import { once } from 'node:events';
import { createConnection } from 'node:net';
import { expect, test } from 'vitest';
import { parseSdp, sdpAttribute } from '../../src/wire/session-description.js';
import { RawPeer } from '../transport/msrp/raw-peer.js';
import { clientPath, inContact } from './retrieval-scene.js';
import { contactOf, description, sdpType, withServer, type SipScene } from './sip-scene.js';

const uri = 'sip:bob@example.org';

/** A session to the mailbox of Bob: the path to send to, and the connection to send on. */
async function session(scene: SipScene): Promise<{ path: string; msrp: RawPeer }> {
  const accepted = await scene.ask({
    ...{ method: 'INVITE', uri, callId: 'large', body: description({ direction: 'sendonly' }) },
    headers: [contactOf(scene), ['Accept-Contact', '*;+g.oma.sip-im.large-message'], sdpType],
  });
  expect(accepted.status).toBe(200);
  const to = accepted.header('To')!;
  scene.send({ method: 'ACK', uri: inContact(accepted), callId: 'large', to });
  const path = sdpAttribute(parseSdp(accepted.body).media[0]!, 'path')!;
  const socket = createConnection({ host: '127.0.0.1', port: Number(/:(\d+)\//.exec(path)![1]) });
  await once(socket, 'connect');
  return { path, msrp: new RawPeer(socket) };
}

function chunk(path: string, whole: Buffer, from: number, size: number): Buffer {
  const id = `chunk${String(from).padStart(6, '0')}`;
  const piece = whole.subarray(from, from + size);
  const head = [
    `MSRP ${id} SEND`,
    `To-Path: ${path}`,
    `From-Path: ${clientPath}`,
    'Message-ID: inManyPieces',
    `Byte-Range: ${from + 1}-${from + piece.length}/${whole.length}`,
    'Success-Report: no',
    'Failure-Report: yes',
    'X-Vendor-Blue: {"of":"nobody"}; x=1',
    'Priority-Hint:',
    'Content-Type: application/octet-stream',
  ];
  const flag = from + piece.length === whole.length ? '$' : '+';
  const end = `\r\n-------${id}${flag}\r\n`;
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), piece, Buffer.from(end)]);
}

test('U19: header fields that nobody knows are borne, and thousands of chunks are one message', () =>
  withServer(async (scene) => {
    const { path, msrp } = await session(scene);
    const whole = Buffer.from(Array.from({ length: 30_000 }, (_, n) => (n * 31 + (n >> 8)) & 255));
    const size = 10;
    for (let from = 0; from < whole.length; from += size) {
      msrp.write(chunk(path, whole, from, size));
    }
    const last = whole.length - size;
    expect(await msrp.status(`chunk${String(last).padStart(6, '0')}`)).toBe(200);
    const statuses = msrp.frames.map(({ head }) => (head.kind === 'response' ? head.status : 0));
    expect(statuses).toEqual(Array.from({ length: whole.length / size }, () => 200));
    msrp.socket.destroy();
    const { accounts } = scene.world.server;
    const [stored, ...others] = await accounts.histories('bob@example.org', { limit: 10 });
    expect(others).toEqual([]);
    expect(stored).toMatchObject({ size: whole.length });
    const bob = await scene.world.client('bob');
    const { messages } = await bob.retrieve();
    expect(messages.map(({ body }) => body.equals(whole))).toEqual([true]);
  }));
