/** The command `poste-restante verify sim`: days of a server among users and faults, in minutes. */

import { Command, InvalidArgumentError } from 'commander';
import { shrink } from '../verify/simulation-shrink.js';
import { faultKinds, simulate } from '../verify/simulator.js';
import type { FaultKind, SimulationOptions, SimulationResult } from '../verify/simulator.js';

interface Options {
  readonly seed: number;
  readonly hours: number;
  readonly users: number;
  readonly faults?: readonly FaultKind[];
  readonly json?: boolean;
  readonly shrink: boolean;
}

export function verifySimCommand(
  write = (text: string): unknown => process.stdout.write(text),
): Command {
  return new Command('sim')
    .description('runs the server among simulated users, networks and disks, and checks it')
    .option('--seed <n>', 'where chance comes from', number, 1)
    .option('--hours <n>', 'simulated hours', number, 6)
    .option('--users <n>', 'simulated users', number, 20)
    .option('--faults <list>', `of ${faultKinds.join(',')}`, kinds)
    .option('--no-shrink', 'leaves a failure as it is')
    .option('--json', 'one JSON value')
    .action(async (options: Options) => {
      const { seed, hours, users, faults } = options;
      const given = { seed, hours, users, ...(faults && { faults }) };
      const result = await simulate({ ...given, onHour: progress });
      process.exitCode = result.failure ? 1 : 0;
      if (options.json === true) write(`${JSON.stringify({ ...given, ...result })}\n`);
      else write(describe(given, result));
      if (!result.failure || !options.shrink || options.json === true) return;
      const smaller = await shrink(given, result.failure);
      write(`smaller: ${commandOf(smaller.options)}\n  ${smaller.failure.text}\n`);
    });
}

function progress(hour: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\rhour ${hour}`);
}

function describe(options: SimulationOptions, { figures, failure, seconds }: SimulationResult) {
  const words = Object.entries(figures).map(([name, figure]) => `${name} ${String(figure)}`);
  const lines = [commandOf(options), words.join(', '), `${seconds.toFixed(1)} s`];
  if (failure) lines.push(`VIOLATED in hour ${failure.hour.toFixed(2)}: ${failure.text}`);
  else lines.push('every property holds');
  return `${lines.join('\n')}\n`;
}

function commandOf({ seed, hours, users, faults }: SimulationOptions): string {
  const kindsOf = faults ? ` --faults ${faults.length === 0 ? 'none' : faults.join()}` : '';
  return `verify sim --seed ${seed} --hours ${hours} --users ${users}${kindsOf}`;
}

function number(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('a number is wanted');
  return Number(text);
}

function kinds(text: string): readonly FaultKind[] {
  if (text === 'none') return [];
  const given = text.split(',');
  const unknown = given.find((kind) => !(faultKinds as readonly string[]).includes(kind));
  if (unknown !== undefined) throw new InvalidArgumentError(`no kind of fault: ${unknown}`);
  return given as FaultKind[];
}
