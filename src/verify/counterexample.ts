/** A counterexample as a ladder and as a file that can be replayed. */

import { firstState } from './bounded-account.js';
import type { AccountState, DefinitionOf } from './bounded-account.js';
import { describeChoice } from './choice.js';
import type { Option } from './choice.js';
import type { Counterexample } from './explorer.js';
import { invariants as allInvariants } from './invariants.js';
import type { Invariant } from './invariants.js';
import type { Breach, Party, Said } from './scene.js';
import { VerifyError } from './verify-error.js';
import { choose } from './world-acts.js';

/** Number of the form of the file. */
const form = 1;

const parties: readonly Party[] = ['sender', 'operator', 'account', 'store', 'client'];
/** Columns between two lifelines. */
const gap = 36;
const margin = 4;

/** The file of a counterexample: JSON. */
export function counterexampleFile(counterexample: Counterexample): string {
  return `${JSON.stringify({ form, ...counterexample }, undefined, 2)}\n`;
}

/** Throws an error with the code VERIFY_NOT_REPLAYABLE for anything else than such a file. */
export function readCounterexample(text: string): Counterexample {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    throw notReplayable('it is not JSON');
  }
  const given = read as Partial<Counterexample> & { readonly form?: unknown };
  if (typeof read !== 'object' || read === null || given.form !== form) {
    throw notReplayable(`it has not the form ${form}`);
  }
  const { property, text: what, bounds, steps } = given;
  if (typeof property !== 'string' || typeof what !== 'string') throw notReplayable('no property');
  if (typeof bounds !== 'object' || !Array.isArray(steps)) throw notReplayable('no steps');
  return { property, text: what, bounds, steps };
}

function notReplayable(why: string): VerifyError {
  return new VerifyError('VERIFY_NOT_REPLAYABLE', `no file of a counterexample: ${why}`);
}

/** What a replay has shown. */
export interface Replay {
  readonly state: AccountState;
  readonly lines: readonly string[];
  /** The first thing that was wrong; of a goal out of reach nothing shows in one path. */
  readonly breach: Breach | undefined;
}

/** Makes the choices of a path again and writes down who says what. */
export function replay(
  { bounds, steps }: Pick<Counterexample, 'bounds' | 'steps'>,
  {
    definitionOf,
    invariants = allInvariants,
  }: {
    readonly definitionOf?: DefinitionOf | undefined;
    readonly invariants?: readonly Invariant[];
  } = {},
): Replay {
  let state = firstState(bounds);
  let breach: Breach | undefined;
  const begun = state.now;
  const lines = [headOf()];
  for (const option of steps) {
    const step = stepOf(state, option, definitionOf);
    const seconds = (step.state.now - begun) / 1000;
    lines.push(`${' '.repeat(margin)}-- ${seconds}s: ${describeChoice(option.choice)}`);
    for (const said of step.said) lines.push(arrowOf(said));
    state = step.state;
    breach ??= step.breach ?? brokenIn(state, invariants);
  }
  return { state, lines, breach };
}

function stepOf(state: AccountState, option: Option, definitionOf: DefinitionOf | undefined) {
  try {
    const scene = choose(state, option, definitionOf);
    return { state: scene.close(), said: scene.said, breach: scene.breaches[0] };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { state, said: [], breach: { property: 'stops', text } };
  }
}

function brokenIn(state: AccountState, invariants: readonly Invariant[]): Breach | undefined {
  for (const invariant of invariants) {
    const text = invariant.broken(state);
    if (text !== undefined) return { property: invariant.name, text };
  }
  return undefined;
}

// --------------------------------------------------------------------------------- ladder

function columnOf(party: Party): number {
  return margin + parties.indexOf(party) * gap;
}

function headOf(): string {
  let line = '';
  for (const party of parties) {
    line = line.padEnd(columnOf(party) - Math.floor(party.length / 2)) + party;
  }
  return line;
}

/** The lifelines, and an arrow from one to another with words in it, or behind its own. */
function arrowOf({ from, to, text }: Said): string {
  const [start, end] = [columnOf(from), columnOf(to)];
  let line = '';
  for (const party of parties) line = `${line.padEnd(columnOf(party))}|`;
  if (start === end) return `${line.slice(0, start + 1)} ${text}`;
  const [left, right] = start < end ? [start, end] : [end, start];
  const width = right - left - 1;
  const words = text.length > width - 6 ? `${text.slice(0, width - 8)}..` : text;
  const before = Math.floor((width - words.length - 2) / 2);
  const strokes = `${'-'.repeat(before)} ${words} `.padEnd(width, '-');
  const shaft = start < end ? `${strokes.slice(0, -1)}>` : `<${strokes.slice(1)}`;
  return line.slice(0, left + 1) + shaft + line.slice(right);
}
