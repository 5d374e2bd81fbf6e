/** The command `poste-restante verify sim`: days of a server among users and faults, in minutes. */

import { Command, InvalidArgumentError } from 'commander';
import { shrink, shrinkRun } from '../verify/simulation-shrink.js';
import type { SimulationFailure } from '../verify/simulation-shrink.js';
import { wireFaultKinds } from '../verify/simulation/wire-options.js';
import { simulateWire } from '../verify/simulation/wire-simulator.js';
import { faultKinds, simulate } from '../verify/simulator.js';

interface Asked {
  readonly seed: number;
  readonly hours: number;
  readonly users: number;
  readonly faults?: readonly string[];
}

interface Options extends Asked {
  readonly wire?: boolean;
  readonly json?: boolean;
  readonly shrink: boolean;
}

/** What every simulation tells. */
interface Told {
  readonly counts: Readonly<Record<string, number>>;
  readonly failure: SimulationFailure | undefined;
  readonly seconds: number;
  readonly digest?: string;
}

/** One of the two, with the kinds of its faults checked. */
interface Simulation {
  readonly run: (onHour: (hour: number) => void) => Promise<Told>;
  readonly shrink: (failure: SimulationFailure) => Promise<[Asked, SimulationFailure]>;
}

export function verifySimCommand(
  write = (text: string): unknown => process.stdout.write(text),
): Command {
  return new Command('sim')
    .description('runs the server among simulated users, networks and disks, and checks it')
    .option('--wire', 'down to the octets: transports, clients, datagrams, streams and a log')
    .option('--seed <n>', 'where chance comes from', number, 1)
    .option('--hours <n>', 'simulated hours', number, 6)
    .option('--users <n>', 'simulated users', number, 20)
    .option('--faults <list>', `of ${faultKinds.join()}; with --wire ${wireFaultKinds.join()}`)
    .option('--no-shrink', 'leaves a failure as it is')
    .option('--json', 'one JSON value')
    .action(async (options: Omit<Options, 'faults'> & { readonly faults?: string }) => {
      const { seed, hours, users, faults, wire = false } = options;
      const known = wire ? wireFaultKinds : faultKinds;
      const given = { seed, hours, users, ...(faults && { faults: kinds(faults, known) }) };
      const simulation = wire ? wireSimulation(given) : actorSimulation(given);
      const told = await simulation.run(progress);
      process.exitCode = told.failure ? 1 : 0;
      if (options.json === true) write(`${JSON.stringify({ ...given, ...told, ...used() })}\n`);
      else write(describe(given, wire, told));
      if (!told.failure || !options.shrink || options.json === true) return;
      const [smaller, failure] = await simulation.shrink(told.failure);
      write(`smaller: ${commandOf(smaller, wire)}\n  ${failure.text}\n`);
    });
}

function actorSimulation(asked: Asked): Simulation {
  const options = asked as Parameters<typeof simulate>[0];
  return {
    run: async (onHour) => {
      const { figures, failure, seconds } = await simulate({ ...options, onHour });
      return { counts: { ...figures }, failure, seconds };
    },
    shrink: async (failure) => {
      const smaller = await shrink(options, failure);
      return [smaller.options, smaller.failure];
    },
  };
}

function wireSimulation(asked: Asked): Simulation {
  const options = asked as Parameters<typeof simulateWire>[0];
  return {
    run: async (onHour) => {
      const result = await simulateWire({ ...options, onHour });
      const { figures, traffic, disk, failure, seconds, digest } = result;
      return { counts: { ...figures, ...traffic, ...disk }, failure, seconds, digest };
    },
    shrink: async (failure) => {
      const simulation = { run: simulateWire, kinds: wireFaultKinds };
      const smaller = await shrinkRun(simulation, { options, failure });
      return [smaller.options, smaller.failure];
    },
  };
}

/** What the process has taken of the machine so far. */
function used(): { readonly cpuSeconds: number; readonly memoryMiB: number } {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  return { cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, memoryMiB: maxRSS / 1024 };
}

function progress(hour: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\rhour ${hour}`);
}

function describe(asked: Asked, wire: boolean, { counts, failure, seconds, digest }: Told): string {
  const words = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  const lines = [commandOf(asked, wire), words.join(', '), `${seconds.toFixed(1)} s`];
  if (wire) lines.push(repeatsIn(counts));
  if (digest !== undefined) lines.push(`digest ${digest}`);
  if (failure) lines.push(`VIOLATED in hour ${failure.hour.toFixed(2)}: ${failure.text}`);
  else lines.push('every property holds');
  return `${lines.join('\n')}\n`;
}

/** What came more than once, and why that is as it should be. */
function repeatsIn(counts: Told['counts']): string {
  const { delivered = 0, repeated = 0, retrievedAgain = 0 } = counts;
  const { pushedUnconfirmed = 0, pushedUnheard = 0, pushedUnwritten = 0 } = counts;
  return [
    `${repeated} of ${delivered} deliveries were of messages that had come before:`,
    `${retrievedAgain} retrieved, for what is retrieved is kept;`,
    `${pushedUnconfirmed} pushed, for nobody had confirmed them,`,
    `${pushedUnheard} for the confirmation was lost, ${pushedUnwritten} for it was not written`,
  ].join(' ');
}

function commandOf({ seed, hours, users, faults }: Asked, wire: boolean): string {
  const kindsOf = faults ? ` --faults ${faults.length === 0 ? 'none' : faults.join()}` : '';
  const down = wire ? ' --wire' : '';
  return `verify sim${down} --seed ${seed} --hours ${hours} --users ${users}${kindsOf}`;
}

function number(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('a number is wanted');
  return Number(text);
}

function kinds(text: string, known: readonly string[]): readonly string[] {
  if (text === 'none') return [];
  const given = text.split(',');
  const unknown = given.find((kind) => !known.includes(kind));
  if (unknown !== undefined) throw new InvalidArgumentError(`no kind of fault: ${unknown}`);
  return given;
}
