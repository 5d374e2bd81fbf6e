import { test } from 'vitest';
import { writeFileSync } from 'node:fs';
import { toPromela } from '../../src/verify/export-promela.js';
import { scenarios } from '../../src/verify/promela-world.js';
test('probe', () => {
  for (const scenario of scenarios) {
  const t = performance.now();
  const { text, inexact, contexts } = toPromela({ scenario });
  console.log(scenario.name, performance.now() - t, inexact, contexts, text.length);
  writeFileSync(`/tmp/spin-${scenario.name}.pml`, text);
  }
}, 60000);
