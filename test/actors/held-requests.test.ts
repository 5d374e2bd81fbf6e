/** Requests without an answer, in order and by transaction. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HeldRequests } from '../../src/actors/held-requests.js';

test('as a Map in order of insertion would, for any order of acts', () => {
  const acts = fc.array(fc.record({ nth: fc.nat(40), isAdded: fc.boolean() }), {
    minLength: 1,
    maxLength: 500,
  });
  fc.assert(
    fc.property(acts, (list) => {
      const held = new HeldRequests();
      const oracle = new Map<string, number>();
      for (const [at, { nth, isAdded }] of list.entries()) {
        const transaction = nth.toString(36);
        if (isAdded && !oracle.has(transaction)) {
          held.add({ transaction, at, octets: nth });
          oracle.set(transaction, at);
        } else if (!isAdded) {
          expect(held.take(transaction)?.at).toBe(oracle.get(transaction));
          oracle.delete(transaction);
        }
        const [oldest] = oracle;
        expect(held.oldest?.transaction).toBe(oldest?.[0]);
        expect(held.size).toBe(oracle.size);
      }
    }),
    { numRuns: 100 },
  );
});

test('transactions of one chain are kept apart', () => {
  const held = new HeldRequests();
  const names = Array.from({ length: 20_000 }, (_, nth) => nth.toString(36));
  for (const [octets, transaction] of names.entries()) held.add({ transaction, at: 0, octets });
  expect(names.map((name) => held.take(name)?.octets)).toEqual(names.map((_, nth) => nth));
  expect([held.size, held.oldest]).toEqual([0, undefined]);
});
