/** docs/conformance.md: every item and clause row, its status, and the tests that show it. */

import { table } from '../torture/table.js';
import { escaped, listed } from '../docs/listed.js';
import { testsById } from '../docs/named-tests.js';
import type { NamedTest } from '../docs/named-tests.js';
import type { Requirement } from '../docs/requirement.js';
import type { ConformanceChapter, Level } from './conformance-chapter.js';
import { counts, isTranscript, statusOf, statuses } from './evidence.js';
import type { OutcomeOf, Status } from './evidence.js';

const introduction = `# Conformance

Written by \`npm run conformance\`, which runs the named tests. The rows are the static conformance
items of OMA SIMPLE IM for deferred messaging, what its clauses demand besides, the decisions where
they are silent, and requirements from the field.

A row is **passed** by a test that carries its id and looks at the wire: one of \`test/e2e\` (our
server and clients over real sockets), of \`test/admin\` (with an operator over HTTP) or of
\`test/interop\` (a program of somebody else). For
decisions and requirements from the field a transcript of \`test/flows\` counts too. Other tests that
carry the id are listed as tests of parts and pass nothing. A row is **not run** where the program
it needs is missing, **not tested** where nothing that counts carries its id, and **left out** on
purpose. The command fails unless every mandatory row is passed; \`npm test\` fails then too, and when
this page does not name the rows and tests that exist.
`;

/** A row with all that is known of it. */
export interface ConformanceRow {
  readonly requirement: Requirement;
  readonly level: Level;
  readonly status: Status;
  readonly tests: readonly NamedTest[];
}

export function conformanceRows(
  chapters: readonly ConformanceChapter[],
  tests: readonly NamedTest[],
  outcomeOf: OutcomeOf,
): ConformanceRow[] {
  const byId = testsById(tests);
  return chapters.flatMap(({ level, requirements }) =>
    requirements.map((requirement) => {
      const named = byId.get(requirement.id) ?? [];
      const status = statusOf(requirement, level, named, outcomeOf);
      return { requirement, level, status, tests: named };
    }),
  );
}

/** Mandatory rows that nothing passes. */
export function missing(rows: readonly ConformanceRow[]): string[] {
  return rows
    .filter(({ level, status }) => level === 'mandatory' && status !== 'passed')
    .map(({ requirement }) => requirement.id);
}

export function conformancePage(
  chapters: readonly ConformanceChapter[],
  rows: readonly ConformanceRow[],
): string {
  const rowOf = new Map(rows.map((row) => [row.requirement.id, row]));
  const sections = chapters.map(({ title, level, requirements }) => {
    const entries = requirements.map(({ id }) => entry(rowOf.get(id)!));
    const head = `## ${title}\n\n${level === 'mandatory' ? 'Mandatory' : 'Not mandatory'}.\n`;
    return `${head}\n${entries.join('\n')}`;
  });
  return [introduction, summary(chapters, rowOf), ...sections].join('\n');
}

/** One plain line for the end of a run. */
export function closingLine(rows: readonly ConformanceRow[]): string {
  const sums = statuses.map((status) => `${countOf(rows, status)} ${status}`);
  const lacking = missing(rows);
  const mandatory =
    lacking.length === 0
      ? 'every mandatory row passed'
      : `mandatory rows lack: ${lacking.join(' ')}`;
  return `conformance: ${rows.length} rows: ${sums.join(', ')}; ${mandatory}`;
}

function summary(
  chapters: readonly ConformanceChapter[],
  rowOf: ReadonlyMap<string, ConformanceRow>,
): string {
  const lines = chapters.map(({ title, requirements }) => {
    const rows = requirements.map(({ id }) => rowOf.get(id)!);
    return [title, ...statuses.map((status) => String(countOf(rows, status)))];
  });
  const all = statuses.map((status) => String(countOf([...rowOf.values()], status)));
  return table(['chapter', ...statuses], [...lines, ['all', ...all]]);
}

function countOf(rows: readonly ConformanceRow[], status: Status): number {
  return rows.filter((row) => row.status === status).length;
}

function entry({ requirement, level, status, tests }: ConformanceRow): string {
  const { id, clause, text, partly, not } = requirement;
  const lines = [`### ${id} (${clause}): ${status}`, '', escaped(text)];
  const why = partly ?? not;
  if (why !== undefined) lines.push('', `${not === undefined ? 'Missing' : 'Why not'}: ${why}.`);
  const transcripts = tests.filter(({ file }) => isTranscript(file));
  const shown = tests.filter((test) => counts(level, test) && !transcripts.includes(test));
  const parts = tests.filter((test) => !shown.includes(test) && !transcripts.includes(test));
  if (shown.length > 0) lines.push('', ...listed(shown));
  if (transcripts.length > 0) lines.push('', 'Transcripts:', '', ...listed(transcripts));
  if (parts.length > 0) lines.push('', 'Tests of parts:', '', ...listed(parts));
  return `${lines.join('\n')}\n`;
}
