/**
 * The benchmarks: `npm run bench`, or some of them: `npm run bench -- store push`. `--peers` adds
 * Kamailio msilo where its Debian packages are installed. Every figure is printed with its spread
 * and appended to bench/history; `--page` writes docs/performance.md from what was kept.
 */

import console from 'node:console';
import process from 'node:process';
import { Command, InvalidArgumentError } from 'commander';
import { figureOf, keep, kept, tableOf } from './lib/figures.mjs';
import { buildLoadgen } from './lib/loadgen.mjs';
import { machine, peerVersions } from './lib/machine.mjs';
import { writePage } from './page.mjs';
import { databases, missingFor } from './peers/databases.mjs';

const suites = [
  'micro',
  'profile',
  'store',
  'shards',
  'push',
  'large',
  'sessions',
  'recovery',
  'scale',
];

const program = new Command('bench')
  .argument('[suite...]', `some of: ${suites.join(', ')}; all when absent`)
  .option('--peers [databases]', `beside Kamailio msilo on ${Object.keys(databases).join(',')}`)
  .option('--repetitions <n>', 'interleaved repetitions', positive, 5)
  .option('--seconds <n>', 'of one run of the suite store', positive, 5)
  .option('--messages <n>', 'of the suites recovery and scale', positive)
  .option('--store <directory>', 'filled by bench/fill.mjs: the suite scale measures this one size')
  .option('--megabytes <n>', 'of the suite large', positive)
  .option('--quick', 'a look at whether everything runs: small, once')
  .option('--no-history', 'keeps nothing')
  .option('--page', 'writes docs/performance.md from what is kept, after the suites named');

function positive(text) {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('a positive number is needed');
  return value;
}

program.parse();
const options = program.opts();
const chosen = program.args.length > 0 || options.page ? program.args : suites;
for (const name of chosen) {
  if (!suites.includes(name)) program.error(`there is no suite "${name}": ${suites.join(', ')}`);
}

/** Progress goes to standard error, so that standard output is the table. */
const began = Date.now();
function say(text) {
  const seconds = Math.round((Date.now() - began) / 1000);
  console.error(`${String(seconds).padStart(5)} s  ${text}`);
}

function peersOf(asked) {
  if (asked === undefined) return [];
  const names =
    asked === true ? ['postgresql', 'sqlite-wal', 'postgresql-async'] : asked.split(',');
  return names.filter((name) => {
    if (!(name in databases)) program.error(`there is no peer "${name}"`);
    const missing = missingFor(name);
    if (missing.length > 0) say(`without ${name}: ${missing.join(', ')} is not installed`);
    return missing.length === 0;
  });
}

const peers = peersOf(options.peers);
const run = new Date(began).toISOString();
const figures = [];
if (chosen.length > 0) {
  buildLoadgen();
  const on = { run, machine: machine(), peers: peers.length > 0 ? peerVersions() : {} };
  // Where a store was says nothing to others.
  const words = process.argv
    .slice(2)
    .map((word, at, all) =>
      all[at - 1] === '--store'
        ? '<directory>'
        : word.replace(/^--store=.*/, '--store=<directory>'),
    );
  const command = ['npm run bench --', ...words].join(' ');
  if (options.history) keep({ ...on, command });
}
for (const name of chosen) {
  const suite = await import(`./suites/${name}.mjs`);
  say(`${name}: ${suite.about}`);
  await suite.run({
    quick: options.quick === true,
    repetitions: options.quick ? 1 : options.repetitions,
    seconds: options.quick ? 1 : options.seconds,
    messages: options.messages,
    megabytes: options.megabytes,
    store: options.store,
    peers,
    say,
    figure(figure) {
      const line = figureOf(run, name, figure);
      figures.push(line);
      if (options.history) keep(line);
    },
  });
}
if (figures.length > 0) for (const row of tableOf(figures)) console.log(row);
if (options.page) await writePage(kept());
process.exit(0);
