/** Operator policy: patterns, and the bounds of verdicts that are waited for. */

import { expect, test } from 'vitest';
import { createCounters } from '../../src/actors/counters.js';
import { Policy, type Judged } from '../../src/actors/policy.js';
import { policyOf } from '../../src/actors/policy-rules.js';
import type { PolicyQuestion, PolicyVerdict } from '../../src/ports.js';
import { ManualClock } from '../../src/testing/clock.js';

const question: PolicyQuestion = {
  operation: 'store',
  method: 'MESSAGE',
  identities: ['sip:nia@example.com'],
  from: 'sip:x@example.org',
  account: 'tomas@example.net',
  at: 0,
};

test.each([
  ['*', true],
  ['nia@example.com', true],
  ['SIP:Nia@Example.com', true],
  ['nia@*', true],
  ['*@*.com', true],
  ['n*a@e*e.com', true],
  ['n*a*a@example.com', false],
  ['nia@example.com*nia@example.com', false],
  ['ia@example.com', false],
  ['constructor', false],
])('a rule for %s fits: %s', (sender, fits) => {
  const { judge } = policyOf([{ action: 'refuse', sender: [sender] }]);
  expect((judge(question) as PolicyVerdict).allowed).toBe(!fits);
});

test('a pattern of many pieces costs no more than text and pattern together', () => {
  const pattern = 'a*'.repeat(128);
  const { judge } = policyOf([{ action: 'refuse', sender: [pattern] }]);
  const text = `sip:${'a'.repeat(60_000)}b@example.com`;
  expect(judge({ ...question, identities: [text] })).toMatchObject({ allowed: false });
});

test('verdicts that are waited for are bounded in number and time', async () => {
  const clock = new ManualClock();
  const counters = createCounters();
  const silent = () => undefined;
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  const bounds = { policyPending: 2, policyMs: 1_000 };
  const resolves: ((verdict: PolicyVerdict) => void)[] = [];
  const judge = () => new Promise<PolicyVerdict>((resolve) => resolves.push(resolve));
  const policy = new Policy({ clock, counters, log, bounds }, [], { judge });
  const heard: Judged[] = [];
  for (let i = 0; i < 3; i++) policy.judge(question, (judged) => heard.push(judged));
  expect(heard).toEqual(['unavailable']); // The third.
  clock.advance(1_000);
  expect(heard).toEqual(['unavailable', 'unavailable', 'unavailable']);
  for (const resolve of resolves) resolve({ allowed: true });
  await Promise.resolve();
  expect(heard).toHaveLength(3); // Too late.
  policy.judge(question, (judged) => heard.push(judged));
  resolves.at(-1)!({ allowed: true });
  await new Promise((resolve) => setImmediate(resolve));
  expect(heard.at(-1)).toEqual({ allowed: true });
  expect(counters['actors.policy.unavailable']).toBe(3);
});
