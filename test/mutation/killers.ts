/** What may find out that a machine is a mutant: its tests, the transcripts, the explorer. */

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { defaultBounds, explore, type Bounds } from '../../src/verify/index.js';
import { happenedIn } from '../flows/recorded.js';
import { alphabets } from '../machines/alphabet.js';
import { describeExample, examplesOf } from '../machines/examples.js';
import { takeCollected } from './collected.js';

/** Tests of behaviour, examples and transcripts that were read once, properties of an account. */
export type KillerKind = 'tests' | 'examples' | 'flows' | 'explorer';

export interface Killer {
  readonly name: string;
  readonly kind: KillerKind;
  /** Rejects, or throws, when something is wrong. */
  readonly run: () => unknown;
}

const tests = join(import.meta.dirname, '..');

/** The tests of these files, ready to be run again and again. */
export async function testsOf(files: readonly string[]): Promise<Killer[]> {
  const found: Killer[] = [];
  for (const file of files) {
    await import(/* @vite-ignore */ join(tests, file));
    found.push(...takeCollected().map((test) => ({ ...test, kind: 'tests' as const })));
  }
  return found;
}

/** The examples of a machine, found once: which paths they are depends on no mutant. */
export function examplesFor(machine: string): Killer[] {
  const alphabet = alphabets.find(({ name }) => name === machine)!;
  const examples = examplesOf(alphabet);
  const file = join(tests, 'machines/examples', `${machine}.txt`);
  const text = readFileSync(file, 'utf8');
  const run = (): void => {
    const happened = examples.map((one) => describeExample(alphabet, one)).join('\n');
    if (`${happened}\n` !== text) throw new Error(`${machine}: an example differs`);
  };
  return [{ name: `examples of ${machine}`, kind: 'examples', run }];
}

const folder = join(tests, 'flows');

/** The transcripts of accounts. */
export function flows(): Killer[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.flow'));
  return names.map((name) => {
    const text = readFileSync(join(folder, name), 'utf8');
    const run = async (): Promise<void> => {
      if ((await happenedIn(text)) !== text) throw new Error(`${name} differs`);
    };
    return { name, kind: 'flows', run };
  });
}

const nothing = Object.fromEntries(
  Object.keys(defaultBounds).map((name) => [name, 0]),
) as unknown as Bounds;

const accounts: readonly Partial<Bounds>[] = [
  { messages: 1, registrations: 1, crashes: 1 },
  { messages: 1, registrations: 1, faults: 1 },
  { messages: 1, sessions: 1, deletions: 1, faults: 1 },
  { messages: 1, subscriptions: 1, crashes: 1, faults: 1 },
  { messages: 1, sessions: 1, watchers: 1 },
  { imports: 1, registrations: 1, subscriptions: 1 },
  { messages: 1, registrations: 1, passages: 1, faults: 1 },
  { offers: 1, registrations: 1, passages: 1, faults: 1 },
];

/** The explorer on small accounts; the machines are those that everybody steps. */
export const explorations: readonly Killer[] = accounts.map((bounds) => ({
  name: `explore ${JSON.stringify(bounds)}`,
  kind: 'explorer',
  run: () => {
    const { counterexample } = explore({ bounds: { ...nothing, ...bounds }, statesMax: 20_000 });
    if (counterexample) throw new Error(counterexample.text);
  },
}));
