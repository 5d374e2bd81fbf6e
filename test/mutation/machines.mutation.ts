/**
 * Mutants of the production machines, each judged by the tests of its machine, by the transcripts,
 * and by the explorer. `MUTANTS=7` takes every seventh of them, `MACHINE=push` those of one machine.
 */

import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  bridge,
  conference,
  focus,
  forward,
  mailbox,
  push,
  recording,
  subscription,
  virtualUa,
  type Definition,
} from '../../src/machines/index.js';
import type { Place, Table } from '../../src/machines/compiled.js';
import { tableOf } from '../../src/machines/compiled-table.js';
import { tableFor } from '../../src/machines/step.js';
import { examplesFor, explorations, flows, testsOf, type Killer } from './killers.js';
import { mutantsOf, type Mutant } from './mutants.js';

interface Judged {
  readonly name: string;
  readonly definition: Definition;
  readonly tests: readonly string[];
}

const ofActors = ['actors/forward.test.ts', 'actors/recordings.test.ts'];

const judged: readonly Judged[] = [
  { name: 'mailbox', definition: mailbox, tests: ['mailbox'] },
  { name: 'virtual-ua', definition: virtualUa, tests: ['virtual-ua'] },
  { name: 'push', definition: push, tests: ['push', 'push-sender'] },
  { name: 'focus', definition: focus, tests: ['focus'] },
  { name: 'subscription', definition: subscription, tests: ['subscription'] },
  { name: 'conference', definition: conference, tests: [] },
  { name: 'recording', definition: recording, tests: [] },
  { name: 'forward', definition: forward, tests: [] },
  { name: 'bridge', definition: bridge, tests: [] },
];

const every = Number(process.env['MUTANTS'] ?? '1');
const only = process.env['MACHINE'];
/** What the score may not fall below. */
const least = 0.9;

test('the tests find mutants of the machines', async () => {
  const byFile = new Map<string, Killer[]>();
  for (const unit of [...new Set(judged.flatMap(({ tests }) => tests))]) {
    byFile.set(unit, await testsOf([`machines/${unit}.test.ts`]));
  }
  const late = [...flows(), ...explorations, ...(await testsOf(ofActors))];
  const unfit = await failing([...byFile.values()].flat().concat(late));
  if (unfit.size > 0) console.warn(`fail without any mutant: ${[...unfit].map(nameOf).join()}`);
  const lines: string[] = [];
  let killed = 0;
  let all = 0;
  for (const { name, definition, tests } of judged) {
    if (only !== undefined && only !== name) continue;
    const units = tests.flatMap((file) => byFile.get(file)!);
    const killers = [...units, ...examplesFor(name), ...late].filter(
      (killer) => !unfit.has(killer),
    );
    const survivors: string[] = [];
    const mutants = mutantsOf(definition.machine).filter((_mutant, i) => i % every === 0);
    for (const mutant of mutants) {
      const killer = await judge(definition, mutant, killers);
      if (killer === undefined) survivors.push(mutant.name);
    }
    all += mutants.length;
    killed += mutants.length - survivors.length;
    lines.push(`${name}: ${mutants.length - survivors.length} of ${mutants.length}`);
    lines.push(...survivors.map((survivor) => `  survives: ${survivor}`));
    console.info(lines.slice(-survivors.length - 1).join('\n'));
  }
  lines.push(`score: ${killed} of ${all}, ${((killed / all) * 100).toFixed(1)} %`);
  console.info(lines.at(-1));
  const output = process.env['MUTATION_REPORT'];
  if (output !== undefined) writeFileSync(output, `${lines.join('\n')}\n`);
  expect(killed / all).toBeGreaterThanOrEqual(least);
});

/** The name of the first that finds out; undefined: nobody does. */
async function judge(
  { machine }: Definition,
  mutant: Mutant,
  killers: readonly Killer[],
): Promise<string | undefined> {
  let table: Table;
  try {
    table = tableOf(mutant.make());
  } catch {
    // It cannot even be declared.
    return 'the table';
  }
  const restore = patch(tableFor(machine), table);
  try {
    for (const { name, run } of killers) {
      try {
        await soon(run());
      } catch {
        return name;
      }
    }
    return undefined;
  } finally {
    restore();
  }
}

/** Whoever finds something wrong with the machines as they are judges nothing. */
async function failing(killers: readonly Killer[]): Promise<ReadonlySet<Killer>> {
  const found = new Set<Killer>();
  for (const killer of killers) {
    try {
      await soon(killer.run());
    } catch {
      found.add(killer);
    }
  }
  return found;
}

function nameOf({ name }: Killer): string {
  return name;
}

/** A test that does not end has found something, too. */
async function soon(running: unknown): Promise<void> {
  if (!(running instanceof Promise)) return;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('late')), 20_000);
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
