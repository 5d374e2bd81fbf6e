/** docs/conformance.md names the rows and the tests that exist. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { chapters, conformanceTests, ids } from './chapters.js';
import { conformancePage, conformanceRows } from './conformance-page.js';

const page = new URL('../../docs/conformance.md', import.meta.url);

test('no row stands twice', () => {
  const all = chapters.flatMap(({ requirements }) => requirements);
  expect(ids.size).toBe(all.length);
});

test('docs/conformance.md is that of a run in which every test passed', () => {
  const rows = conformanceRows(chapters, conformanceTests, () => 'passed');
  const lines = conformancePage(chapters, rows).split('\n');
  expect(readFileSync(page, 'utf8').split('\n'), 'run npm run conformance').toEqual(lines);
});
