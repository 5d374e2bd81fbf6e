/** Waits of the tester: they end, and not because it was busy itself. */

import { expect, test } from 'vitest';
import { atMost, deadlineIn, pending } from '../../../src/verify/run/at-most.js';

test('what never comes is waited for so long', async () => {
  const begun = performance.now();
  expect(await atMost(new Promise(() => undefined), 20)).toBeUndefined();
  expect(performance.now() - begun).toBeGreaterThanOrEqual(18);
  expect(await atMost(new Promise(() => undefined), 0)).toBeUndefined();
});

test('time in which the tester is busy does not count', async () => {
  const { promise, resolve } = pending<string>();
  const until = performance.now() + 200;
  const work = (): void => {
    if (performance.now() < until) setImmediate(work);
    else resolve('an answer');
  };
  work();
  expect(await atMost(promise, 20)).toBe('an answer');
});

test('no wait is longer than the run', () => {
  expect(deadlineIn(0).isOver).toBe(true);
  expect(deadlineIn(0).within(5000)).toBe(0);
  expect(deadlineIn(1000).within(5000)).toBeLessThanOrEqual(1000);
});
