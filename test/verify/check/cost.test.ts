/** What it takes to judge a push grows with its messages, and not faster. */

import { beforeAll, expect, test } from 'vitest';
import type { Observed } from '../../../src/verify/capture/observed.js';
import { checkTrace } from '../../../src/verify/check/check.js';
import { PersistentMap } from '../../../src/verify/check/persistent-map.js';
import { manyPushed } from './many-pushed.js';
import { plays } from './plays.js';
import { recorded } from './recorded.js';

let push: readonly Observed[];

beforeAll(async () => {
  push = await recorded(plays['push']!.play);
});

/** Turns, and entries of persistent maps that were looked at or copied. */
function workFor(count: number): { readonly turns: number; readonly copied: number } {
  const copied = PersistentMap.copied;
  const { violations, users } = checkTrace({ messages: manyPushed(push, count), remarks: [] });
  expect(violations).toEqual([]);
  const turns = users.reduce((sum, user) => sum + user.turns, 0);
  return { turns, copied: PersistentMap.copied - copied };
}

test('a push may take as long as it takes: its last messages are owed when they are next', () => {
  const [first] = push;
  const messages = manyPushed(push, 300).map((one) => ({
    ...one,
    at: first!.at + one.number * 500,
  }));
  const { violations } = checkTrace({ messages, remarks: [] }, { fromStart: true });
  expect(violations).toEqual([]);
});

test('of a message it is the same, however many there are', () => {
  const [few, many] = [workFor(50), workFor(400)];
  const turnsEach = (many.turns - few.turns) / 350;
  const copiedEach = (many.copied - few.copied) / 350;
  expect(turnsEach).toBeLessThanOrEqual(few.turns / 50);
  expect(turnsEach).toBeLessThan(10);
  // A path in each of the maps: its length grows with the logarithm.
  expect(copiedEach).toBeLessThan((2 * few.copied) / 50);
  console.info(`turns ${turnsEach.toFixed(2)}, copied ${copiedEach.toFixed(0)} a message`);
});
