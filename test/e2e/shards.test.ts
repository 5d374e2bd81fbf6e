/** One server, several processes: each account in the store of its shard, all behind one listener. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { shardAmong } from '../../src/cluster/layout.js';
import { settingsOf } from '../../src/config.js';
import { startServer } from '../../src/server.js';
import { SipPeer } from '../../src/testing/sip-peer.js';
import { shardProgram, startWorld } from './world.js';
import type { World } from './world.js';

let world: World | undefined;

afterEach(async () => {
  await world?.end();
  world = undefined;
});

const users = Array.from({ length: 16 }, (_, n) => `user${n}`);
const inShard = (shard: number): string[] =>
  users.filter((user) => shardAmong(`${user}@example.org`, 2) === shard);

test('IMSpec-DMT-S-001: users of both shards get 202 and their messages, and no number twice', async () => {
  world = await startWorld({}, 'udp', { cluster: { shards: 2 } });
  expect(inShard(0).length).toBeGreaterThan(2);
  expect(inShard(1).length).toBeGreaterThan(2);
  const alice = await world.client('alice');
  for (const user of users) {
    const { status } = await alice.send(`sip:${user}@example.org`, `for ${user}`);
    expect(status).toBe(202);
  }
  const references = new Set<string>();
  for (const user of users) {
    const [history] = await world.server.accounts.histories(`${user}@example.org`, { limit: 10 });
    references.add(history!.reference);
  }
  expect(references.size).toBe(users.length);
});
