/**
 * Durable commits per second of the store on LevelDB, a line of JSON per figure. One commit is what
 * a stored message writes: a virtual UA of 150 octets, its content of 400, a timer and the mailbox.
 * `BENCH_TMP` names another disk than that of temporary files.
 */

import { Buffer } from 'node:buffer';
import console from 'node:console';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';

import { randomBytes } from 'node:crypto';
import { createFileKeys } from '../../dist/store/encryption/file-keys.js';
import { openLevelStore } from '../../dist/store/level.js';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const seconds = Number(process.env.BENCH_SECONDS ?? 3);
const rounds = 5;
const base = process.env.BENCH_TMP ?? tmpdir();
const units = { 'commits/s': 'more', 'µs CPU per commit': 'less', 'p99 ms': 'less' };

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
  latencies.sort((a, b) => a - b);
  const commits = latencies.length;
  return {
    'commits/s': Math.round(commits / took),
    'µs CPU per commit': Math.round((user + system) / commits),
    'p99 ms': round(latencies[Math.floor(commits * 0.99)]),
  };
}

function round(value) {
  return Math.round(value * 100) / 100;
}

const keys = createFileKeys(new Map([['bench', randomBytes(32).toString('base64')]]), 'bench');

for (const [outstanding, sealed] of [
  [1, {}],
  [64, {}],
  [64, { keys }],
  [256, {}],
]) {
  const results = [];
  for (let n = 0; n < rounds; n++) {
    const directory = await mkdtemp(join(base, 'poste-restante-bench-'));
    const store = await openLevelStore({ directory, durability: 'fsync', log: silent, ...sealed });
    results.push(await measure(store, outstanding));
    await store.close();
    await rm(directory, { recursive: true });
  }
  for (const [unit, better] of Object.entries(units)) {
    const values = results.map((result) => result[unit]);
    const how = sealed.keys ? ', sealed' : '';
    const name = `durable commits, ${outstanding} outstanding${how}`;
    console.log(JSON.stringify({ name, unit, better, values }));
  }
}
