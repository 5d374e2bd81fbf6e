/**
 * Runs scripts of package.json beside each other, in lanes: `beside.mjs types,format lint`. A lane
 * runs its scripts one after the other, and ends with the first that fails. What a script writes
 * is printed whole when it has ended; the exit code is 1 when one of them has failed.
 */

import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';

/** Resolves with whether it went well. */
function run(script) {
  const began = performance.now();
  const child = spawn('npm', ['run', '--silent', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => said.push(chunk));
  return new Promise((resolve) => {
    child.on('error', (error) => said.push(Buffer.from(`${error.message}\n`)));
    child.on('close', (code) => {
      const seconds = ((performance.now() - began) / 1_000).toFixed(1);
      process.stdout.write(Buffer.concat(said));
      console.log(`${script}: ${code === 0 ? 'passed' : 'FAILED'} in ${seconds} s`);
      resolve(code === 0);
    });
  });
}

async function lane(scripts) {
  for (const script of scripts) if (!(await run(script))) return false;
  return true;
}

const lanes = process.argv.slice(2).map((names) => names.split(','));
const passed = await Promise.all(lanes.map(lane));
process.exitCode = passed.every(Boolean) ? 0 : 1;
