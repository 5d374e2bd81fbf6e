/** From `kill -9` to the first 202, with many messages stored. */

import { setTimeout } from 'node:timers/promises';
import { loadgen } from '../lib/loadgen.mjs';
import { notDurable } from '../peers/databases.mjs';
import { closeAll, openAll, outstandingFor, targetOf } from './servers.mjs';

export const about = 'kill -9 under load and a start on the same store';

const users = 10_000;

export async function run(bench) {
  const count = bench.messages ?? (bench.quick ? 5_000 : 1_000_000);
  const peers = bench.peers.filter((name) => name === 'postgresql' && !notDurable.has(name));
  const servers = await openAll(bench, { peers });
  const repetitions = Math.min(bench.repetitions, 3);
  try {
    for (const server of servers) {
      bench.say(`recovery: ${server.name} stores ${count} messages`);
      const outstanding = outstandingFor(server, 64);
      await loadgen('store', { ...targetOf(server), users, count, outstanding });
      const results = [];
      for (let repetition = 1; repetition <= repetitions; repetition++) {
        bench.say(`recovery: ${server.name}, ${repetition} of ${repetitions}`);
        results.push(await killed(server));
      }
      tell(bench, server.name, count, results);
    }
  } finally {
    await closeAll(servers);
  }
}

async function killed(server) {
  const riding = loadgen('store', {
    ...targetOf(server),
    ...{ users, duration: 8, outstanding: 16, timeout: 20, ride: true },
  });
  await setTimeout(2500);
  await server.kill();
  const answered = await server.start();
  const { max_gap_ms: gap, other, lost } = await riding;
  return { answered, gap, loss: other + lost };
}

function tell(bench, who, count, results) {
  const name = `${count} stored`;
  const loss = results.reduce((total, result) => total + result.loss, 0);
  const one = (unit, of) =>
    bench.figure({ who, name, unit, better: 'less', loss, values: results.map(of) });
  one('ms to the first answer', ({ answered }) => answered);
  one('ms without a 202', ({ gap }) => gap);
}
