import { expect, test } from 'vitest';
import { checkTrace } from '../../../src/verify/check/check.js';
import { plays } from './plays.js';
import { recorded } from './recorded.js';

test.each(Object.entries(plays))('%s conforms', async (_name, { play, limits }) => {
  const messages = await recorded(play, limits);
  const verdict = checkTrace({ messages, remarks: [] });
  expect(verdict.violations).toEqual([]);
});
