/** A trace that is cut, wherever that is, is not taken for one that violates. */

import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { checkTrace } from '../../../src/verify/check/check.js';
import type { Observed } from '../../../src/verify/capture/observed.js';
import { plays } from './plays.js';
import { recorded } from './recorded.js';

const traces = new Map<string, readonly Observed[]>();

beforeAll(async () => {
  for (const [name, { play, limits }] of Object.entries(plays)) {
    traces.set(name, await recorded(play, limits));
  }
});

/** Places to cut at: a dozen of them, or every one with `POSTE_CUTS=all`. */
function places({ length }: readonly Observed[]): number[] {
  const step = process.env['POSTE_CUTS'] === 'all' ? 1 : Math.max(1, Math.floor(length / 12));
  return Array.from({ length: Math.floor((length - 1) / step) }, (_one, at) => 1 + at * step);
}

/** Addresses are told: a piece may be too short to find them. */
function violations(whole: readonly Observed[], from: number, to: number): unknown {
  const { servers } = checkTrace({ messages: whole, remarks: [] });
  const messages = whole.slice(from, to);
  return checkTrace({ messages, remarks: [] }, { servers }).violations;
}

test.each(Object.keys(plays))('%s conforms without its first messages', (name) => {
  const whole = traces.get(name)!;
  for (const from of places(whole)) {
    expect([from, violations(whole, from, whole.length)]).toEqual([from, []]);
  }
});

test.each(Object.keys(plays))('%s conforms without its last messages', (name) => {
  const whole = traces.get(name)!;
  for (const to of places(whole)) {
    expect([to, violations(whole, 0, to)]).toEqual([to, []]);
  }
});

test('any piece of a good trace conforms', () => {
  const piece = fc.tuple(fc.constantFrom(...Object.keys(plays)), fc.nat(), fc.nat());
  fc.assert(
    fc.property(piece, ([name, one, other]) => {
      const whole = traces.get(name)!;
      const [from, to] = [one % whole.length, other % whole.length].sort((a, b) => a - b);
      expect(violations(whole, from!, to! + 1)).toEqual([]);
    }),
    { numRuns: process.env['POSTE_CUTS'] === 'all' ? 500 : 40 },
  );
});
