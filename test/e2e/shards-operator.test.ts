/** What an operator asks of a server with several shards is answered as by one process. */

import { afterEach, expect, test } from 'vitest';
import { shardAmong } from '../../src/cluster/layout.js';
import type { TraceEntry, TurnEntry } from '../../src/ports.js';
import { mailboxStreamType } from '../../src/wire/mailbox-stream/frame.js';
import { generated, LargePeer } from './large-peer.js';
import { shardProgram, startWorld } from './world.js';
import type { World } from './world.js';

let world: World | undefined;

afterEach(async () => {
  await world?.end();
  world = undefined;
});

const cluster = { shards: 2 };
const token = 'of-the-tests-alone';
const headers = { authorization: `Bearer ${token}` };
const admin = { port: 0, tokens: [{ name: 'tests', token }] };
/** One in each shard. */
const users = [0, 1].map((shard) => {
  const names = Array.from({ length: 16 }, (_, n) => `user${n}@example.org`);
  return names.find((name) => shardAmong(name, 2) === shard)!;
});

async function asked(path: string): Promise<string> {
  const { port } = world!.server.admin!;
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
  expect(answer.status).toBe(200);
  return answer.text();
}

test('U28: the life of a message in either shard, with the turns of its account', async () => {
  world = await startWorld({}, 'udp', { cluster, admin: { ...admin, traceOctets: 1_000_000 } });
  const alice = await world.client('alice');
  for (const user of users) {
    expect((await alice.send(`sip:${user}`, 'a secret of Alice')).status).toBe(202);
    const account = `/v1/accounts/${encodeURIComponent(user)}`;
    const { messages } = JSON.parse(await asked(`${account}/messages`)) as {
      readonly messages: readonly { readonly id: string }[];
    };
    const text = await asked(`${account}/messages/${encodeURIComponent(messages[0]!.id)}/ladder`);
    expect(text).toContain(`MESSAGE sip:${user}`);
    expect(text).toContain('message.received');
    expect(text).toContain('202 Accepted (MESSAGE)');
    expect(text).not.toContain('a secret of Alice');
  }
});

test('U26: a mailbox with a large message goes from one shard into the other, byte for byte', async () => {
  world = await startWorld({}, 'tcp', { cluster, admin });
  const { server } = world;
  const [from, to] = users as [string, string];
  const alice = await world.client('alice');
  expect((await alice.send(`sip:${from}`, 'a short one')).status).toBe(202);
  const size = 600_001;
  const nia = await LargePeer.open('nia', { sipPort: server.sip[1]!.port });
  try {
    const dialog = await nia.inviteToSend(from.split('@')[0]!);
    await nia.next('connected');
    nia.send(dialog.owner, 'large', generated(size, 1));
    expect(await nia.next('sent')).toMatchObject({ status: 200 });
    await nia.next('reported');
    expect(await dialog.bye()).toBe(200);
  } finally {
    await nia.close();
  }
  const path = (user: string): string =>
    `http://127.0.0.1:${server.admin!.port}/v1/accounts/${encodeURIComponent(user)}/mailbox`;
  const stream = Buffer.from(await (await fetch(path(from), { headers })).arrayBuffer());
  expect(stream.length).toBeGreaterThan(size);
  const bringIn = async (): Promise<unknown> => {
    const given = { ...headers, 'content-type': mailboxStreamType };
    return (await fetch(path(to), { method: 'POST', headers: given, body: stream })).json();
  };
  expect(await bringIn()).toMatchObject({ accounts: 1, kept: 2, known: 0 });
  expect(await bringIn()).toMatchObject({ accounts: 1, kept: 0, known: 2 });
  const octets = await Promise.all(users.map((user) => contentsOf(user)));
  expect(octets[1]).toEqual(octets[0]);
  expect(octets[0]!.map(({ length }) => length).sort((a, b) => a - b)[1]).toBeGreaterThan(size);
});

async function contentsOf(user: string): Promise<readonly Buffer[]> {
  const { accounts } = world!.server;
  const histories = await accounts.histories(user, { limit: 10 });
  return Promise.all(
    histories.map(async ({ serial }) => {
      const content = await accounts.content(user, serial);
      return content!.read(0, content!.size);
    }),
  );
}

test('D-67: a trace that was brought along sees messages and turns of all shards, each once', async () => {
  const wire: TraceEntry[] = [];
  const turns: TurnEntry[] = [];
  world = await startWorld(
    {},
    'udp',
    { cluster },
    {
      shardProgram,
      trace: { record: (entry) => wire.push(entry) },
      turns: { record: (entry) => turns.push(entry) },
    },
  );
  const alice = await world.client('alice');
  for (const user of users) expect((await alice.send(`sip:${user}`, 'one')).status).toBe(202);
  const heads = wire.map(({ direction, bytes }) => `${direction} ${bytes.toString('latin1')}`);
  for (const user of users) {
    expect(heads.filter((head) => head.startsWith(`in MESSAGE sip:${user}`))).toHaveLength(1);
    const own = turns.filter(({ account }) => account === user);
    expect(own.flatMap(({ told }) => told).map(({ event }) => event.type)).toContain(
      'message.received',
    );
  }
  expect(heads.filter((head) => head.startsWith('out SIP/2.0 202'))).toHaveLength(users.length);
});
