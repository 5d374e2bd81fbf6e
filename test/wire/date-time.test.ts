/** Dates on the wire, against the calendar of the runtime. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDateTime, formatMailDate } from '../../src/wire/date-time.js';

test('RFC 3339: whole seconds, UTC', () => {
  expect(formatDateTime(Date.UTC(2026, 10, 20, 9, 0, 1, 999))).toBe('2026-11-20T09:00:01Z');
});

test('D-49: creation-date as RFC 2183 takes it', () => {
  expect(formatMailDate(Date.UTC(2026, 10, 20, 9, 0, 1))).toBe('Fri, 20 Nov 2026 09:00:01 +0000');
});

test('both agree with the calendar of the runtime', () => {
  const at = fc.integer({ min: Date.UTC(1600, 0, 1), max: Date.UTC(9999, 11, 31, 23, 59, 59) });
  fc.assert(
    fc.property(at, (time) => {
      const date = new Date(time);
      expect(formatDateTime(time)).toBe(date.toISOString().replace(/\.\d+Z$/, 'Z'));
      expect(formatMailDate(time)).toBe(date.toUTCString().replace('GMT', '+0000'));
    }),
    { numRuns: 2000 },
  );
});
