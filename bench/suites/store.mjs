/** Durable stores per second in a closed loop, and the time to the 202 in an open one. */

import { loadgen } from '../lib/loadgen.mjs';
import { metered } from '../lib/metered.mjs';
import { median } from '../lib/statistics.mjs';
import { notDurable } from '../peers/databases.mjs';
import { closeAll, openAll, targetOf } from './servers.mjs';

export const about = 'pager messages stored, each answered 202 when it is durable';

export const users = 1000;

export async function run(bench) {
  const servers = await openAll(bench);
  try {
    for (const server of servers) {
      await loadgen('store', { ...targetOf(server, 'udp'), users, duration: 1.5, outstanding: 16 });
    }
    for (const transport of bench.quick ? ['udp'] : ['udp', 'tcp']) {
      for (const body of bench.quick ? [200] : [200, 4096]) {
        const capacity = await closedLoop(bench, servers, transport, body);
        const durable = servers.filter(({ name }) => !isLazy(name));
        await openLoop(bench, durable, transport, body, { rate: 1000, what: '1000/s' });
        const half = Math.round(capacity / 2);
        const what = 'half of our capacity';
        if (half > 1000) await openLoop(bench, durable, transport, body, { rate: half, what });
      }
    }
  } finally {
    await closeAll(servers);
  }
}

/** Resolves with the capacity of ours. */
export async function closedLoop(bench, servers, transport, body) {
  const name = `${transport}, ${body} B, 64 outstanding`;
  const runs = await interleaved(bench, servers, `store ${name}`, (server) =>
    loadgen('store', {
      ...targetOf(server, transport),
      ...{ users, body, duration: bench.seconds, outstanding: 64 },
    }),
  );
  for (const [who, results] of runs) {
    const one = (unit, better, of) =>
      bench.figure({
        who,
        ...{ name, unit, better },
        ...outcomeOf(results),
        values: results.map(of),
      });
    one('stored/s', 'more', ({ acked_per_s: rate }) => rate);
    one('µs CPU per store', 'less', ({ cpuSeconds, acked }) => (cpuSeconds / acked) * 1e6);
    one('p50 ms', 'less', ({ lat_us: { p50 } }) => p50 / 1000);
    one('p99 ms', 'less', ({ lat_us: { p99 } }) => p99 / 1000);
    one('MB resident', 'less', ({ memory }) => memory / 2 ** 20);
  }
  return median((runs.get('ours') ?? []).map(({ acked_per_s: rate }) => rate));
}

async function openLoop(bench, servers, transport, body, { rate, what }) {
  const name = `${transport}, ${body} B, ${what} offered`;
  const runs = await interleaved(bench, servers, `store ${name}`, (server) =>
    loadgen('store', {
      ...targetOf(server, transport),
      users,
      body,
      duration: bench.seconds,
      rate,
    }),
  );
  for (const [who, results] of runs) {
    const one = (unit, of) =>
      bench.figure({
        ...{ who, name, unit, better: 'less', rate },
        ...outcomeOf(results),
        values: results.map(of),
      });
    one('p50 ms', ({ lat_us: { p50 } }) => p50 / 1000);
    one('p99 ms', ({ lat_us: { p99 } }) => p99 / 1000);
  }
}

/** Every server in turn, as often as asked for, so that what the machine does else meets all. */
async function interleaved(bench, servers, title, once) {
  const runs = new Map(servers.map(({ name }) => [name, []]));
  for (let repetition = 1; repetition <= bench.repetitions; repetition++) {
    for (const server of servers) {
      bench.say(`${title}: ${server.name}, ${repetition} of ${bench.repetitions}`);
      runs.get(server.name).push(await metered(server.pids, () => once(server)));
    }
  }
  return runs;
}

/** Requests that were refused or never answered: a rate without them would be a lie. */
function outcomeOf(results) {
  const sum = (of) => results.reduce((total, result) => total + of(result), 0);
  return {
    loss: sum(({ other, lost, unanswered }) => other + lost + unanswered),
    noise: Math.max(...results.map(({ noise }) => noise)),
    fsyncUs: median(results.map(({ fsyncUs }) => fsyncUs)),
  };
}

function isLazy(name) {
  return notDurable.has(name.replace('kamailio/', ''));
}
