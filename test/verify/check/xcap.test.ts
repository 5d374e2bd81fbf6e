/** XCAP in captures: what a GET tells, what DELETE does, and what settings change (D-31, D-41). */

import { beforeAll, describe, expect, test } from 'vitest';
import type { Observed } from '../../../src/verify/capture/observed.js';
import { checkTrace } from '../../../src/verify/check/check.js';
import { plays } from './plays.js';
import { recorded } from './recorded.js';
import { xcapMutations } from './xcap-mutations.js';

const traces = new Map<string, readonly Observed[]>();

beforeAll(async () => {
  for (const name of ['history', 'xcapSettings']) {
    const { play, limits } = plays[name]!;
    traces.set(name, await recorded(play, limits));
  }
});

describe('traces of a real server', () => {
  test.each(['history', 'xcapSettings'])('%s conforms, and all of it is judged', (name) => {
    const messages = traces.get(name)!;
    for (const fromStart of [true, false]) {
      const verdict = checkTrace({ messages, remarks: [] }, { fromStart });
      expect([verdict.violations, verdict.undecided]).toEqual([[], []]);
      expect(verdict.unjudged).toEqual([{ what: 'OPTIONS to the server', count: 1 }]);
      expect(verdict.users.flatMap(({ assumed }) => assumed)).toEqual([]);
    }
  });
});

describe('mutated traces', () => {
  test.each(xcapMutations)('$clause: $name', ({ of, clause, mutate, fromStart = false }) => {
    const { messages, at } = mutate(traces.get(of)!);
    const { violations } = checkTrace({ messages, remarks: [] }, { fromStart });
    const [first] = violations;
    expect([first?.clause.id, first?.number], JSON.stringify(violations, undefined, 1)).toEqual([
      clause,
      at,
    ]);
  });
});

describe('what is not all there is no violation', () => {
  test.each(['history', 'xcapSettings'])('%s without any one of its messages', (name) => {
    const whole = traces.get(name)!;
    const loss = { number: 1, what: 'octets that were not captured' };
    for (const gone of whole) {
      const messages = whole.filter((one) => one !== gone);
      const { source, target } = gone;
      const losses = [{ ...loss, source, target }];
      const { servers } = checkTrace({ messages: whole, remarks: [] });
      const verdict = checkTrace({ messages, remarks: [], losses }, { servers });
      const ofXcap = verdict.violations.filter(({ clause: { id } }) => /^(?:S1|D-|XCAP)/.test(id));
      expect([gone.number, ofXcap]).toEqual([gone.number, []]);
    }
  });

  test('bodies that were left out: settings may be either', () => {
    const messages = traces.get('xcapSettings')!.map((one) => {
      const end = one.bytes.indexOf('\r\n\r\n') + 4;
      const isBody = one.protocol === 'http' && end < one.bytes.length;
      return isBody ? { ...one, bytes: one.bytes.subarray(0, end), cut: true } : one;
    });
    for (const fromStart of [true, false]) {
      expect(checkTrace({ messages, remarks: [] }, { fromStart }).violations).toEqual([]);
    }
  });
});
