import { expect, test } from 'vitest';
import { checkTrace } from '../../../src/verify/check/check.js';
import { describeVerdict } from '../../../src/cli/verify-check.js';
import { plays } from './plays.js';
import { recorded, firstLine } from './recorded.js';

test.each(Object.entries(plays))('%s conforms', async (_name, { play, limits }) => {
  const messages = await recorded(play, limits);
  const verdict = checkTrace({ messages, remarks: [] });
  if (!verdict.conforms) messages.forEach((one) => console.log(one.number, one.at % 1e7, one.source, one.target, firstLine(one.bytes)));
  if (!verdict.conforms || verdict.users.some((u)=>u.assumed.length)) console.log(describeVerdict(verdict, true));
  expect(verdict.violations).toEqual([]);
});
