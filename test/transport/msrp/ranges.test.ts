/** Bookkeeping of byte ranges against a plain set of octets. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteRanges } from '../../../src/transport/msrp/ranges.js';

test('MSRP-07: ranges in any order, overlapping and repeated, cover what a set covers', () => {
  const range = fc.tuple(fc.nat(40), fc.nat(12)).map(([start, length]) => [start, start + length]);
  fc.assert(
    fc.property(fc.array(range, { maxLength: 30 }), (list) => {
      const ranges = new ByteRanges(100);
      const octets = new Set<number>();
      for (const [start, end] of list) {
        expect(ranges.add(start!, end!)).toBe(true);
        for (let octet = start!; octet < end!; octet++) octets.add(octet);
      }
      let pieces = 0;
      for (const octet of octets) if (!octets.has(octet - 1)) pieces += 1;
      expect(ranges.fragments).toBe(pieces);
      expect(ranges.end).toBe(Math.max(0, ...[...octets].map((octet) => octet + 1)));
      for (let total = 0; total < 60; total++) {
        let isCovered = true;
        for (let octet = 0; octet < total; octet++) isCovered &&= octets.has(octet);
        expect(ranges.covers(total)).toBe(isCovered);
      }
    }),
  );
});

test('MSRP-07: a range too many is refused and changes nothing, a joining one is taken', () => {
  const ranges = new ByteRanges(2);
  expect(ranges.add(0, 10)).toBe(true);
  expect(ranges.add(20, 30)).toBe(true);
  expect(ranges.add(40, 50)).toBe(false);
  expect(ranges.fragments).toBe(2);
  expect(ranges.end).toBe(30);
  expect(ranges.add(10, 20)).toBe(true);
  expect(ranges.fragments).toBe(1);
  expect(ranges.covers(30)).toBe(true);
  expect(ranges.add(40, 50)).toBe(true);
});

test('MSRP-07: positions near 2^53 cost nothing', () => {
  const ranges = new ByteRanges(4);
  expect(ranges.add(Number.MAX_SAFE_INTEGER - 5, Number.MAX_SAFE_INTEGER)).toBe(true);
  expect(ranges.fragments).toBe(1);
  expect(ranges.covers(1)).toBe(false);
});
