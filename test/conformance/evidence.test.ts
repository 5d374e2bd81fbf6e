/** What passes a row of docs/conformance.md, and what does not. */

import { describe, expect, test } from 'vitest';
import type { NamedTest } from '../docs/named-tests.js';
import { chapter } from '../docs/requirement.js';
import { closingLine, conformanceRows, missing } from './conformance-page.js';
import type { Level } from './conformance-chapter.js';
import type { Status } from './evidence.js';
import { outcomesOf } from './run-outcomes.js';
import type { RunTest } from './run-outcomes.js';

function rowsOf(level: Level, tests: readonly NamedTest[], run: readonly RunTest[]) {
  const chapters = [{ level, ...chapter('all', [['X-01', '1', 'It is so.']]) }];
  return conformanceRows(chapters, tests, outcomesOf(run));
}

const named = (file: string, name = 'X-01: it is'): NamedTest => ({ file, name, ids: ['X-01'] });
const ran = (file: string, state: RunTest['state'], ...titles: string[]): RunTest => ({
  ...{ file, state },
  titles: titles.length === 0 ? ['X-01: it is'] : titles,
});
const wire = 'test/e2e/x.test.ts';

describe('a mandatory row', () => {
  test.each<[Status, NamedTest[], RunTest[]]>([
    ['not tested', [], []],
    ['passed', [named(wire)], [ran(wire, 'passed')]],
    ['passed', [named('test/admin/x.test.ts')], [ran('test/admin/x.test.ts', 'passed')]],
    ['passed', [named('test/interop/x/x.test.ts')], [ran('test/interop/x/x.test.ts', 'passed')]],
    ['failed', [named(wire)], [ran(wire, 'failed')]],
    ['failed', [named(wire)], [ran(wire, 'passed'), ran(wire, 'failed')]],
    ['not run', [named(wire)], [ran(wire, 'skipped')]],
    ['not run', [named(wire)], []],
    ['passed', [named(wire)], [ran(wire, 'passed'), ran(wire, 'skipped')]],
    // Nothing of these looks at the wire.
    ['not tested', [named('test/wire/x.test.ts')], [ran('test/wire/x.test.ts', 'passed')]],
    [
      'not tested',
      [named('test/flows/x.flow')],
      [ran('test/flows/flows.test.ts', 'passed', 'x.flow')],
    ],
    ['not tested', [named('test/e2e/x.json')], []],
  ])('is %s', (status, tests, run) => {
    const rows = rowsOf('mandatory', tests, run);
    expect(rows.map((row) => row.status)).toEqual([status]);
    expect(missing(rows)).toEqual(status === 'passed' ? [] : ['X-01']);
    expect(closingLine(rows)).toContain(status === 'passed' ? 'every mandatory' : 'lack: X-01');
  });
});

test('a test that moves nothing over a socket shows nothing, wherever it lies', () => {
  const moved = (wire: number): RunTest => ({ ...ran(wire > 1 ? other : file, 'passed'), wire });
  const file = 'test/e2e/x.test.ts';
  const other = 'test/interop/x/x.test.ts';
  const status = (...run: RunTest[]) => rowsOf('mandatory', [named(file), named(other)], run);
  expect(status(moved(0))[0]!.status).toBe('not run');
  expect(status(moved(1))[0]!.status).toBe('passed');
  expect(status(moved(0), moved(2))[0]!.status).toBe('passed');
  // Nobody asks it of a transcript.
  const flow = { ...ran('test/flows/flows.test.ts', 'passed', 'x.flow'), wire: 0 };
  expect(rowsOf('decision', [named('test/flows/x.flow')], [flow])[0]!.status).toBe('passed');
});

describe('a decision', () => {
  test('is shown by a transcript, by the end of the run of that flow', () => {
    const tests = [named('test/flows/x.flow')];
    const run = (state: RunTest['state']) => [
      ran('test/flows/flows.test.ts', state, 'x.flow'),
      ran('test/flows/flows.test.ts', 'failed', 'y.flow'),
    ];
    expect(rowsOf('decision', tests, run('passed'))[0]!.status).toBe('passed');
    expect(rowsOf('decision', tests, run('failed'))[0]!.status).toBe('failed');
  });

  test('that nothing shows is missed by nobody', () => {
    const rows = rowsOf('decision', [], []);
    expect(rows[0]!.status).toBe('not tested');
    expect(missing(rows)).toEqual([]);
  });
});

describe('a title in the source', () => {
  test.each([
    ['X-01: %s and $name.first', 'X-01: one and two', true],
    ['X-01: ${messages} over UDP', 'X-01: 1000 over UDP', true],
    ["X-01: what it\\'s (really?)", "X-01: what it's (really?)", true],
    ['X-01: it is', 'X-01: it is not', false],
    ['X-01: it.is', 'X-01: it is', false],
  ])('%j is found in %j: %s', (name, title, isFound) => {
    const [row] = rowsOf('mandatory', [named(wire, name)], [ran(wire, 'passed', title)]);
    expect(row!.status).toBe(isFound ? 'passed' : 'not run');
  });

  test('stands for what it stands over', () => {
    const run = [
      ran(wire, 'passed', 'works', 'X-01: it is'),
      ran(wire, 'failed', 'works', 'other'),
    ];
    expect(rowsOf('mandatory', [named(wire)], run)[0]!.status).toBe('passed');
  });
});
