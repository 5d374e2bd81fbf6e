/**
 * Durable commits per second of the store on LevelDB: `npm run build && node bench/store.mjs`.
 * One commit is what a stored message writes: a virtual UA of 150 octets, its content of 400, a
 * timer and the mailbox. The directory is the first argument, by default a temporary one.
 */

import { Buffer } from 'node:buffer';
import console from 'node:console';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';

import { openLevelStore } from '../dist/store/level.js';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const seconds = 3;
const rounds = 5;

const ua = { state: 'deferred', from: 'sip:alice@example.org', text: 'x'.repeat(95), expires: 9e5 };
const content = Buffer.alloc(400, 'y');
const mailbox = { state: 'away', stored: 0, octets: 0, kept: [[1, 100]], available: false };

function change(n) {
  return {
    puts: [
      { key: ['ua', n], value: ua },
      { key: ['timer', 1_700_000_000_000 + n, `ua/${n} expires`], value: null },
      { key: ['actor', 'mailbox'], value: mailbox },
    ],
    deletes: [],
    keeps: [{ serial: n, content }],
    drops: [],
  };
}

/** One account per writer, each with one commit on its way. */
async function measure(store, outstanding) {
  const until = performance.now() + seconds * 1000;
  const before = store.stats();
  const cpu = process.cpuUsage();
  const began = performance.now();
  const latencies = [];
  const writer = async (account) => {
    let { version } = await store.load(account);
    for (let n = 1; performance.now() < until; n++) {
      const at = performance.now();
      version = await store.commit(account, version, change(n));
      latencies.push(performance.now() - at);
    }
    store.release(account);
  };
  const names = Array.from({ length: outstanding }, (_, n) => `user${n}@example.org`);
  await Promise.all(names.map(writer));
  const took = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const after = store.stats();
  latencies.sort((a, b) => a - b);
  const commits = latencies.length;
  return {
    outstanding,
    'commits/s': Math.round(commits / took),
    'µs CPU/commit': Math.round((user + system) / commits),
    'commits/batch': Math.round((commits / (after.batches - before.batches)) * 10) / 10,
    'p50 ms': round(latencies[commits >> 1]),
    'p99 ms': round(latencies[Math.floor(commits * 0.99)]),
  };
}

function round(value) {
  return Math.round(value * 100) / 100;
}

for (const outstanding of [1, 64, 256]) {
  const results = [];
  for (let n = 0; n < rounds; n++) {
    const directory = process.argv[2] ?? (await mkdtemp(join(tmpdir(), 'poste-restante-bench-')));
    const store = await openLevelStore({ directory, durability: 'fsync', log: silent });
    results.push(await measure(store, outstanding));
    await store.close();
    await rm(directory, { recursive: true });
  }
  results.sort((a, b) => a['commits/s'] - b['commits/s']);
  const { 'commits/s': slowest } = results[0];
  const { 'commits/s': fastest } = results.at(-1);
  console.log(results[rounds >> 1], `median of ${rounds}, ${slowest} to ${fastest} commits/s`);
}
