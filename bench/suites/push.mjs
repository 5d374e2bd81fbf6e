/** Stored messages until they have arrived, from the registration of their users. */

import { join } from 'node:path';
import { loadgen } from '../lib/loadgen.mjs';
import { metered } from '../lib/metered.mjs';
import { dropDirectory, freePort, newDirectory } from '../lib/processes.mjs';
import { notDurable } from '../peers/databases.mjs';
import { closeAll, openAll, outstandingFor, targetOf } from './servers.mjs';

export const about = 'stored messages delivered at registration, ours over MSRP, msilo by MESSAGE';

/** Users and messages of each. */
const shapes = [
  [1, 10_000],
  [1000, 10],
];
const quickShapes = [[100, 10]];

export async function run(bench) {
  const peers = bench.peers.filter((name) => !notDurable.has(name));
  for (const [users, each] of bench.quick ? quickShapes : shapes) {
    const name = `${users} × ${each} messages`;
    const runs = new Map();
    for (let repetition = 1; repetition <= bench.repetitions; repetition++) {
      for (const who of ['ours', ...peers]) {
        bench.say(`push ${name}: ${who}, ${repetition} of ${bench.repetitions}`);
        const result = await once(bench, who, users, each);
        runs.set(result.who, [...(runs.get(result.who) ?? []), result]);
      }
    }
    for (const [who, results] of runs) tell(bench, who, name, results);
  }
}

async function once(bench, who, users, each) {
  const ours = who === 'ours' ? { ours: [] } : {};
  const peers = who === 'ours' ? [] : [who];
  const servers = await openAll(bench, { ours, peers, children: 8 });
  const directory = newDirectory();
  try {
    const [server] = servers;
    const acked = join(directory, 'acknowledged');
    const stored = await loadgen('store', {
      ...targetOf(server),
      ...{ users, count: users * each, outstanding: outstandingFor(server, 32) },
      'ack-log': acked,
      timeout: 30,
    });
    const collect = {
      ...targetOf(server),
      ...{ users, acked, window: 50, idle: 10 },
      'contact-port': await freePort(),
      'msrp-port': await freePort(),
      'third-party': server.name === 'ours',
    };
    const result = await metered(server.pids, () => loadgen('collect', collect), { once: true });
    return { who: server.name, ...result, notStored: stored.other + stored.lost };
  } finally {
    await closeAll(servers);
    dropDirectory(directory);
  }
}

function tell(bench, who, name, results) {
  const sum = (of) => results.reduce((total, result) => total + of(result), 0);
  const outcome = {
    loss: sum(({ missing }) => missing),
    duplicates: sum(({ duplicate_deliveries: count }) => count),
    disorder: sum(({ order_violations: count }) => count),
    noise: Math.max(...results.map(({ noise }) => noise)),
  };
  const one = (unit, better, of) =>
    bench.figure({ who, name, unit, better, ...outcome, values: results.map(of) });
  one('delivered/s', 'more', ({ per_s: rate }) => rate);
  one('µs CPU per delivery', 'less', ({ cpuSeconds, delivered_unique: count }) =>
    count === 0 ? Infinity : (cpuSeconds / count) * 1e6,
  );
}
