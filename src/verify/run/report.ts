/** The report of a run as text. */

import type { RunReport } from './run.js';
import type { ItemVerdict, Trouble } from './verdicts.js';

/** Different troubles of one item that the text tells; the JSON has more. */
const toldMax = 3;
const told = ['passed', 'failed', 'inconclusive', 'not tried', 'not applicable'] as const;
/** Steps of a path that are told: its end says what went wrong. */
const stepsMax = 8;

export function describeRun(report: RunReport): string {
  const { target, seconds, paths, checks, reachable, items, verdict } = report;
  const lines = [
    `${target}: ${paths.played} paths, ${checks} checks, ${seconds.toFixed(1)} s`,
    ...(paths.left > 0 ? [`${paths.left} paths were not played`] : []),
    ...(reachable ? [] : ['the target has not answered']),
    '',
  ];
  for (const item of items) lines.push(...describeItem(item));
  const count = (wanted: ItemVerdict['verdict']): number =>
    items.filter((item) => item.verdict === wanted).length;
  const counts = told.map((wanted) => `${count(wanted)} ${wanted}`);
  lines.push('', `${verdict.toUpperCase()}: ${counts.join(', ')}`);
  return `${lines.join('\n')}\n`;
}

function describeItem(item: ItemVerdict): string[] {
  const { id, title, verdict, checks, passed, failures, unknown } = item;
  const figures = checks === 0 ? '' : `${passed} of ${checks}`;
  const word = verdict === 'failed' ? 'FAILED' : verdict;
  const lines = [`${id.padEnd(17)}  ${title.padEnd(34)}  ${word.padEnd(14)}  ${figures}`.trimEnd()];
  for (const trouble of failures.slice(0, toldMax)) lines.push(...describeTrouble(trouble));
  if (failures.length > toldMax) lines.push(`    and ${failures.length - toldMax} more`);
  if (verdict !== 'inconclusive' && verdict !== 'not tried') return lines;
  for (const { seen, expected } of unknown.slice(0, 1)) {
    lines.push(`    not known  ${expected}: ${seen}`);
  }
  return lines;
}

function describeTrouble({ clause, expected, seen, steps, times }: Trouble): string[] {
  const shown = steps.length > stepsMax ? ['…', ...steps.slice(-stepsMax)] : steps;
  return [
    `    expected  ${expected} (${clause})`,
    `    seen      ${seen}${times > 1 ? ` (${times} times)` : ''}`,
    `    behind    ${shown.join('; ')}`,
  ];
}
