/**
 * What a mailbox of many messages costs another user while it is deleted at once, or expires at
 * once: `node bench/large-mailbox.mjs [messages] [directory of a build]`. The store is LevelDB with
 * fsync, SIP is simulated; another user's MESSAGE is answered all the time, and how long its 202
 * took is what is told.
 */

import { Buffer } from 'node:buffer';
import console from 'node:console';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { setImmediate, setTimeout } from 'node:timers/promises';

const count = Number(process.argv[2] ?? 100_000);
const build = resolve(process.argv[3] ?? 'dist');
const { createActors } = await import(`${build}/actors/node.js`);
const { settingsOf } = await import(`${build}/config.js`);
const { openLevelStore } = await import(`${build}/store/level.js`);
const { systemClock, systemRandom } = await import(`${build}/system.js`);
const { SimulatedMsrp, SimulatedSip } = await import(`${build}/testing/simulated-ports.js`);

const silent = () => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };
const directory = mkdtempSync(join(tmpdir(), 'poste-large-'));
const store = await openLevelStore({ directory, durability: 'fsync', log });
const { limits } = settingsOf({ limits: { quota: { messages: 1_000_000 } } });
let offset = 0;
const clock = {
  now: () => systemClock.now() + offset,
  after: (ms, call) => systemClock.after(ms, call),
};

let node;
let answered = () => undefined;

async function start() {
  const watch = (call) => {
    if (call.call === 'respond') answered(call.transaction, call.answer.status);
  };
  const sip = new SimulatedSip({ host: 'as1.example.net', watch });
  const msrp = new SimulatedMsrp({ host: '192.0.2.20', watch });
  const actors = createActors({
    ...{ store, sip, msrp, clock, log, limits, random: systemRandom },
    hostname: 's07.example.net',
    domains: ['example.net'],
    trustedPeers: ['127.0.0.0/8'],
    version: '0',
    bounds: { queue: 100_000 },
  });
  await actors.start();
  await sip.start(actors.sipHandler);
  await msrp.start(actors.msrpHandler);
  node = { sip, actors };
}

let number = 0;
function message(user, expires) {
  number++;
  const text =
    `MESSAGE sip:${user}@example.net SIP/2.0\r\n` +
    `Via: SIP/2.0/TCP ua.example.net;branch=z9hG4bK${number}\r\n` +
    `From: <sip:nia@example.net>;tag=n\r\nTo: <sip:${user}@example.net>\r\n` +
    `Call-ID: c${number}\r\nCSeq: 1 MESSAGE\r\nMax-Forwards: 70\r\n` +
    (expires === undefined ? '' : `Expires: ${expires}\r\n`) +
    `Content-Type: text/plain\r\nContent-Length: 200\r\n\r\n${'x'.repeat(200)}`;
  return node.sip.receive(Buffer.from(text).toString('latin1'));
}

async function fill(user, expires) {
  let open = 0;
  answered = () => open--;
  for (let i = 0; i < count; i++) {
    message(user, expires);
    open++;
    while (open >= 256) await setImmediate();
  }
  while (open > 0) await setImmediate();
  answered = silent;
}

/** Another user is written to until the mailbox is empty. */
async function measure(name, user) {
  const from = performance.now();
  const took = [];
  const sent = new Map();
  answered = (transaction, status) => {
    if (status === 202 && sent.has(transaction))
      took.push(performance.now() - sent.get(transaction));
    sent.delete(transaction);
  };
  for (let round = 0; ; round++) {
    const before = performance.now();
    sent.set(message('other'), before);
    await setTimeout(2);
    if (round % 50 === 49 && round > 500) {
      const { messages } = await node.actors.accounts.summary(`${user}@example.net`);
      if (messages === 0) break;
    }
  }
  const seconds = (performance.now() - from) / 1000;
  took.sort((one, other) => one - other);
  const at = (part) => took[Math.min(took.length - 1, Math.floor(took.length * part))].toFixed(1);
  const heap = Math.round(process.memoryUsage().rss / 2 ** 20);
  console.log(
    `${name}: ${count} messages in ${seconds.toFixed(1)} s; 202 of another user p50 ${at(0.5)} ms, ` +
      `p99 ${at(0.99)} ms, max ${at(1)} ms (${took.length} of them); RSS ${heap} MB`,
  );
}

await start();
await fill('tomas');
const stored = (await node.actors.accounts.summary('tomas@example.net')).messages;
console.log(`stored ${stored}`);
await measureIdle();
const accepted = performance.now();
await node.actors.accounts.deleteMessages(
  'tomas@example.net',
  Array.from({ length: count + 1_000 }, (_, serial) => serial + 1),
);
console.log(`deletion accepted after ${(performance.now() - accepted).toFixed(1)} ms`);
await measure('deleted', 'tomas');
await fill('bob', 86_400);
await node.actors.stop(5_000);
offset = 2 * 86_400_000;
await start();
await measure('expired', 'bob');
await node.actors.stop(5_000);
await store.close();
rmSync(directory, { recursive: true });

/** The same without anything else to do. */
async function measureIdle() {
  await measure('idle', 'nobody-wrote-to');
}
