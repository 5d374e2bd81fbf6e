/** docs/rfc.md: per clause what is demanded, what is done, and which tests show it. */

import { table } from '../torture/table.js';
import { escaped, listed } from './listed.js';
import { testsById } from './named-tests.js';
import type { NamedTest } from './named-tests.js';
import type { Chapter, Requirement } from './requirement.js';

type Status = 'done' | 'partly' | 'not' | 'not yet';

const introduction = `# RFCs, clause by clause

Made from the names of the tests by \`npx vitest run test/docs -u\`; a test fails when this page is not
current. A requirement is **done** when tests carry its id and nothing is known to be missing,
**partly** when something is, **not** when it was left out on purpose, and **not yet** when no test
carries its id, whether or not the software does it.
`;

export function rfcPage(chapters: readonly Chapter[], tests: readonly NamedTest[]): string {
  const byId = testsById(tests);
  const sections = chapters.map((chapter) => chapterText(chapter, byId));
  return [introduction, summary(chapters, byId), ...sections].join('\n');
}

function summary(chapters: readonly Chapter[], byId: ReadonlyMap<string, NamedTest[]>): string {
  const statuses: readonly Status[] = ['done', 'partly', 'not', 'not yet'];
  const counts = chapters.map(({ requirements }) => {
    const all = requirements.map((requirement) => statusOf(requirement, byId));
    return statuses.map((status) => all.filter((one) => one === status).length);
  });
  const sums = statuses.map((_, index) => counts.reduce((sum, row) => sum + row[index]!, 0));
  const rows = chapters.map(({ title }, index) => [title, ...counts[index]!.map(String)]);
  return table(['chapter', ...statuses], [...rows, ['all', ...sums.map(String)]]);
}

function chapterText(chapter: Chapter, byId: ReadonlyMap<string, NamedTest[]>): string {
  const entries = chapter.requirements.map((requirement) => entry(requirement, byId));
  return `## ${chapter.title}\n\n${entries.join('\n')}`;
}

function entry(requirement: Requirement, byId: ReadonlyMap<string, NamedTest[]>): string {
  const { id, clause, text, partly, not } = requirement;
  const status = statusOf(requirement, byId);
  const why = partly ?? not;
  const lines = [`### ${id} (${clause}): ${status}`, '', escaped(text)];
  if (why !== undefined) lines.push('', `${status === 'not' ? 'Why not' : 'Missing'}: ${why}.`);
  const named = byId.get(id) ?? [];
  if (named.length > 0) lines.push('', ...listed(named));
  return `${lines.join('\n')}\n`;
}

function statusOf(
  { id, partly, not }: Requirement,
  byId: ReadonlyMap<string, NamedTest[]>,
): Status {
  if (partly !== undefined) return 'partly';
  if (not !== undefined) return byId.has(id) ? 'partly' : 'not';
  return byId.has(id) ? 'done' : 'not yet';
}
