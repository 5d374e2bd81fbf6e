/** How many processes there are when nobody says it: of the program, and for those who embed it. */

import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { autoShardsMax } from '../../src/cluster/shard-count.js';
import { settingsOf } from '../../src/config.js';
import { startServer } from '../../src/server.js';
import { recordingLog } from '../transport/msrp/raw-peer.js';
import { startServerProcess } from '../server-process.js';

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
