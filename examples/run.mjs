// Runs every example and fails when one does.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const runs = [
  ...readdirSync(folder)
    .filter((name) => name.endsWith('.mjs') && name !== 'run.mjs')
    .map((name) => [name, [folder + name]]),
  ['poste.yaml', [main, 'serve', '--config', `${folder}poste.yaml`, '--print-config']],
];

let failed = 0;
for (const [name, args] of runs) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    timeout: 300_000,
  });
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'} examples/${name}`);
  if (status !== 0) {
    failed++;
    console.log(stdout, stderr);
  }
}
process.exitCode = failed === 0 ? 0 : 1;
