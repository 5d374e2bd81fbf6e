import fc from 'fast-check';
import { expect, test } from 'vitest';

import { Coverage } from '../../src/store/coverage.js';

test('knows every octet that was added, and no other', () => {
  const piece = fc.tuple(fc.nat(60), fc.nat(12));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), piece, (pieces, [from, size]) => {
      const coverage = new Coverage();
      const there = new Set<number>();
      for (const [start, length] of pieces) {
        coverage.add(start, start + length);
        for (let n = 0; n < length; n++) there.add(start + n);
      }
      const asked = Array.from({ length: size }, (_, n) => from + n);
      expect(coverage.has(from, from + size)).toBe(asked.every((n) => there.has(n)));
      expect(coverage.touches(from, from + size)).toBe(asked.some((n) => there.has(n)));
      expect(coverage.end).toBe(Math.max(0, ...[...there].map((n) => n + 1)));
      const starts = [...there].filter((n) => !there.has(n - 1)).length;
      expect(coverage.pieces).toBe(starts);
    }),
    { numRuns: 2000 },
  );
});
