/**
 * What stored messages cost when there are ten times more of them, and ten times more again.
 *
 * Filling the largest size takes longer than measuring it, and may be a run of its own:
 *
 *     node bench/fill.mjs --directory /var/tmp/filled --users 100000 --messages 10000000
 *     npm run bench -- scale --store /var/tmp/filled --messages 10000000
 *
 * The store is measured where it lies, and is not as it was before: copy it to measure it twice.
 */

import { execFile, execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createImClient } from '../../dist/client/connect.js';
import { loadgen } from '../lib/loadgen.mjs';
import { Ours } from '../lib/ours.mjs';
import { dropDirectory, freePort, newDirectory, storing, usageOf } from '../lib/processes.mjs';
import { quantile } from '../lib/statistics.mjs';
import { targetOf } from './servers.mjs';

export const about = 'growth from 10,000 stored messages on, in up to 100,000 mailboxes';

const fillProgram = fileURLToPath(new URL('../fill.mjs', import.meta.url));
const body = 200;
const mailboxes = 100_000;
/** Messages of each size that come by the wire. */
const sampleMax = 20_000;
/** Mailboxes of their own, for what empties them. */
const prefixes = { push: 'push', retrieval: 'fetch', expiry: 'e', deletion: 'big', other: 'o' };
const probeMessages = 20;
/** Messages that expire together, and those of the mailbox that is deleted. */
const expiringMax = 1_000_000;
const deletedMax = 200_000;
/** Of another user, while these go. */
const otherRate = 200;
const token = 'a-token-for-this-run';
const dayMs = 86_400_000;

export async function run(bench) {
  const most = bench.messages ?? (bench.quick ? 10_000 : 1_000_000);
  const admin = await freePort();
  const settings = {
    admin: { port: admin, tokens: [{ name: 'bench', token }], requestsPerMinute: 1_000_000 },
    limits: { quota: { messages: 1_000_000 } },
  };
  const server = Object.assign(new Ours({ settings }), { admin });
  await server.place();
  // What was filled before lies where its owner wants it.
  if (bench.store !== undefined) server.store = resolve(bench.store);
  try {
    const first = bench.store === undefined ? 10_000 : most;
    for (let size = first, stored = 0; size <= most; stored = size, size *= 10) {
      const figure = (unit, better, value, more = {}) =>
        bench.figure({
          ...{ who: 'ours', name: `${size} stored`, unit, better },
          ...{ loss: 0, values: [value], at: size, ...more },
        });
      const one = { bench, server, size, stored, figure };
      if (bench.store === undefined) await fill(one);
      await grow(one);
      await restart(one);
      await look(one);
      await expire(one);
      if (size * 10 > most) await remove(one);
      await server.stop();
    }
  } finally {
    await server.close();
  }
}

/** Most of them by `bench/fill.mjs`. */
async function fill({ bench, server, size, stored }) {
  const users = Math.min(mailboxes, size);
  const messages = size - stored - sampleOf(size);
  const took = await filled(bench, server, { users, first: stored, messages });
  bench.say(`scale ${size}: filled at ${Math.round(took.stored / took.seconds)}/s`);
}

function sampleOf(size) {
  return Math.min(sampleMax, size / 5);
}

/** The last ones by the wire; they come on top of what was filled in a run of its own. */
async function grow({ server, size, figure }) {
  const users = Math.min(mailboxes, size);
  const sample = sampleOf(size);
  await server.start();
  const load = { users, count: sample, outstanding: 64, body, hash: true };
  const {
    acked_per_s: rate,
    other,
    lost,
  } = await loadgen('store', { ...targetOf(server), ...load });
  figure('stored/s by the wire, any mailbox', 'more', rate, { loss: other + lost });
  figure('disk B per B of a body', 'less', octetsOn(server.store) / (size * body));
}

/** In a process of its own, so that nothing of it is left. */
async function filled(bench, server, options) {
  bench.say(`scale: storing ${options.messages}`);
  const args = Object.entries({
    ...{ directory: server.store, settings: server.file, body, domain: 'example.test' },
    ...options,
  }).map(([name, value]) => `--${name}=${value}`);
  const { stdout } = await promisify(execFile)(process.execPath, [fillProgram, ...args]);
  const result = JSON.parse(stdout);
  if (result.stored !== options.messages) throw new Error(`the fill has ended as ${stdout}`);
  return result;
}

async function restart({ server, figure }) {
  await server.kill();
  figure('ms from start to the first 202', 'less', await server.start(storing));
  figure('MB resident at the first 202', 'less', usageOf(server.pids).memory / 2 ** 20);
}

async function look({ bench, server, size, figure }) {
  bench.say(`scale ${size}: looking at it`);
  const load = { users: Math.min(mailboxes, size), body, rate: 500, hash: true };
  const duration = bench.quick ? 2 : 10;
  // What a start costs has a figure of its own.
  await loadgen('store', { ...targetOf(server), ...load, duration: duration / 2 });
  const at500 = await loadgen('store', { ...targetOf(server), ...load, duration });
  figure('p99 ms of the 202 at 500/s, any mailbox', 'less', at500.lat_us.p99 / 1000, {
    loss: at500.other + at500.lost,
  });
  figure(`ms to push ${probeMessages} messages`, 'less', await pushed(server, size));
  figure(`p99 ms to retrieve ${probeMessages} messages`, 'less', await retrieved(server, size));
  figure('MB resident', 'less', usageOf(server.pids).memory / 2 ** 20);
}

/**
 * Milliseconds until one mailbox among all has been pushed. Each size has its own: who has
 * registered before is still available, and nothing is stored for them.
 */
async function pushed(server, size) {
  const directory = newDirectory();
  const acked = join(directory, 'acknowledged');
  const own = { users: 1, prefix: `${prefixes.push}${size}x` };
  const count = probeMessages;
  await loadgen('store', {
    ...{ ...targetOf(server), ...own, count, outstanding: 8 },
    'ack-log': acked,
  });
  const {
    elapsed_s: seconds,
    expected,
    missing,
  } = await loadgen('collect', {
    ...{ ...targetOf(server), ...own, acked, idle: 5, 'third-party': true },
    'contact-port': await freePort(),
    'msrp-port': await freePort(),
  });
  dropDirectory(directory);
  const came = expected - missing;
  if (came < count) throw new Error(`${came} of ${count} messages were pushed`);
  return seconds * 1000;
}

/** The 99th percentile of 20 mailboxes retrieved one after the other; what is retrieved stays there. */
async function retrieved(server, size) {
  const users = 20;
  const prefix = `${prefixes.retrieval}${size}x`;
  const own = { users, prefix };
  const count = users * probeMessages;
  await loadgen('store', { ...targetOf(server), ...own, count, outstanding: 8 });
  const times = [];
  for (let user = 0; user < users; user++) {
    const client = createImClient({
      aor: `sip:${prefix}${String(user).padStart(8, '0')}@example.test`,
      server: { host: '127.0.0.1', port: server.port, transport: 'tcp' },
      identity: 'asserted',
    });
    await client.start();
    const began = performance.now();
    const { messages } = await client.retrieve();
    times.push(performance.now() - began);
    await client.stop();
    if (messages.length !== probeMessages) throw new Error(`retrieved ${messages.length}`);
  }
  return quantile(times, 0.99);
}

/** Messages of a week ago, all of them due when the server begins. */
async function expire({ bench, server, size, figure }) {
  const messages = Math.min(size, expiringMax);
  const users = Math.min(mailboxes, messages);
  await server.stop();
  await filled(bench, server, { users, messages, prefix: prefixes.expiry, ago: 8 * dayMs });
  bench.say(`scale ${size}: ${messages} expire`);
  await server.start(administered(server));
  const goneAtLeast = async () => (await metric(server, 'actors_messages_gone_total')) >= messages;
  const what = `while ${messages} expire`;
  const name = `${messages} expire: messages/s`;
  await meanwhile({ bench, server, figure }, { what, name, messages }, goneAtLeast);
}

/** One mailbox, by its operator. */
async function remove({ bench, server, size, figure }) {
  const messages = Math.min(size / 5, deletedMax);
  await server.stop();
  await filled(bench, server, { users: 1, messages, prefix: prefixes.deletion });
  await server.start(administered(server));
  bench.say(`scale ${size}: a mailbox of ${messages} is deleted`);
  const account = `/v1/accounts/${prefixes.deletion}00000000@example.test`;
  const what = `while a mailbox of ${messages} is deleted`;
  const name = `a mailbox of ${messages} is deleted: messages/s`;
  await administer(server, 'DELETE', `${account}/messages?all=true`);
  await meanwhile({ bench, server, figure }, { what, name, messages }, async () => {
    const { octets } = JSON.parse(await administer(server, 'GET', account));
    return octets === 0;
  });
}

/** Another user is written to until `isOver`. */
async function meanwhile({ bench, server, figure }, { what, name, messages }, isOver) {
  const end = new globalThis.AbortController();
  const load = { users: 1, prefix: prefixes.other, rate: otherRate, duration: 86_400, body };
  const began = performance.now();
  const other = loadgen('store', { ...targetOf(server), ...load }, { signal: end.signal });
  let unsorted = 0;
  while (!(await isOver())) {
    unsorted = Math.max(unsorted, await metric(server, 'store_unsorted_files'));
    await setTimeout(100);
  }
  const rate = (messages / (performance.now() - began)) * 1_000;
  // So many answers that they have a 99th percentile.
  await setTimeout(Math.max(0, 1_000 - (performance.now() - began)));
  end.abort();
  const { lat_us: latency, other: refused, lost, status } = await other;
  bench.say(`${what}: answers ${JSON.stringify(status)}, lost ${lost}, unsorted files ${unsorted}`);
  figure(name, 'more', rate);
  const loss = refused + lost;
  figure(`p99 ms of another user's 202 ${what}`, 'less', latency.p99 / 1000, { loss });
  figure(`longest ms of another user's 202 ${what}`, 'less', latency.max / 1000, { loss });
}

/** Its HTTP face is the last one that opens. */
function administered(server) {
  return async () => {
    for (;;) {
      const isThere = await administer(server, 'GET', '/metrics').then(
        () => true,
        () => false,
      );
      if (isThere) return;
      await setTimeout(10);
    }
  };
}

async function metric(server, name) {
  const text = await administer(server, 'GET', '/metrics');
  return Number(new RegExp(`^poste_restante_${name} (\\d+)`, 'm').exec(text)?.[1] ?? 0);
}

async function administer(server, method, path) {
  const answer = await globalThis.fetch(`http://127.0.0.1:${server.admin}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
  });
  if (!answer.ok) throw new Error(`${method} ${path} is answered ${answer.status}`);
  return answer.text();
}

function octetsOn(directory) {
  return Number(execFileSync('du', ['-sb', directory]).toString().split('\t')[0]);
}
