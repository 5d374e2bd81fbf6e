/** Sets of serials against the sets of the language. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addSerial,
  countSerials,
  difference,
  firstSerials,
  hasSerial,
  intersection,
  removeSerial,
  serialSet,
  union,
  type SerialSet,
} from '../../src/machines/serial-set.js';

const serials = fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 40 });
const serial = fc.integer({ min: -1, max: 61 });

/** Its serials, after a look at its form. */
function members(set: SerialSet): number[] {
  expect(set.length % 2).toBe(0);
  for (let i = 0; i < set.length; i += 2) {
    expect(set[i]!).toBeLessThanOrEqual(set[i + 1]!);
    if (i > 0) expect(set[i]!).toBeGreaterThan(set[i - 1]! + 1);
  }
  return firstSerials(set, Infinity);
}

function sorted(values: Iterable<number>): number[] {
  return [...new Set(values)].sort((one, other) => one - other);
}

describe('a serial set is a set', () => {
  test('made of serials, counted and asked', () => {
    fc.assert(
      fc.property(serials, serial, (list, one) => {
        const set = serialSet(list);
        expect(members(set)).toEqual(sorted(list));
        expect(countSerials(set)).toBe(new Set(list).size);
        expect(hasSerial(set, one)).toBe(list.includes(one));
      }),
    );
  });

  test('with and without one serial', () => {
    fc.assert(
      fc.property(serials, serial, (list, one) => {
        const set = serialSet(list);
        expect(members(addSerial(set, one))).toEqual(sorted([...list, one]));
        const rest = list.filter((other) => other !== one);
        expect(members(removeSerial(set, one))).toEqual(sorted(rest));
        if (list.includes(one)) expect(addSerial(set, one)).toBe(set);
        else expect(removeSerial(set, one)).toBe(set);
      }),
    );
  });

  test('union, intersection, difference', () => {
    fc.assert(
      fc.property(serials, serials, (list, others) => {
        const one = serialSet(list);
        const other = serialSet(others);
        expect(members(union(one, other))).toEqual(sorted([...list, ...others]));
        const common = list.filter((value) => others.includes(value));
        expect(members(intersection(one, other))).toEqual(sorted(common));
        const left = list.filter((value) => !others.includes(value));
        expect(members(difference(one, other))).toEqual(sorted(left));
      }),
    );
  });

  test('the first of it behind a serial', () => {
    fc.assert(
      fc.property(serials, serial, fc.nat({ max: 10 }), (list, after, count) => {
        const behind = sorted(list).filter((value) => value > after);
        expect(firstSerials(serialSet(list), count, after)).toEqual(behind.slice(0, count));
      }),
    );
  });
});

test('ascending serials stay one range, however many', () => {
  let set: SerialSet = [];
  for (let next = 1; next <= 10_000; next++) set = addSerial(set, next);
  expect(set).toEqual([1, 10_000]);
});
