/**
 * `npm run fault -- [--kills 200] [--cuts 40] [--flips 400] [--flood 600] [--seed 1]`: the tests of
 * this folder, with as many faults as asked for, and what came of them as docs/faults.md. With
 * `--from file` the page of an earlier run.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    cuts: { type: 'string', default: '40' },
    flips: { type: 'string', default: '400' },
    flood: { type: 'string', default: '60' },
    seed: { type: 'string', default: '20261121' },
    only: { type: 'string', default: '' },
    from: { type: 'string' },
  },
});
const log = values.from ?? join(mkdtempSync(join(tmpdir(), 'poste-faults-')), 'faults.ndjson');
if (values.from === undefined) process.exitCode = run();
const lines = readFileSync(log, 'utf8')
  .split('\n')
  .filter((line) => line !== '');
const page = pageOf(lines.map((line) => JSON.parse(line)));
const file = 'docs/faults.md';
const options = { ...(await resolveConfig(file)), filepath: file };
if (values.only === '') writeFileSync(file, await format(page, options));
else process.stdout.write(page);

function run() {
  writeFileSync(log, '');
  process.stderr.write(`figures: ${log}\n`);
  const env = {
    FAULT_LOG: log,
    FAULT_KILLS: values.kills,
    FAULT_CUTS: values.cuts,
    FAULT_FLIPS: values.flips,
    FLOOD_SECONDS: values.flood,
    FAULT_SEED: values.seed,
  };
  const ran = spawnSync('npx', ['vitest', 'run', `test/fault/${values.only}`], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  return ran.status ?? 1;
}

function pageOf(faults) {
  const sections = faults.map(({ fault, ...figures }) => {
    const rows = Object.entries(figures).map(([name, value]) => `| ${wordsOf(name)} | ${value} |`);
    return [`## ${fault}`, '', '| what | how many |', '| --- | ---: |', ...rows, ''].join('\n');
  });
  return [
    '# Faults',
    '',
    'Written by `npm run fault`. The built server, a real LevelDB with fsync, real sockets; what a',
    'fault is and when it strikes is drawn from a seed. A *loss* is an acknowledged message that is',
    'not there, or not as it was sent; a *duplicate* one that is stored twice, comes again although',
    'the server had shown that it knew of its delivery, or a report that comes twice without a',
    'fault between; a *violation* anything else that no rule allows: a number used twice, something',
    'half there, a mailbox that does not know what it holds, a NOTIFY out of order, a report that',
    'is missing or has no reason. Deliveries and reports that are *repeated* are allowed: the fault',
    'came between the confirmation and its commit. All three have to be 0, and the tests fail else.',
    '',
    `Seed ${values.seed}; Node ${process.version}, Linux ${release()}, ${cpus().length} cores,`,
    'shared with other work.',
    '',
    ...sections,
    '## What cannot be seen',
    '',
    'A power cut is simulated where libc meets the kernel (`test/fault/disk.c`): octets are kept up to',
    'the last sync of their file, and changes of names in their order up to the last sync of anything,',
    'as file systems with an ordered journal do (ext4, XFS). LevelDB does not sync its directory when',
    'it begins a log; a file system that loses the name of a synced file loses the log.',
    '',
    'A flipped bit in the last record of a log cannot be told from a write that was torn. Numbers that',
    'a mailbox had handed out in a lost commit may be handed out again by this mailbox; those of the',
    'store are not. Flipped keys in a table can make LevelDB end the process when it compacts',
    '(counted as *aborted*): nothing is delivered wrongly, but the store has to be mended.',
    '',
  ].join('\n');
}

function wordsOf(name) {
  return name.replace(/([a-z])([A-Z])/g, (_, one, other) => `${one} ${other.toLowerCase()}`);
}
