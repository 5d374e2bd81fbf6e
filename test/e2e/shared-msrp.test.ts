/** One MSRP port for two shards, over TLS and WebSocket: the built server, real sockets. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { msrpMedia, parseSdp } from '../../src/wire/sdp.js';
import { WebSocketClient } from '../transport/msrp/websocket-client.js';
import { generated, largeMessageTag, sha256Of } from './large-peer.js';
import type { LargePeer } from './large-peer.js';
import { startShared, userIn } from './shared-msrp-process.js';
import type { SharedProcess } from './shared-msrp-process.js';

const size = 3_000_001;
const type = 'application/octet-stream';

let running: SharedProcess;
beforeAll(async () => {
  running = await startShared();
});
afterAll(() => running.end());

/** Call-IDs are of their peer: one of its own for each test. */
let senders = 0;
const sender = (): Promise<LargePeer> => running.peer(`sender${++senders}`);

test('IMSpec-DMT-S-012, MSRP-14, RFC 4975 5.4: two large messages to two shards by one TLS connection', async () => {
  const nia = await sender();
  const dialogs = [];
  const users = [0, 1].map(userIn);
  for (const [shard, user] of users.entries()) {
    const dialog = await nia.inviteToSend(user);
    const { path } = msrpMedia(parseSdp(dialog.response.body))!;
    expect(path[0]).toContain(`msrps://127.0.0.1:${running.tlsPort}/Z${shard}`);
    await nia.next('connected');
    dialogs.push(dialog);
  }
  expect(await running.metric('cluster_msrp_connections')).toBe(1);
  for (const [shard, { owner }] of dialogs.entries()) {
    nia.send(owner, `large${shard}`, generated(size, shard + 1));
  }
  const told = [];
  for (let n = 0; n < 4; n++) told.push(await nia.told.next());
  expect(told.map(({ kind }) => kind).sort()).toEqual(['reported', 'reported', 'sent', 'sent']);
  expect(told).toMatchObject(Array(4).fill({ status: 200 }));
  for (const { bye } of dialogs) expect(await bye()).toBe(200);
  for (const [shard, user] of users.entries()) await fetched(user, shard + 1);
  await running.quiet();
});

test.each([0, 1])(
  'IMSpec-DMT-S-004, MSRP-14: a push over TLS to a user of shard %i',
  async (shard) => {
    const user = userIn(shard);
    const nia = await sender();
    const { owner, bye } = await nia.inviteToSend(user);
    await nia.next('connected');
    nia.send(owner, 'pushed1', generated(size, 7));
    expect(await nia.next('sent')).toMatchObject({ status: 200 });
    await nia.next('reported');
    expect(await bye()).toBe(200);
    const peer = await running.peer(user);
    expect((await peer.register()).status).toBe(200);
    const invite = await peer.takePush(type);
    expect(msrpMedia(parseSdp(invite.body))!.path[0]).toMatch(
      new RegExp(`^msrps://127\\.0\\.0\\.1:${running.tlsPort}/Z${shard}`),
    );
    await peer.next('connected');
    expect((await peer.next('received')).sha256).toBe(await sha256Of(generated(size, 7)));
    await peer.answer('BYE');
    await running.quiet();
  },
);

test.each([0, 1])(
  'WS-02: a large message over a WebSocket for a user of shard %i',
  async (shard) => {
    const nia = await sender();
    const user = userIn(shard);
    const path = 'msrps://df7jal23ls0d.invalid:2855/98cjs;ws';
    const { response, bye } = await nia.inviteToSend(user, [largeMessageTag], { path });
    const [own] = msrpMedia(parseSdp(response.body))!.path;
    expect(own).toMatch(new RegExp(`:${running.webSocketPort}/Z${shard}\\w+;ws$`));
    const client = await WebSocketClient.to(running.webSocketPort);
    const content = generated(size, 3);
    const chunk = 100_000;
    let sent = 0;
    client.send(own!, 'bind');
    for (let at = 0; at < size; at += chunk, sent++) {
      const octets = await content.read(at, chunk);
      const end = at + octets.length;
      const id = `chunk${sent}`;
      const head =
        `MSRP ${id} SEND\r\nTo-Path: ${own}\r\nFrom-Path: ${path}\r\nMessage-ID: large1\r\n` +
        `Byte-Range: ${at + 1}-${end}/${size}\r\nContent-Type: ${type}\r\n\r\n`;
      const endLine = `\r\n-------${id}${end === size ? '$' : '+'}\r\n`;
      client.socket.send(Buffer.concat([Buffer.from(head), octets, Buffer.from(endLine)]));
    }
    await client.until(({ messages }) => messages.length === sent + 1);
    for (const { heads } of client.messages) expect(heads[0]).toMatchObject({ status: 200 });
    expect(await bye()).toBe(200);
    client.socket.terminate();
    await fetched(user, 3);
    await running.quiet();
  },
);

/** The one message of the user, by a retrieval over TLS. */
async function fetched(user: string, seed: number): Promise<void> {
  const peer = await running.peer(user);
  await peer.inviteToRetrieve(type);
  await peer.next('connected');
  expect((await peer.next('received')).sha256).toBe(await sha256Of(generated(size, seed)));
  await peer.answer('BYE');
}
