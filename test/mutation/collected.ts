/**
 * What tests of machines import instead of vitest while mutants are judged: their tests are
 * collected, to be run as often as there are mutants, in one process.
 */

import { format } from 'node:util';

export { expect } from 'vitest';

export interface CollectedTest {
  readonly name: string;
  readonly run: () => unknown;
}

let collected: CollectedTest[] = [];
let before: (() => unknown)[] = [];

/** The tests that were declared since the last call. */
export function takeCollected(): CollectedTest[] {
  const taken = collected;
  collected = [];
  before = [];
  return taken;
}

type Body = (...values: never[]) => unknown;

function each(cases: readonly unknown[], declare: (name: string, run: () => unknown) => void) {
  return (name: string, ...given: readonly unknown[]): void => {
    const body = given.find((one) => typeof one === 'function') as Body;
    for (const values of cases) {
      const list = Array.isArray(values) ? (values as unknown[]) : [values];
      declare(format(name, ...list), () => body(...(list as never[])));
    }
  };
}

function declareTest(name: string, ...given: readonly unknown[]): void {
  const body = given.find((one) => typeof one === 'function') as Body;
  const prepare = [...before];
  collected.push({
    name,
    run: () => {
      for (const one of prepare) one();
      return body();
    },
  });
}

export const test = Object.assign(declareTest, {
  each: (cases: readonly unknown[]) => each(cases, declareTest),
});

function declareGroup(_name: string, ...given: readonly unknown[]): void {
  const body = given.find((one) => typeof one === 'function') as Body;
  const outer = before;
  before = [...outer];
  body();
  before = outer;
}

export const describe = Object.assign(declareGroup, {
  each: (cases: readonly unknown[]) => each(cases, (name, run) => declareGroup(name, run)),
});

export function beforeEach(prepare: () => unknown): void {
  before.push(prepare);
}
