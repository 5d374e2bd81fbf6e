/**
 * Commits in a loop until it is killed. Every line tells of something acknowledged:
 * `commit account serial version` or `reserve first`. `failed code` tells of a rejected commit.
 */

import { Buffer } from 'node:buffer';
import { writeSync } from 'node:fs';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';

import { openLevelStore } from './store/level.js';

const [directory, writers, base, octets] = process.argv.slice(2);
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const store = await openLevelStore({
  directory,
  durability: 'fsync',
  log: silent,
  writeBufferBytes: 256 * 1024,
  retryMs: 10,
});

function tell(...words) {
  writeSync(1, `${words.join(' ')}\n`);
}

async function write(account) {
  let { version } = await store.load(account);
  for (let serial = Number(base); ; serial++) {
    const content = Buffer.alloc(Number(octets), serial & 0xff);
    const change = {
      puts: [{ key: ['ua', serial], value: { serial, account } }],
      deletes: [],
      keeps: [{ serial, content }],
      drops: [],
      wakeAt: serial + 1,
    };
    try {
      version = await store.commit(account, version, change);
      tell('commit', account, serial, version);
    } catch (error) {
      tell('failed', error.code);
      version = await loadAgain(account);
    }
  }
}

async function loadAgain(account) {
  for (;;) {
    try {
      return (await store.load(account)).version;
    } catch (error) {
      if (error.code !== 'STORE_UNAVAILABLE') throw error;
      await setTimeout(5);
    }
  }
}

async function reserve() {
  for (;;) {
    try {
      tell('reserve', await store.reserve('serials', 3));
    } catch (error) {
      tell('failed', error.code);
      await setTimeout(5);
    }
  }
}

for (let n = 0; n < Number(writers); n++) void write(`user${n}@example.org`);
void reserve();
