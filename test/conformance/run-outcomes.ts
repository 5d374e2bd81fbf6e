/** How the named tests of a run ended. */

import { basename } from 'node:path';
import type { NamedTest } from '../docs/named-tests.js';
import { looksAtTheWire } from './evidence.js';
import type { Outcome, OutcomeOf } from './evidence.js';

/** One test of a run: its file, the titles of what it stands in and its own, and its end. */
export interface RunTest {
  readonly file: string;
  readonly titles: readonly string[];
  readonly state: 'passed' | 'failed' | 'skipped' | 'pending';
  /** What it has moved over sockets; absent where nobody has counted. */
  readonly wire?: number | undefined;
}

/** It says that it looks at the wire, and has moved nothing: that shows nothing. */
export function isIdle({ file, state, wire }: RunTest): boolean {
  return state === 'passed' && wire === 0 && looksAtTheWire(file);
}

const flowRunner = 'test/flows/flows.test.ts';

/** A title stands for every test that it stands over; one that fails fails it. */
export function outcomesOf(run: readonly RunTest[]): OutcomeOf {
  const byFile = new Map<string, RunTest[]>();
  for (const test of run) byFile.set(test.file, [...(byFile.get(test.file) ?? []), test]);
  return ({ file, name }) => {
    const isFlow = file.endsWith('.flow');
    const tests = byFile.get(isFlow ? flowRunner : file) ?? [];
    const title = isFlow ? exactly(basename(file)) : patternOf(name);
    return joined(tests.filter(({ titles }) => titles.some((one) => title.test(one))));
  };
}

/** The files whose tests have to run before anything can be said of the rows they name. */
export function filesOf(tests: readonly NamedTest[]): Set<string> {
  return new Set(tests.map(({ file }) => (file.endsWith('.flow') ? flowRunner : file)));
}

function joined(tests: readonly RunTest[]): Outcome {
  const states = new Set(tests.filter((test) => !isIdle(test)).map(({ state }) => state));
  if (states.has('failed')) return 'failed';
  if (states.has('passed')) return 'passed';
  return states.has('skipped') ? 'skipped' : 'unknown';
}

/** A title as it stands in the source, with gaps for what `each` and templates fill in. */
function patternOf(title: string): RegExp {
  const plain = title.replaceAll(/\\(.)/g, '$1');
  const gaps = /\$\{[^}]*\}|%[sdifjoO#$]|\$#?\w+(?:\.\w+)*/g;
  return new RegExp(`^${plain.split(gaps).map(escape).join('.*')}$`, 's');
}

function exactly(text: string): RegExp {
  return new RegExp(`^${escape(text)}$`);
}

function escape(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
