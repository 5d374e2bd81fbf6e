/** One server, several processes: each account in the store of its shard, all behind one listener. */

import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { restoreStores } from '../../src/cli/store-copy.js';
import { withStores } from '../../src/cli/stores.js';
import { shardAmong } from '../../src/cluster/layout.js';
import { settingsOf } from '../../src/config.js';
import { startServer } from '../../src/server.js';
import { sumOf } from '../../src/store/verify.js';
import type { ImClient } from '../../src/client/im-client.js';
import type { HeaderField, SipResponse } from '../../src/wire/sip/message.js';
import { until } from '../transport/sip/fixture.js';
import { generated, LargePeer, sha256Of } from './large-peer.js';
import { withServer } from './sip-scene.js';
import { shardProgram, startWorld } from './world.js';
import type { World } from './world.js';

let world: World | undefined;

afterEach(async () => {
  await world?.end();
  world = undefined;
});

const cluster = { shards: 2, restartMs: 10, beatMs: 60_000 };
const headers: readonly HeaderField[] = [['Content-Type', 'text/plain']];
const users = Array.from({ length: 16 }, (_, n) => `user${n}`);
const token = 'of-the-tests-alone';
const accountOf = (user: string): string => `${user}@example.org`;
const inShard = (shard: number): readonly string[] =>
  users.filter((user) => shardAmong(accountOf(user), 2) === shard);

test.each(['udp', 'tcp'] as const)(
  'IMSpec-DMT-S-001, D-02: users of both shards get 202 and their messages, no number twice (%s)',
  async (transport) => {
    world = await startWorld({}, transport, { cluster });
    expect(inShard(0).length).toBeGreaterThan(2);
    expect(inShard(1).length).toBeGreaterThan(2);
    const alice = await world.client('alice');
    for (const user of users) expect(await sent(alice, user, `for ${user}`)).toBe(202);
    const references = new Set<string>();
    for (const user of users) {
      const histories = await world.server.accounts.histories(accountOf(user), { limit: 10 });
      expect(histories).toHaveLength(1);
      references.add(histories[0]!.reference);
    }
    expect(references.size).toBe(users.length);
    const listed = await world.server.accounts.accounts({ limit: 100 });
    expect(listed).toEqual(users.map(accountOf).sort());
  },
);

test('IMSpec-DMT-C-003: message waiting and retrieval work in either shard', async () => {
  world = await startWorld({ subscribe: { throttleMs: 1 } }, 'udp', { cluster });
  const alice = await world.client('alice');
  for (const shard of [0, 1]) {
    const user = inShard(shard)[0]!;
    const client = await world.client(user);
    const states = client.watch();
    expect((await states.next()).value).toMatchObject({ waiting: false });
    expect(await sent(alice, user, 'one')).toBe(202);
    expect((await states.next()).value).toMatchObject({ waiting: true });
    await states.return?.();
    const { status, messages } = await client.retrieve();
    expect(status).toBe(200);
    expect(messages.map(({ body }) => body.toString())).toEqual(['one']);
  }
});

test('kill -9 of a shard: the other answers throughout, it comes back, nothing is lost', () =>
  withServer(
    async (scene) => {
      const { server } = scene.world;
      const store = async (user: string): Promise<SipResponse> =>
        scene.ask({ method: 'MESSAGE', uri: `sip:${accountOf(user)}`, headers, body: 'kept' });
      const [lost, spared] = [inShard(1), inShard(0)];
      for (const user of lost) expect((await store(user)).status).toBe(202);
      const former = server.shards!()[1]!;
      process.kill(former.pid!, 'SIGKILL');
      for (const user of spared) expect((await store(user)).status).toBe(202);
      for (const user of lost) {
        let answer = await store(user);
        // Until it is back; a request that died with it is repeated by its transaction.
        for (; answer.status === 503; answer = await store(user)) {
          expect(answer.header('Retry-After')).toBe('2');
        }
        expect(answer.status).toBe(202);
      }
      const [other, again] = server.shards!();
      expect(again).toMatchObject({ isUp: true, restarts: 1 });
      expect(again!.pid).not.toBe(former.pid);
      expect(other!.restarts).toBe(0);
      for (const user of lost) {
        const histories = await server.accounts.histories(accountOf(user), { limit: 10 });
        expect(histories).toHaveLength(2);
      }
    },
    {},
    'udp',
    { cluster: { ...cluster, restartMs: 300 } },
  ));

test('U6, D-18: what a shard had taken and not answered when it was killed is stored once', () =>
  withServer(
    async (scene) => {
      const { server } = scene.world;
      const [user] = inShard(1);
      const uri = `sip:${accountOf(user!)}`;
      const sketch = { method: 'MESSAGE', uri, headers, branch: 'once', callId: 'once' };
      expect(
        (await scene.ask({ ...sketch, branch: 'a', callId: 'a', body: 'before' })).status,
      ).toBe(202);
      const { pid } = server.shards!()[1]!;
      // It reads nothing any more, and what waits for it goes with it.
      process.kill(pid!, 'SIGSTOP');
      scene.send({ ...sketch, body: 'in flight' });
      const [spared] = inShard(0);
      const other = { ...sketch, uri: `sip:${accountOf(spared!)}`, branch: 'b', callId: 'b' };
      expect((await scene.ask({ ...other, body: 'spared' })).status).toBe(202);
      process.kill(pid!, 'SIGKILL');
      await until(() => server.shards!()[1]!.restarts === 1 && server.shards!()[1]!.isUp);
      // Timer E: nobody has answered, so it comes again, with the same branch.
      expect((await scene.ask({ ...sketch, body: 'in flight' })).status).toBe(202);
      expect((await scene.ask({ ...sketch, body: 'in flight' })).status).toBe(202);
      const histories = await server.accounts.histories(accountOf(user!), { limit: 10 });
      expect(histories).toHaveLength(2);
    },
    {},
    'udp',
    { cluster },
  ));

test('U26: /v1/backup of all shards, brought back by store restore, and /metrics over all', async () => {
  world = await startWorld({}, 'udp', {
    cluster,
    admin: { port: 0, tokens: [{ name: 'tests', token }] },
  });
  const alice = await world.client('alice');
  for (const user of users) expect(await sent(alice, user, `for ${user}`)).toBe(202);
  const { port } = world.server.admin!;
  const asked = { headers: { authorization: `Bearer ${token}` } };
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`, asked)).text();
  // As they are at this moment, though no beat has been.
  expect(metrics).toMatch(/store_commits(?:_total)? [1-9]/);
  expect(metrics).toMatch(/^poste_restante_store_commit_seconds_count [1-9]/m);
  // What goes down again when a process is gone is no counter.
  expect(metrics).toMatch(/^poste_restante_cluster_shards 2$/m);
  const resident = Number(/^poste_restante_cluster_resident_bytes (\d+)/m.exec(metrics)?.[1]);
  const own = Number(/^process_resident_memory_bytes (\d+)/m.exec(metrics)?.[1]);
  expect(resident).toBeGreaterThan(own);
  const answer = await fetch(`http://127.0.0.1:${port}/v1/backup`, asked);
  expect(answer.status).toBe(200);
  const copy = join(world.directory, '..', 'copy');
  expect(await restoreStores(copy, answer.body!)).toMatchObject({ shards: 2 });
  const totals = sumOf(await withStores(copy, (store) => store.verify(() => undefined)));
  expect(totals).toMatchObject({ accounts: users.length, messages: users.length, findings: 0 });
});

test('CLUSTER_LAYOUT: a directory keeps its number of shards', async () => {
  world = await startWorld({}, 'udp', { cluster });
  const { directory } = world;
  await world.server.stop(0);
  for (const shards of [1, 3]) {
    const settings = settingsOf({
      sip: { listen: [{ transport: 'udp', port: 0 }] },
      msrp: { port: 0 },
      store: { directory },
      cluster: { shards },
      log: { level: 'silent' },
    });
    const started = startServer(settings, { shardProgram });
    await expect(started).rejects.toMatchObject({ code: 'CLUSTER_LAYOUT' });
  }
});

test('IMSpec-DMT-S-012, RFC 4975 5.4: large messages of both shards by one MSRP port', async () => {
  world = await startWorld({}, 'tcp', { cluster });
  const sipPort = world.server.sip.find(({ transport }) => transport === 'tcp')!.port;
  const nia = await LargePeer.open('nia', { sipPort });
  const size = 1_500_001;
  try {
    for (const shard of [0, 1]) {
      const user = inShard(shard)[0]!;
      const dialog = await nia.inviteToSend(user);
      expect(dialog.response.body.toString()).toContain(`:${world.server.msrp.port}/Z${shard}`);
      await nia.next('connected');
      nia.send(dialog.owner, `large${shard}`, generated(size, shard + 1));
      expect(await nia.next('sent')).toMatchObject({ status: 200 });
      await nia.next('reported');
      expect(await dialog.bye()).toBe(200);
      const peer = await LargePeer.open(user, { sipPort });
      await peer.inviteToRetrieve('application/octet-stream');
      await peer.next('connected');
      const { sha256 } = await peer.next('received');
      expect(sha256).toBe(await sha256Of(generated(size, shard + 1)));
      await peer.answer('BYE');
      await peer.close();
    }
  } finally {
    await nia.close();
  }
});

async function sent(from: ImClient, user: string, text: string): Promise<number> {
  return (await from.send(`sip:${accountOf(user)}`, text)).status;
}
