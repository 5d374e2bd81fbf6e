/** Whatever octets come, a verdict is given: traces are of other people's software. */

import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { checkTrace } from '../../../src/verify/check/check.js';
import type { Observed } from '../../../src/verify/capture/observed.js';
import { plays } from './plays.js';
import { recorded } from './recorded.js';

const traces = new Map<string, readonly Observed[]>();

beforeAll(async () => {
  for (const name of ['push', 'retrieveSome', 'large', 'reports', 'settings', 'watch']) {
    const { play, limits } = plays[name]!;
    traces.set(name, await recorded(play, limits));
  }
});

const piece = fc.record({ place: fc.nat(), at: fc.nat(), octets: fc.string({ maxLength: 6 }) });

function broken(
  whole: readonly Observed[],
  faults: readonly { place: number; at: number; octets: string }[],
) {
  const messages = [...whole];
  for (const { place, at, octets } of faults) {
    const index = place % messages.length;
    const one = messages[index]!;
    const bytes = Buffer.from(one.bytes);
    bytes.write(octets, at % bytes.length, 'latin1');
    messages[index] = { ...one, bytes };
  }
  return messages;
}

test('octets that are others', () => {
  const faults = fc.array(piece, { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.constantFrom(...traces.keys()), faults, (name, some) => {
      const messages = broken(traces.get(name)!, some);
      const { violations, conforms } = checkTrace({ messages, remarks: [] });
      expect(conforms).toBe(violations.length === 0);
    }),
    { numRuns: 150 },
  );
});

test('messages in any order, and more than once', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...traces.keys()),
      fc.array(fc.nat(), { maxLength: 60 }),
      (name, places) => {
        const whole = traces.get(name)!;
        const messages = places.map((place, index) => ({
          ...whole[place % whole.length]!,
          number: index + 1,
        }));
        const { violations, conforms } = checkTrace({ messages, remarks: [] });
        expect(conforms).toBe(violations.length === 0);
      },
    ),
    { numRuns: 80 },
  );
});
