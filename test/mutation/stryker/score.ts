/** What Stryker has found when it was asked last, kept for `docs/verification.md`. */

import { readFileSync } from 'node:fs';

export interface SourceScore {
  readonly file: string;
  readonly found: number;
  /** Where, which mutator, and what stood there instead. */
  readonly survivors: readonly string[];
}

const scoreFile = new URL('score.json', import.meta.url);

export function sourceScores(): readonly SourceScore[] {
  return JSON.parse(readFileSync(scoreFile, 'utf8')) as SourceScore[];
}
