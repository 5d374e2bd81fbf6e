/** What the simulator down to the octets asks for at the end, and what may expire meanwhile. */

import { expect, test } from 'vitest';
import { judgeMetadata, judgeWaiting } from '../../src/verify/simulation/wire-rest.js';

const users = [{ name: 'u1' }];
const had = (...old: number[]) => [{ fresh: [], old }];
const told = (fresh: number, old: number) => {
  const one = { class: 'Pager-Message', new: fresh, old, newUrgent: 0, oldUrgent: 0 } as const;
  return [{ waiting: fresh > 0, classes: [one], messages: [] }];
};

test('message waiting is what the store had at some moment while it was asked for', () => {
  const between = { users, before: had(1, 2, 3), after: had(2, 3) };
  for (const old of [2, 3]) expect(judgeWaiting(between, told(0, old))).toBeUndefined();
  for (const old of [1, 4]) {
    expect(judgeWaiting(between, told(0, old))).toBe(
      `u1 is told 0/${old}, and the store has 0/3, then 0/2`,
    );
  }
  expect(judgeWaiting({ users, before: had(1), after: had(1) }, [undefined])).toBe(
    'u1 is told 0/0, and the store has 0/1',
  );
});

test('whoever is there has nothing new in the store', () => {
  const fresh = [{ fresh: [4], old: [] }];
  expect(judgeWaiting({ users, before: fresh, after: fresh }, told(1, 0))).toBe(
    'u1 is registered, and 1 messages are not pushed',
  );
});

test('metadata name what is in the store, and nothing that never was', () => {
  const between = { users, before: had(1, 2), after: had(2) };
  for (const named of [[1, 2], [2]]) expect(judgeMetadata(between, [named])).toBeUndefined();
  expect(judgeMetadata(between, [[1]])).toBe('u1: metadata lack 2');
  expect(judgeMetadata(between, [[2, 9]])).toBe('u1: metadata name 9, not in the store');
});
