/** Commits of one account as admission measures them. */

import { expect, test } from 'vitest';
import { Admission, admissionLimits } from '../../src/actors/admission.js';
import { ChangeBuilder } from '../../src/actors/change.js';
import { Commits } from '../../src/actors/commits.js';
import { ManualClock } from '../../src/testing/clock.js';

const untaken = new Error('the disk is full');

test.each([
  ['done', () => Promise.resolve(1)],
  ['failed', () => Promise.reject(untaken)],
])('a commit that is %s is measured and over, also when nobody waits any more', async (_, end) => {
  const clock = new ManualClock();
  const admission = new Admission({ ...admissionLimits, latencyMs: 500, rateMin: 1 }, clock);
  const ends: (() => void)[] = [];
  const store = { commit: () => new Promise<void>((resolve) => ends.push(resolve)).then(end) };
  const failures: unknown[] = [];
  const commits = new Commits(
    {
      account: 'bob@example.org',
      ...{ store, admission },
      perform: () => undefined,
      committed: () => undefined,
      failed: (error) => failures.push(error),
    },
    0,
  );
  const change = new ChangeBuilder();
  change.putActor('ua/1', undefined);
  commits.add(change, { effects: [] });
  const admitted = (): number => {
    let count = 0;
    for (let n = 0; n < 1_000; n++) {
      clock.advance(1);
      const transaction = String(clock.now());
      if (!admission.admit('eve', transaction, 1)) continue;
      admission.answered(transaction);
      count++;
    }
    return count;
  };
  commits.drop();
  admitted();
  expect(admitted()).toBeLessThan(500);
  for (const resolve of ends) resolve();
  await new Promise(setImmediate);
  // What took so long still counts for the next judgement, and then no more.
  for (let second = 0; second < 60; second++) admitted();
  expect(admitted()).toBe(1_000);
  expect(failures).toEqual([]);
});
