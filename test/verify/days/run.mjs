/**
 * `npm run days -- [--seeds 1,2,3] [--hours 240] [--users 10] [--at-once 2]`: simulated days down
 * to the octets, a process for each seed, and their figures in `days.json` for
 * docs/verification.md; what is there of other seeds stays.
 */

import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '4,5' },
    hours: { type: 'string', default: '240' },
    users: { type: 'string', default: '10' },
    'at-once': { type: 'string', default: '2' },
  },
});
const { hours, users } = values;
const seeds = values.seeds.split(',');
const waiting = [...seeds];
const runs = [];
await Promise.all(Array.from({ length: Number(values['at-once']) }, work));
runs.sort((one, other) => one.seed - other.seed);
const broken = runs.filter(({ failure }) => failure);
for (const { seed, failure } of broken) process.stderr.write(`seed ${seed}: ${failure.text}\n`);
if (runs.length < seeds.length || broken.length > 0) process.exitCode = 1;
else {
  const file = new URL('days.json', import.meta.url);
  const others = JSON.parse(readFileSync(file, 'utf8')).runs.filter(
    ({ seed }) => !seeds.includes(String(seed)),
  );
  const record = { date: new Date().toISOString().slice(0, 10), runs: [...others, ...runs] };
  writeFileSync(file, `${JSON.stringify(record, null, 2)}\n`);
}

async function work() {
  for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
    const run = await simulate(seed);
    if (!run) continue;
    runs.push(run);
    process.stderr.write(`seed ${seed}: ${run.seconds.toFixed(0)} s\n`);
  }
}

/** What the command prints; undefined: it has died, and has said why. */
function simulate(seed) {
  const given = ['--wire', '--json', '--seed', seed, '--hours', hours, '--users', users];
  const command = ['dist/main.js', 'verify', 'sim', ...given];
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] });
  const parts = [];
  child.stdout.on('data', (part) => parts.push(part));
  return new Promise((resolve) => {
    child.on('close', () => {
      const text = Buffer.concat(parts).toString();
      resolve(text === '' ? undefined : JSON.parse(text));
    });
  });
}
