/** docs/rfc.md is what the names of the tests say. */

import { expect, test } from 'vitest';
import { namedTests } from './named-tests.js';
import { chapters } from './requirements.js';
import { rfcPage } from './rfc-page.js';

const ids = chapters.flatMap(({ requirements }) => requirements.map(({ id }) => id));

test('no requirement stands twice', () => {
  expect(new Set(ids).size).toBe(ids.length);
});

test('names are found in tests, in flows and in vectors', () => {
  const files = namedTests(new Set(ids)).map(({ file }) => file);
  expect(files.some((file) => file.endsWith('.test.ts'))).toBe(true);
  expect(files.some((file) => file.endsWith('.flow'))).toBe(true);
  expect(files.some((file) => file.endsWith('.json'))).toBe(true);
});

test('docs/rfc.md is current', async () => {
  const page = rfcPage(chapters, namedTests(new Set(ids)));
  await expect(page).toMatchFileSnapshot('../../docs/rfc.md');
});
