/** A directory of many accounts: how long it takes to fill, to open, and to look somebody up. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog, openLevelStore } from '../dist/index.js';

const accounts = Number(process.argv[2] ?? 1_000_000);
const lookups = 100_000;
const directory = mkdtempSync(join(tmpdir(), 'poste-provisioning-'));
const open = () => openLevelStore({ directory, durability: 'os', log: createLog('silent') });
const nameOf = (number) => `user${String(number).padStart(8, '0')}@example.net`;
const report = (what, value) => console.log(`${what.padEnd(44)} ${value}`);
const rss = () => `${Math.round(process.memoryUsage.rss() / 1024 / 1024)} MiB`;

function timed(identities) {
  let found = 0;
  const begin = process.hrtime.bigint();
  for (const identity of identities) if (store.provisioning.find(identity)) found++;
  const micros = Number(process.hrtime.bigint() - begin) / 1000 / identities.length;
  return `${micros.toFixed(2)} µs each, ${found} found`;
}

let store = await open();
try {
  const begin = Date.now();
  const atOnce = 1_000;
  for (let from = 0; from < accounts; from += atOnce) {
    const some = Array.from({ length: Math.min(atOnce, accounts - from) }, (_, index) => ({
      account: nameOf(from + index),
      identities: [`+1${String(from + index).padStart(10, '0')}`],
      disabled: false,
      limits: {},
    }));
    await Promise.all(some.map((record) => store.provisioning.put(record)));
  }
  report(`${accounts} accounts written`, `${((Date.now() - begin) / 1000).toFixed(1)} s`);
  await store.close();
  const opening = Date.now();
  store = await open();
  report('open', `${Date.now() - opening} ms, ${rss()}`);
  const drawn = Array.from({ length: lookups }, () => Math.floor(Math.random() * accounts));
  report('first look-up, by AoR', timed(drawn.map(nameOf)));
  report(
    'first look-up, by number',
    timed(drawn.map((one) => `+1${String(one).padStart(10, '0')}`)),
  );
  report('first look-up, of nobody', timed(drawn.map((one) => `eve${one}@example.net`)));
  const known = drawn.slice(0, 50_000).map((one) => `eve${one}@example.net`);
  timed(known);
  report('look-up again', timed(known));
  report('memory then', rss());
} finally {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
}
