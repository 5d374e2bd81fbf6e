/** Keeps large contents as it is told, a line for each: `keep 1` whole, `begin 2` without an end. */

import { writeSync } from 'node:fs';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { openLevelStore } from '../../dist/store/level.js';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const [directory, text] = process.argv.slice(2);
const size = Number(text);
const bob = 'bob@example.org';
const store = await openLevelStore({ directory, durability: 'fsync', log: silent, retryMs: 0 });

/** Uploads that are begun, by serial. */
const begun = new Map();

writeSync(1, 'ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  const [what, serial] = line.split(' ');
  const outcome = await keep(what, Number(serial)).catch(({ code }) => code);
  writeSync(1, `${outcome}\n`);
}

async function keep(what, serial) {
  if (what === 'drop') return drop(serial);
  if (what === 'finish')
    return begun
      .get(serial)
      .finish(size)
      .then(() => 'finished');
  const upload = await store.upload(bob);
  const octets = Buffer.alloc(65_536, serial);
  try {
    for (let at = 0; at < size; at += octets.length) {
      await upload.write(at, octets.subarray(0, Math.min(octets.length, size - at)));
    }
    if (what === 'begin') {
      begun.set(serial, upload);
      return 'begun';
    }
    await upload.finish(size);
  } catch (error) {
    await upload.abort().catch(() => undefined);
    throw error;
  }
  const { version } = await store.load(bob);
  await store.commit(bob, version, {
    ...{ deletes: [], drops: [], keeps: [{ serial, content: upload.id }] },
    puts: [{ key: ['ua', serial], value: { a: 1 } }],
  });
  store.release(bob);
  return 'kept';
}

/** Its octets have gone too when it has answered. */
async function drop(serial) {
  const { version } = await store.load(bob);
  const deletes = [['ua', serial]];
  await store.commit(bob, version, { puts: [], deletes, keeps: [], drops: [serial] });
  store.release(bob);
  await store.sweep(1);
  return 'dropped';
}
