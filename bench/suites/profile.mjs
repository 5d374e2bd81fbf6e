/** Where the CPU of one stored MESSAGE goes, at full load and one by one. */

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadgen } from '../lib/loadgen.mjs';
import { Ours } from '../lib/ours.mjs';
import { dropDirectory, newDirectory } from '../lib/processes.mjs';
import { sharesOf } from '../lib/steps.mjs';
import { targetOf } from './servers.mjs';

export const about = 'a CPU profile of a stored MESSAGE, by the folders of the sources';

const profiler = fileURLToPath(new URL('../lib/profiler.mjs', import.meta.url));
const load = { users: 1000, body: 200 };
/** Messages until the code is compiled. */
const warming = 40_000;
const functionsTold = 15;

export async function run(bench) {
  const directory = newDirectory();
  const file = join(directory, 'profile');
  process.env['BENCH_PROFILE'] = file;
  const server = await new Ours({ node: ['--import', profiler] }).open();
  try {
    bench.say('profile: warming');
    const count = bench.quick ? 500 : warming;
    await loadgen('store', { ...targetOf(server), ...load, count, outstanding: 64 });
    await look({ bench, server, file }, 'udp, 200 B, 64 outstanding', { outstanding: 64 });
    await look({ bench, server, file }, 'udp, 200 B, 1000/s offered', { rate: 1000 });
  } finally {
    await server.close();
    dropDirectory(directory);
  }
}

async function look({ bench, server, file }, name, offered) {
  const profiles = [];
  for (let repetition = 1; repetition <= bench.repetitions; repetition++) {
    bench.say(`profile ${name}: ${repetition} of ${bench.repetitions}`);
    process.kill(server.child.pid, 'SIGUSR2');
    const duration = bench.seconds;
    const { other, lost } = await loadgen('store', {
      ...{ ...targetOf(server), ...load, ...offered, duration },
    });
    process.kill(server.child.pid, 'SIGUSR2');
    profiles.push({ ...sharesOf(await profileIn(file)), loss: other + lost });
  }
  const loss = profiles.reduce((sum, one) => sum + one.loss, 0);
  for (const [step] of profiles[0].steps) {
    const values = profiles.map(({ steps }) => 100 * shareOf(steps, step));
    bench.figure({
      ...{ who: 'ours', name: `${name}: ${step}`, unit: '% of the main thread', better: 'less' },
      ...{ loss, values },
    });
  }
  for (const [what, share] of profiles[0].functions.slice(0, functionsTold)) {
    bench.say(`${(100 * share).toFixed(1).padStart(5)} %  ${what}`);
  }
}

function shareOf(steps, step) {
  return steps.find(([name]) => name === step)?.[1] ?? 0;
}

async function profileIn(file) {
  while (!existsSync(file)) await setTimeout(20);
  const profile = JSON.parse(readFileSync(file, 'utf8'));
  rmSync(file);
  return profile;
}
