/** Programs that measure one part each, in a process of their own. */

import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

export const about = 'one part at a time: parser, transaction, step, commit, then a MESSAGE';

/** Each prints one line of JSON per figure when asked to. */
const programs = ['wire', 'transactions', 'step', 'commits', 'message'];

export async function run(bench) {
  for (const name of programs) {
    bench.say(`micro: ${name}`);
    const program = fileURLToPath(new URL(`../micro/${name}.mjs`, import.meta.url));
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', program], {
      encoding: 'utf8',
      env: { ...process.env, BENCH_SECONDS: bench.quick ? '0.2' : '1.5' },
    });
    if (status !== 0) throw new Error(`${name}: ${stderr}`);
    for (const line of stdout.split('\n').filter((text) => text.startsWith('{'))) {
      bench.figure({ who: 'ours', loss: 0, ...JSON.parse(line) });
    }
  }
}
