/** The table of what comes and goes. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TransitTable } from '../../../src/transport/sip/transit-table.js';

test('as a Map would, for any order of acts and any hashes', () => {
  const acts = fc.array(
    fc.record({ name: fc.nat(300), isAdded: fc.boolean(), hash: fc.constantFrom(0, 7, -1, 64) }),
    { minLength: 1, maxLength: 1_500 },
  );
  fc.assert(
    fc.property(acts, (list) => {
      const table = new TransitTable<object>();
      const oracle = new Map<string, object>();
      for (const { name, isAdded, hash } of list) {
        const key = { text: `${hash} ${name}`, hash: hash === 7 ? name : hash };
        const before = oracle.get(key.text);
        expect(table.get(key)).toBe(before);
        if (isAdded && before === undefined) {
          const value = { name };
          table.add(key, value);
          oracle.set(key.text, value);
        } else if (!isAdded) {
          expect(table.delete(key, before ?? {})).toBe(oracle.delete(key.text));
          expect(table.delete(key, {})).toBe(false);
        }
        expect(table.size).toBe(oracle.size);
      }
    }),
    { numRuns: 50 },
  );
});

test('of two with one text the newer is found, then the older', () => {
  const table = new TransitTable<string>();
  const key = { text: 'a', hash: 1 };
  table.add(key, 'older');
  table.add(key, 'newer');
  expect(table.get(key)).toBe('newer');
  expect(table.delete(key, 'newer')).toBe(true);
  expect([table.get(key), table.size]).toEqual(['older', 1]);
});

test('it grows with what is in it', () => {
  const table = new TransitTable<number>();
  const keys = Array.from({ length: 5_000 }, (_, nth) => ({ text: `${nth}`, hash: nth * 64 }));
  for (const [nth, key] of keys.entries()) table.add(key, nth);
  expect(keys.map((key) => table.get(key))).toEqual(keys.map((_, nth) => nth));
  expect(table.get({ text: '1', hash: 0 })).toBeUndefined();
});
