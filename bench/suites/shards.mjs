/** Stores per second of one process beside those of two shards, on the same cores. */

import { loadgen } from '../lib/loadgen.mjs';
import { closeAll, openAll, targetOf } from './servers.mjs';
import { closedLoop, users } from './store.mjs';

export const about = 'one process and two shards, in turn';

const ours = { ours: [], 'ours, 2 shards': ['--shards=2'] };
/** Messages until the code of one process is compiled; a shard gets its part of them only. */
const warming = 15_000;

export async function run(bench) {
  const servers = await openAll(bench, { ours, peers: [] });
  const transports = bench.quick ? ['udp'] : ['udp', 'tcp'];
  try {
    for (const [index, server] of servers.entries()) {
      const count = bench.quick ? 500 : (warming * (index + 1)) / transports.length;
      for (const transport of transports) {
        bench.say(`shards: warming ${server.name} over ${transport}`);
        await loadgen('store', { ...targetOf(server, transport), users, count, outstanding: 64 });
      }
    }
    for (const transport of transports) await closedLoop(bench, servers, transport, 200);
  } finally {
    await closeAll(servers);
  }
}
