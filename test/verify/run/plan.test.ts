/** The plan of the tester: it covers what it can, is the same every time, and can be played. */

import { expect, test } from 'vitest';
import { whyLeft } from './left.js';
import { planPaths } from '../../../src/verify/run/plan.js';

const plan = planPaths();

test('the paths take what a client and a sender can cause, and the rest has a reason', () => {
  const all = plan.taken.length + plan.left.length;
  expect(new Set([...plan.taken, ...plan.left]).size).toBe(all);
  // What the machines do on the wire for a user who is away; fewer: a path was lost.
  expect(plan.taken.length).toBeGreaterThanOrEqual(65);
  const unexplained = plan.left.filter((name) => whyLeft(name).startsWith('an order'));
  expect(unexplained.length).toBeLessThan(plan.left.length / 2);
});

test('every machine that a client meets is walked through', () => {
  const machines = new Set(plan.taken.map((name) => name.split(/[ .]/)[0]));
  expect(machines).toEqual(new Set(['mailbox', 'virtual-ua', 'push', 'focus', 'subscription']));
});

test('no path is played twice, and each is small enough to be told', () => {
  const texts = plan.paths.map((path) => JSON.stringify(path));
  expect(new Set(texts).size).toBe(texts.length);
  expect(Math.max(...plan.paths.map((path) => path.length))).toBeLessThanOrEqual(12);
});

test('the plan is the same every time', () => {
  expect(planPaths()).toEqual(plan);
}, 120_000);
