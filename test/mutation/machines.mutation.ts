/**
 * Mutants of the production machines, each judged by the tests of its machine, by the transcripts,
 * and by the explorer. `MUTANTS=7` takes every seventh of them, `MACHINE=push` those of one machine;
 * `SCORE=write` keeps what a whole run found for `docs/verification.md`.
 */

import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Place, Table } from '../../src/machines/compiled.js';
import { tableOf } from '../../src/machines/compiled-table.js';
import { tableFor, type Definition } from '../../src/machines/step.js';
import { equivalents } from './equivalents.js';
import { judgedMachines } from './judged.js';
import type { Killer, KillerKind } from './killers.js';
import { mutantsOf, type Mutant } from './mutants.js';
import {
  foundOf,
  mutantsIn,
  recordedScores,
  scoreFile,
  sentenceOf,
  type MachineScore,
} from './score.js';

const every = Number(process.env['MUTANTS'] ?? '1');
const only = process.env['MACHINE'];
/** For one test of one mutant. */
const patienceMs = 20_000;
/** What the score may not fall below. */
const least = 0.9;

test('the tests find mutants of the machines', async () => {
  const judged = await judgedMachines(only);
  const unfit = await failing(new Set(judged.flatMap(({ killers }) => killers)));
  expect([...unfit].map(({ name }) => name)).toEqual([]);
  const scores: MachineScore[] = [];
  const stale: string[] = [];
  for (const { name, definition, killers } of judged) {
    const known = equivalents[name] ?? {};
    const score = {
      name,
      mutants: 0,
      equivalent: 0,
      killed: { tests: 0, examples: 0, flows: 0, explorer: 0 },
    };
    const survivors: string[] = [];
    const mutants = mutantsOf(definition.machine).filter((_mutant, i) => i % every === 0);
    for (const mutant of mutants) {
      const killer = await judge(definition, mutant, killers);
      if (mutant.name in known) score.equivalent++;
      else score.mutants++;
      if (mutant.name in known && killer !== undefined) stale.push(`${name} ${mutant.name}`);
      else if (killer !== undefined) score.killed[killer]++;
      else if (!(mutant.name in known)) survivors.push(mutant.name);
    }
    scores.push(score);
    console.info([sentenceOf([score]), ...survivors.map((one) => `  survives: ${one}`)].join('\n'));
  }
  console.info(sentenceOf(scores, 'score'));
  expect(stale).toEqual([]);
  if (process.env['SCORE'] === 'write' && every === 1) {
    const others = recordedScores().filter(({ name }) => !scores.some((one) => one.name === name));
    const all = [...scores, ...others].sort((one, other) => (one.name < other.name ? -1 : 1));
    writeFileSync(scoreFile, `${JSON.stringify(all, undefined, 2)}\n`);
  }
  for (const score of every === 1 ? scores.map((one) => [one]) : [scores]) {
    expect(foundOf(score) / mutantsIn(score)).toBeGreaterThanOrEqual(least);
  }
});

/** Of which kind the first is that finds out; undefined: nobody does. */
async function judge(
  { machine }: Definition,
  mutant: Mutant,
  killers: readonly Killer[],
): Promise<KillerKind | undefined> {
  let table: Table;
  try {
    table = tableOf(mutant.make());
  } catch {
    // It cannot even be declared.
    return 'tests';
  }
  const restore = patch(tableFor(machine), table);
  try {
    for (const { kind, run } of killers) {
      try {
        await soon(run());
      } catch {
        return kind;
      }
    }
    return undefined;
  } finally {
    restore();
  }
}

/** Whoever finds something wrong with the machines as they are judges nothing. */
async function failing(killers: Iterable<Killer>): Promise<ReadonlySet<Killer>> {
  const found = new Set<Killer>();
  for (const killer of killers) {
    try {
      // On a machine with much else to do it may take long.
      await soon(killer.run(), 10 * patienceMs);
    } catch {
      found.add(killer);
    }
  }
  return found;
}

/** A test that does not end has found something, too. */
async function soon(running: unknown, withinMs = patienceMs): Promise<void> {
  if (!(running instanceof Promise)) return;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('late')), withinMs);
  });
  await Promise.race([running, late]).finally(() => clearTimeout(timer));
}

/** Whoever steps the machine steps the mutant until the returned function is called. */
function patch(production: Table, mutant: Table): () => void {
  type Open = { -readonly [K in keyof Place]: Place[K] };
  const before: [Open, Place][] = [];
  for (const place of new Set(production.values())) {
    const names = [...production].find(([key, one]) => one === place && typeof key === 'string')!;
    const other = mutant.get(names[0])!;
    before.push([place, { ...place }]);
    Object.assign(place, { on: other.on, always: other.always });
  }
  return () => {
    for (const [place, was] of before) Object.assign(place, { on: was.on, always: was.always });
  };
}
