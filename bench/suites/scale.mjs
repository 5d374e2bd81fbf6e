/** What stored messages cost when there are ten times more of them, and ten times more again. */

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createImClient } from '../../dist/client/connect.js';
import { loadgen } from '../lib/loadgen.mjs';
import { dropDirectory, freePort, newDirectory, usageOf } from '../lib/processes.mjs';
import { quantile } from '../lib/statistics.mjs';
import { closeAll, openAll, targetOf } from './servers.mjs';

export const about = 'growth from 10,000 stored messages on, in up to 100,000 mailboxes';

const body = 200;
const mailboxes = 100_000;
/** Mailboxes of their own, for what empties them. */
const probes = { push: 'push', retrieval: 'fetch' };
const probeMessages = 20;

export async function run(bench) {
  const most = bench.messages ?? (bench.quick ? 10_000 : 1_000_000);
  const servers = await openAll(bench, { peers: [] });
  const [server] = servers;
  try {
    let stored = 0;
    for (let size = 10_000; size <= most; size *= 10) {
      bench.say(`scale: storing up to ${size}`);
      const began = performance.now();
      const users = Math.min(mailboxes, size);
      const fill = { users, count: size - stored, 'first-seq': stored, outstanding: 64, body };
      const { acked, other, lost } = await loadgen('store', { ...targetOf(server), ...fill });
      const rate = (acked / (performance.now() - began)) * 1000;
      stored = size;
      bench.say(`scale: looking at ${size}`);
      await look(bench, server, `${size} stored`, { rate, loss: other + lost, size });
    }
  } finally {
    await closeAll(servers);
  }
}

async function look(bench, server, name, { rate, loss, size }) {
  const figure = (unit, better, value, more = {}) =>
    bench.figure({ who: 'ours', name, unit, better, loss: 0, values: [value], at: size, ...more });
  figure('stored/s while filling', 'more', rate, { loss });
  figure('disk B per B of a body', 'less', octetsOn(server.directory) / (size * body));
  await server.kill();
  const answering = await server.start();
  figure('ms from start to the first answer', 'less', answering);
  const load = { users: mailboxes, body, rate: 500, duration: bench.quick ? 2 : 10 };
  const at500 = await loadgen('store', { ...targetOf(server), ...load, prefix: 'x' });
  figure('p99 ms of the 202 at 500/s', 'less', at500.lat_us.p99 / 1000, {
    loss: at500.other + at500.lost,
  });
  figure(`ms to push ${probeMessages} messages`, 'less', await pushed(server));
  figure(`p99 ms to retrieve ${probeMessages} messages`, 'less', await retrieved(server));
  figure('MB resident', 'less', usageOf(server.pids).memory / 2 ** 20);
}

/** Milliseconds until one mailbox among all has been pushed. */
async function pushed(server) {
  const directory = newDirectory();
  const acked = join(directory, 'acknowledged');
  const own = { users: 1, prefix: probes.push };
  const count = probeMessages;
  await loadgen('store', {
    ...{ ...targetOf(server), ...own, count, outstanding: 8 },
    'ack-log': acked,
  });
  const { elapsed_s: seconds, missing } = await loadgen('collect', {
    ...{ ...targetOf(server), ...own, acked, idle: 5, 'third-party': true },
    'contact-port': await freePort(),
    'msrp-port': await freePort(),
  });
  dropDirectory(directory);
  if (missing > 0) throw new Error(`${missing} messages were not pushed`);
  return seconds * 1000;
}

/** The 99th percentile of 20 mailboxes retrieved one after the other. */
async function retrieved(server) {
  const users = 20;
  const own = { users, prefix: probes.retrieval };
  const count = users * probeMessages;
  await loadgen('store', { ...targetOf(server), ...own, count, outstanding: 8 });
  const times = [];
  for (let user = 0; user < users; user++) {
    const client = createImClient({
      aor: `sip:${probes.retrieval}${String(user).padStart(8, '0')}@example.test`,
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

function octetsOn(directory) {
  return Number(execFileSync('du', ['-sb', directory]).toString().split('\t')[0]);
}
