import { expect, test } from 'vitest';

import { localPlacement } from '../../src/cluster/local.js';
import { shardCount, shardOf } from '../../src/cluster/shard.js';

test.each([
  ['', 3289],
  ['a', 3360],
  ['bob@example.org', 2323],
  ['alice@example.org', 2143],
  ['+15551234567@ims.example.net', 1645],
  ['jürgen@example.org', 3586],
])('the shard of %j is what it always was', (account, shard) => {
  expect(shardOf(account)).toBe(shard);
});

test('accounts that differ in one digit spread over all shards', () => {
  const counts = new Uint32Array(shardCount);
  for (let n = 0; n < 100 * shardCount; n++) counts[shardOf(`+1555${n}@example.org`)]!++;
  // 100 on average; six standard deviations of a fair draw.
  expect(Math.min(...counts)).toBeGreaterThan(40);
  expect(Math.max(...counts)).toBeLessThan(160);
});

test('a single node owns every account', () => {
  expect(localPlacement.owns('bob@example.org')).toBe(true);
});
