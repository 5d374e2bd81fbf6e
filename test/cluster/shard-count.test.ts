/** How many shards a server has, when nobody says it and when somebody does. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimLayout } from '../../src/cluster/layout.js';
import { autoShardsMax, shardCountOf } from '../../src/cluster/shard-count.js';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'poste-count-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const cores = Math.min(availableParallelism(), autoShardsMax);

test('cluster.shards: auto is a shard for each core in a new directory, and no more than the cap', async () => {
  const wish = { shards: 'auto', directory: join(directory, 'new') } as const;
  expect(await shardCountOf(wish)).toEqual({ shards: cores, reason: 'cores' });
  expect(await shardCountOf({ ...wish, cores: 3 })).toMatchObject({ shards: 3 });
  expect(await shardCountOf({ ...wish, cores: 64 })).toMatchObject({ shards: autoShardsMax });
});

test('cluster.shards: auto leaves an undivided store as it is, whatever the cores', async () => {
  writeFileSync(join(directory, 'CURRENT'), 'MANIFEST-000001\n');
  const found = await shardCountOf({ shards: 'auto', directory, cores: 4 });
  expect(found).toEqual({ shards: 1, reason: 'directory' });
});

test('cluster.shards: auto keeps the number of a divided directory, also above the cap', async () => {
  await claimLayout(directory, 11);
  const found = await shardCountOf({ shards: 'auto', directory, cores: 2 });
  expect(found).toEqual({ shards: 11, reason: 'directory' });
});

test('CLUSTER_LAYOUT: auto guesses nothing of a directory that is being divided anew', async () => {
  writeFileSync(join(directory, 'reshard.json'), '{}');
  const found = shardCountOf({ shards: 'auto', directory });
  await expect(found).rejects.toMatchObject({ code: 'CLUSTER_LAYOUT' });
});

test('cluster.shards: a number is taken as it is, and none is one process', async () => {
  await claimLayout(directory, 3);
  const reason = 'settings';
  expect(await shardCountOf({ shards: 12, directory })).toEqual({ shards: 12, reason });
  expect(await shardCountOf({ shards: undefined, directory })).toEqual({ shards: 1, reason });
});

test('cluster.shards: auto is one process where what was brought along needs it', async () => {
  const one = { shards: 1, reason: 'parts' };
  const given = { shards: 'auto', directory, isOneProcess: true, cores: 4 } as const;
  expect(await shardCountOf(given)).toEqual(one);
  expect(await shardCountOf({ ...given, directory: undefined })).toEqual(one);
  await claimLayout(directory, 2);
  // Its accounts are divided: one process would not find them, and the caller refuses.
  expect(await shardCountOf(given)).toEqual({ shards: 2, reason: 'directory' });
});
