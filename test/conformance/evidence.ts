/** Which tests count for a row, and what they show by how they ended. */

import type { NamedTest } from '../docs/named-tests.js';
import type { Requirement } from '../docs/requirement.js';
import type { Level } from './conformance-chapter.js';

/** How a test ended; `unknown` did not run. */
export type Outcome = 'passed' | 'failed' | 'skipped' | 'unknown';
export type OutcomeOf = (test: NamedTest) => Outcome;

export type Status = 'passed' | 'failed' | 'not run' | 'not tested' | 'left out';
export const statuses: readonly Status[] = [
  'passed',
  'failed',
  'not run',
  'not tested',
  'left out',
];

/** Real sockets from end to end, the operator's included, or a program of somebody else. */
export function looksAtTheWire(file: string): boolean {
  return /^test\/(e2e|admin|interop)\/.*\.test\.ts$/.test(file);
}

export function isTranscript(file: string): boolean {
  return file.endsWith('.flow');
}

export function counts(level: Level, { file }: NamedTest): boolean {
  return looksAtTheWire(file) || (level !== 'mandatory' && isTranscript(file));
}

export function statusOf(
  requirement: Requirement,
  level: Level,
  tests: readonly NamedTest[],
  outcomeOf: OutcomeOf,
): Status {
  if (requirement.not !== undefined) return 'left out';
  const outcomes = tests.filter((test) => counts(level, test)).map(outcomeOf);
  if (outcomes.length === 0) return 'not tested';
  if (outcomes.includes('failed')) return 'failed';
  return outcomes.includes('passed') ? 'passed' : 'not run';
}
