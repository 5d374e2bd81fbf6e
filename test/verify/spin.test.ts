/** The production machines as Promela, searched by Spin to the end. */

import { describe, expect, test } from 'vitest';
import { formulas, scenarios, toPromela } from '../../src/verify/index.js';
import { hasSpin, verifierOf } from './spin.js';

describe.skipIf(!hasSpin).each(scenarios)('scenario $name', (scenario) => {
  test('no deadlock, no assertion fails, every formula holds', () => {
    const { text, inexact, contexts } = toPromela({ scenario });
    expect(inexact).toEqual([]);
    for (const [actor, count] of Object.entries(contexts)) {
      expect(count, actor).toBeGreaterThan(actor === 'focus' ? 0 : 5);
    }
    const verifier = verifierOf(text);
    try {
      const safety = verifier.search();
      console.info(`spin ${scenario.name}: ${safety.states} states, ${safety.errors} errors`);
      expect(safety.found).toBeUndefined();
      expect(safety.errors).toBe(0);
      expect(safety.states).toBeGreaterThan(5_000);
      for (const formula of Object.keys(formulas)) {
        const { errors, states, found } = verifier.search(formula);
        console.info(`spin ${scenario.name} ${formula}: ${states} states, ${errors} errors`);
        expect(`${formula}: ${found ?? 'holds'}, ${errors}`).toBe(`${formula}: holds, 0`);
      }
    } finally {
      verifier[Symbol.dispose]();
    }
  });
});
