/** What comes and goes in an order of age. */

import { expect, test } from 'vitest';
import { AgeOrder } from '../../src/actors/age-order.js';
import type { Aged } from '../../src/actors/age-order.js';

interface Entry extends Aged<Entry> {
  readonly name: string;
}

function entryOf(name: string): Entry {
  return { name, older: undefined, newer: undefined };
}

/** The names from the oldest on, and empties the order. */
function emptied(order: AgeOrder<Entry>): string {
  let names = '';
  for (let entry = order.oldest; entry; entry = order.oldest) {
    names += entry.name;
    order.remove(entry);
  }
  return names;
}

test.each([
  ['a', 'bcd'],
  ['b', 'acd'],
  ['d', 'abc'],
  ['ad', 'bc'],
  ['bc', 'ad'],
  ['abcd', ''],
])('of a, b, c and d leave %s: %s are left', (leaving, left) => {
  const order = new AgeOrder<Entry>();
  const entries = new Map(['a', 'b', 'c', 'd'].map((name) => [name, entryOf(name)]));
  for (const entry of entries.values()) order.add(entry);
  for (const name of leaving) order.remove(entries.get(name)!);
  expect(emptied(order)).toBe(left);
});

test('who has left may come again, as the newest', () => {
  const order = new AgeOrder<Entry>();
  const [a, b] = [entryOf('a'), entryOf('b')];
  order.add(a);
  order.add(b);
  order.remove(a);
  expect(a).toEqual(entryOf('a'));
  order.add(a);
  expect(emptied(order)).toBe('ba');
});
