/** The map that explanations share, beside the one of the language. */

import { array, assert, constantFrom, integer, oneof, property, record, string } from 'fast-check';
import { expect, test } from 'vitest';
import { PersistentMap } from '../../../src/verify/check/persistent-map.js';

/** Two texts that FNV-1a makes the same 32 bits of. */
const colliding = ['costarring', 'liquid'] as const;

const keys = oneof(constantFrom(...colliding), string({ maxLength: 3 }));
const steps = array(
  record({ what: constantFrom('set', 'delete'), key: keys, value: integer({ min: 0, max: 9 }) }),
  { maxLength: 200 },
);

test('it has what a Map has, and what it was made from stays as it was', () => {
  assert(
    property(steps, (taken) => {
      const model = new Map<string, number>();
      let map = new PersistentMap<number>((value) => value);
      for (const { what, key, value } of taken) {
        const [before, was] = [map, [...map.entries()]];
        map = what === 'set' ? map.set(key, value) : map.delete(key);
        if (what === 'set') model.set(key, value);
        else model.delete(key);
        expect(map.get(key)).toBe(model.get(key));
        expect([...before.entries()]).toEqual(was);
      }
      expect(map.size).toBe(model.size);
      expect(new Map(map.entries())).toEqual(model);
      const light = [...model.values()].filter((value) => value <= 4);
      expect([...map.upTo(4)].sort()).toEqual(light.sort());
    }),
  );
});

test('keys of one hash are kept apart', () => {
  const [one, other] = colliding;
  const map = new PersistentMap<string>().set(one, 'one').set(other, 'other');
  expect([map.get(one), map.get(other), map.size]).toEqual(['one', 'other', 2]);
  expect([map.delete(one).get(one), map.delete(one).get(other)]).toEqual([undefined, 'other']);
});
