/** How many processes there are when nobody says it: of the program, and for those who embed it. */

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { noteLayout, shardDirectory } from '../../src/cluster/layout.js';
import { autoShardsMax } from '../../src/cluster/shard-count.js';
import { settingsOf } from '../../src/config.js';
import { createLog, startServer } from '../../src/server.js';
import { openLevelStore } from '../../src/store/level.js';
import { recordingLog } from '../transport/msrp/raw-peer.js';
import { startServerProcess } from '../server-process.js';
import { until } from '../transport/sip/fixture.js';

let directory: string;

beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'poste-default-')), 'store');
});
afterEach(() => {
  rmSync(join(directory, '..'), { recursive: true, force: true });
});

/** Starts the program, hears how many shards it has and why, and ends it in good order. */
async function began(shards: number | 'unset') {
  const server = await startServerProcess({ directory, shards });
  const lines = server.log().trim().split('\n');
  const said = lines.map((line) => JSON.parse(line) as { readonly reason?: string });
  expect(await server.end('SIGTERM')).toBe(0);
  return { shards: server.shards, reason: said.find(({ reason }) => reason)?.reason };
}

test('cluster.shards: a new directory has a shard for each core, and keeps it', async () => {
  const shards = Math.min(availableParallelism(), autoShardsMax);
  expect(await began('unset')).toEqual({ shards, reason: 'cores' });
  expect(await began('unset')).toEqual({ shards, reason: 'directory' });
});

test('cluster.shards: an undivided store stays one process', async () => {
  expect(await began(1)).toEqual({ shards: 1, reason: 'settings' });
  expect(await began('unset')).toEqual({ shards: 1, reason: 'directory' });
});

test('cluster.shards: what is divided among three stays so', async () => {
  expect(await began(3)).toEqual({ shards: 3, reason: 'settings' });
  expect(await began('unset')).toEqual({ shards: 3, reason: 'directory' });
});

test('STORE_LOCKED: a shard waits until one of an earlier front is gone, and binds nothing before', async () => {
  const held = await openLevelStore({
    ...{ directory: shardDirectory(directory, 1), durability: 'os', log: createLog('silent') },
  });
  await noteLayout(directory, 2);
  const starting = startServerProcess({ directory, shards: 'unset' });
  // The other one is open: both have been asked.
  const other = join(shardDirectory(directory, 0), 'CURRENT');
  await until(() => existsSync(other));
  await held.close();
  const server = await starting;
  expect(server.shards).toBe(2);
  expect(await server.end('SIGTERM')).toBe(0);
});

test('STORE_DAMAGED: of several stores the one that does not open is named', async () => {
  expect(await began(2)).toMatchObject({ shards: 2 });
  rmSync(join(shardDirectory(directory, 1), 'CURRENT'));
  await expect(startServerProcess({ directory, shards: 'unset' })).rejects.toThrow(
    /STORE_DAMAGED: shard 1: /,
  );
});

test('cluster.shards: whoever embeds a server and asks for nothing has one process', async () => {
  const log = recordingLog();
  const settings = settingsOf({
    sip: { listen: [{ transport: 'udp', port: 0 }] },
    msrp: { port: 0 },
    store: { directory },
  });
  const server = await startServer(settings, { log });
  try {
    expect(server.shards).toBeUndefined();
    expect(log.lines).toEqual([]);
  } finally {
    await server.stop(0);
  }
});
