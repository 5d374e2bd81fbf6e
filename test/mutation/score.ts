/** What a whole run of mutation has found, kept for `docs/verification.md`. */

import { readFileSync } from 'node:fs';
import type { KillerKind } from './killers.js';

export interface MachineScore {
  readonly name: string;
  /** But for the equivalent ones. */
  readonly mutants: number;
  /** Nobody can tell them from the machine; `equivalents.ts` says why. */
  readonly equivalent: number;
  /** By what found them first. */
  readonly killed: Readonly<Record<KillerKind, number>>;
}

export const scoreFile = new URL('score.json', import.meta.url);

export function recordedScores(): readonly MachineScore[] {
  return JSON.parse(readFileSync(scoreFile, 'utf8')) as MachineScore[];
}

/** How many of the mutants were found. */
export function foundOf(scores: readonly MachineScore[]): number {
  return sum(scores.flatMap(({ killed }) => Object.values(killed)));
}

export function mutantsIn(scores: readonly MachineScore[]): number {
  return sum(scores.map(({ mutants }) => mutants));
}

/** `push: 187 of 201, 93.0 %`. */
export function sentenceOf(scores: readonly MachineScore[], name = scores[0]!.name): string {
  const [found, all] = [foundOf(scores), mutantsIn(scores)];
  return `${name}: ${found} of ${all}, ${((found / all) * 100).toFixed(1)} %`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((one, other) => one + other, 0);
}
