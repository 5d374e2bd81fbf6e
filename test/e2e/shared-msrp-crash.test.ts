/** One MSRP port for two shards: processes that end while large messages go both ways over TLS. */

import { existsSync } from 'node:fs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Content } from '../../src/ports.js';
import { generated, sha256Of } from './large-peer.js';
import type { LargePeer } from './large-peer.js';
import { startShared, userIn } from './shared-msrp-process.js';
import type { SharedProcess } from './shared-msrp-process.js';

const size = 4_000_000;
const patience = { timeout: 60_000, interval: 20 };

let running: SharedProcess;
beforeEach(async () => {
  running = await startShared();
});
afterEach(() => running.end());

test('U6, RFC 4975 5.4: kill -9 of a shard while both are busy by one TLS connection: the other goes on, what was acknowledged is there', async () => {
  const { users, nia, go } = await busy();
  process.kill(running.shards()[0]!, 'SIGKILL');
  go();
  const told: unknown[] = [];
  const ours = (kind: string) => ({ kind, messageId: 'going1', status: 200 });
  const isOver = (): boolean =>
    ['sent', 'reported'].every((kind) =>
      told.some((one) => JSON.stringify(one) === JSON.stringify(ours(kind))),
    );
  while (!isOver()) told.push(await nia.told.next());
  expect(told).not.toContainEqual(expect.objectContaining({ messageId: 'going0', status: 200 }));
  await vi.waitFor(async () => {
    expect(await running.metric('cluster_restarts_total')).toBe(1);
    expect(await running.metric('cluster_shards')).toBe(2);
  }, patience);
  await stored(users[0]!, [1]);
  await stored(users[1]!, [2, 4]);
});

test.each(['SIGKILL', 'SIGTERM'] as const)(
  'U6, D-16: %s of the front in the middle of large messages: shards end, what was acknowledged is there, nothing else',
  async (signal) => {
    const { users, go } = await busy();
    const shards = running.shards();
    expect(shards).toHaveLength(2);
    const again = running.again(signal);
    await vi.waitFor(() => {
      for (const pid of shards) expect(existsSync(`/proc/${pid}`)).toBe(false);
    }, patience);
    await again;
    go();
    for (const [shard, user] of users.entries()) await stored(user, [shard + 1]);
  },
);

interface Busy {
  /** One of each shard, who has a message and gets another one; both are on their way. */
  readonly users: readonly string[];
  readonly nia: LargePeer;
  /** What is half sent goes on. */
  go(): void;
}

async function busy(): Promise<Busy> {
  const users = [0, 1].map(userIn);
  const nia = await running.peer('nia');
  const owners: string[] = [];
  for (const [shard, user] of users.entries()) {
    const { owner } = await nia.inviteToSend(user);
    await nia.next('connected');
    nia.send(owner, `kept${shard}`, generated(size, shard + 1));
    expect(await nia.next('sent')).toMatchObject({ status: 200 });
    await nia.next('reported');
    owners.push(owner);
  }
  let go = (): void => undefined;
  const gate = new Promise<void>((resolve) => (go = resolve));
  for (const [shard, owner] of owners.entries()) {
    await new Promise<void>((reached) => {
      nia.send(owner, `going${shard}`, halved(generated(size, shard + 3), gate, reached));
    });
  }
  for (const user of users) {
    const reader = await running.peer(user);
    await reader.inviteToRetrieve('application/octet-stream');
    await reader.next('connected');
    await vi.waitFor(() => expect(reader.begun).toHaveLength(1), patience);
  }
  return { users, nia, go };
}

/** Its second half comes when the gate is open. */
function halved(content: Content, gate: Promise<void>, reached: () => void): Content {
  const read = async (offset: number, length: number): Promise<Buffer> => {
    if (offset + length > size / 2) {
      reached();
      await gate;
    }
    return content.read(offset, length);
  };
  return { size, read };
}

/** A retrieval brings these and no others. */
async function stored(user: string, seeds: readonly number[]): Promise<void> {
  const reader = await running.peer(user);
  await reader.inviteToRetrieve('application/octet-stream');
  await reader.next('connected');
  for (const seed of seeds) {
    expect((await reader.next('received')).sha256).toBe(await sha256Of(generated(size, seed)));
  }
  await reader.answer('BYE');
  expect(reader.begun).toHaveLength(seeds.length);
}
