/** The command `poste-restante verify explore`: every reachable state of a bounded account. */

import { readFileSync, writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { defaultBounds } from '../verify/bounded-account.js';
import type { Bounds } from '../verify/bounded-account.js';
import { counterexampleFile, readCounterexample, replay } from '../verify/counterexample.js';
import { explore } from '../verify/explorer.js';
import type { Exploration, Statistics } from '../verify/explorer.js';
import { goals, invariants, stepProperties } from '../verify/invariants.js';

const boundNames = Object.keys(defaultBounds) as (keyof Bounds)[];

const meanings: Record<keyof Bounds, string> = {
  messages: 'messages that are submitted',
  registrations: 'REGISTERs, those that end a registration included',
  sessions: 'retrievals by the client',
  subscriptions: 'subscriptions to message waiting',
  deletions: 'requests to delete a message',
  operations: 'pauses, resumptions, pushes at once and requeues by an operator',
  crashes: 'crashes, failed commits and passivations',
  faults: 'refusals, losses and slowness of peers',
  repeats: 'submissions that come again',
  passages: 'messages and INVITEs that may be passed on to a user who is there',
  offers: 'large messages that somebody offers',
  watchers: 'subscriptions to the conference of a retrieval',
  imports: 'messages from another store, new and read',
};

type Options = Record<keyof Bounds, number> & {
  readonly states: number;
  readonly replay?: string;
  readonly output?: string;
  readonly json?: boolean;
};

export function verifyExploreCommand(
  write = (text: string): unknown => process.stdout.write(text),
): Command {
  const command = new Command('explore').description(
    'goes through every reachable state of a bounded account and checks all properties in each',
  );
  for (const name of boundNames) {
    command.option(`--${name} <n>`, meanings[name], count, defaultBounds[name]);
  }
  return command
    .option('--states <n>', 'states that are looked at, at most', count, 2_000_000)
    .option('--replay <file>', 'makes the steps of a counterexample again')
    .option('--output <file>', 'where a counterexample is written', 'counterexample.json')
    .option('--json', 'one JSON value')
    .action((options: Options) => {
      process.exitCode = options.replay === undefined ? run(options, write) : again(options, write);
    });
}

type Write = (text: string) => unknown;

function run(options: Options, write: Write): number {
  const bounds = Object.fromEntries(boundNames.map((name) => [name, options[name]]));
  const exploration = explore({
    bounds: bounds as unknown as Bounds,
    statesMax: options.states,
    onProgress: (statistics) => progress(statistics),
  });
  const { counterexample } = exploration;
  if (counterexample && options.output !== undefined) {
    writeFileSync(options.output, counterexampleFile(counterexample));
  }
  if (options.json === true) write(`${JSON.stringify(exploration)}\n`);
  else write(describe(exploration, options.output));
  if (counterexample) return 1;
  return exploration.complete ? 0 : 2;
}

/** Where nobody reads along there is no progress to be seen. */
function progress({ states, depth, transitions }: Statistics): void {
  if (!process.stderr.isTTY) return;
  process.stderr.write(`\r${states} states, ${depth} steps deep, ${transitions} transitions`);
}

function describe({ statistics, complete, counterexample }: Exploration, output?: string): string {
  const { states, depth, transitions, turns, crashes, open, seconds } = statistics;
  const lines = [
    `${states} states, ${transitions} transitions, ${depth} steps deep`,
    `${turns} turns, ${crashes} crashes and failed commits, ${seconds.toFixed(1)} s`,
  ];
  if (counterexample) {
    const { property, text } = counterexample;
    lines.push('', ...replay(counterexample).lines, '', `VIOLATED ${property}: ${text}`);
    if (output !== undefined) lines.push(`replay with: verify explore --replay ${output}`);
  } else if (complete) {
    const names: string[] = Object.values(stepProperties);
    for (const { statement } of [...invariants, ...goals]) names.push(statement);
    lines.push('', ...names.map((name) => `holds: ${name}`));
  } else lines.push(`${open} states were not looked at: raise --states`);
  return `${lines.join('\n')}\n`;
}

/** 0 when nothing is wrong on the way any more; of a goal the end of the path is shown only. */
function again({ replay: file, json }: Options, write: Write): number {
  const counterexample = readCounterexample(readFileSync(file!, 'utf8'));
  const { lines, breach } = replay(counterexample);
  if (json === true) write(`${JSON.stringify({ breach: breach ?? null })}\n`);
  else {
    const verdict = breach ? `VIOLATED ${breach.property}: ${breach.text}` : 'nothing is violated';
    const { property, text } = counterexample;
    write(`${[...lines, '', `recorded: ${property}: ${text}`, verdict].join('\n')}\n`);
  }
  return breach ? 1 : 0;
}

function count(text: string): number {
  const number = Number(text);
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('a number is wanted');
  return number;
}
