/** How many mistakes in the machines the tests find. */

import { equivalents } from '../../mutation/equivalents.js';
import { foundOf, mutantsIn, recordedScores, type MachineScore } from '../../mutation/score.js';
import { sourceScores, type SourceScore } from '../../mutation/stryker/score.js';
import { table, type Section } from './section.js';

export const mutationSection: Section = {
  title: 'Mutation',
  write: () => {
    const scores = recordedScores();
    const rows = scores.map((score) => rowOf(score.name, [score]));
    const reasons = Object.entries(equivalents).flatMap(([machine, mutants]) =>
      Object.entries(mutants).map(([mutant, reason]) => [machine, mutant, reason]),
    );
    const head = ['machine', 'mutants', 'tests', 'examples', 'transcripts', 'explorer', 'score'];
    return `\`npm run mutation\` does one small thing wrong in the configuration of a machine at a time: a
transition is removed, a guard dropped or negated, an action (an effect or a change of context)
dropped, a target left out or exchanged. Each mutant runs in the place of the machine and is judged:
by the tests of its machine; by examples, the recorded outcome of every transition, and transcripts
of accounts, both files whose differences are to be read; by the explorer on small accounts. For
transactions the tables and the runners of the transport judge, for the client its scenarios. The
columns say what found a mutant first. A run fails below 90 % for any machine; \`npm run check\` judges
every fortieth mutant and fails below 90 % of those. The figures are of whole runs, kept in
\`test/mutation/score.json\` (\`npm run mutation:record\`).

${table(head, [...rows, rowOf('all', scores)])}

Not counted are those that do what the machine does:

${table(['machine', 'mutant', 'why nobody can tell'], reasons)}

Stryker (\`npm run stryker\`) alters what guards and changes are made of: operators, conditions,
literals and blocks of the files below, each judged by a test of its own; below 90 % a run fails.

${table(['file', 'mutants', 'found', 'score'], sourceScores().map(rowOfSource))}`;
  },
};

function rowOfSource({ file, found, survivors }: SourceScore): string[] {
  const mutants = found + survivors.length;
  return [`\`${file}\``, String(mutants), String(found), percent(found, mutants)];
}

function percent(found: number, mutants: number): string {
  return `${((found / mutants) * 100).toFixed(1)} %`;
}

function rowOf(name: string, scores: readonly MachineScore[]): string[] {
  const by = (['tests', 'examples', 'flows', 'explorer'] as const).map((kind) =>
    String(scores.reduce((sum, { killed }) => sum + killed[kind], 0)),
  );
  const mutants = mutantsIn(scores);
  return [name, String(mutants), ...by, percent(foundOf(scores), mutants)];
}
