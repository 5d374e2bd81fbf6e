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

describe('an XDMS on another host', () => {
  const elsewhere = (messages: readonly Observed[]): Observed[] => {
    const isAsked = ({ protocol, bytes }: Observed): boolean =>
      protocol === 'http' && !bytes.subarray(0, 5).equals(Buffer.from('HTTP/'));
    const xdms = messages.find(isAsked)!.target;
    const moved = (address: string): string => (address === xdms ? '192.0.2.8:80' : address);
    return messages.map((one) => ({
      ...one,
      source: moved(one.source),
      target: moved(one.target),
    }));
  };

  // What a DELETE has not deleted is owed to the user, whoever has said so.
  const ofXdms = xcapMutations.filter(({ clause, name }) => {
    return /^(?:S1|D-)/.test(clause) && name !== 'delete nothing of what is there';
  });
  test.each(ofXdms)('may know of it later: $name', ({ of, mutate }) => {
    const { messages } = mutate(traces.get(of)!);
    const { violations } = checkTrace({ messages: elsewhere(messages), remarks: [] });
    const ids = violations.map(({ clause: { id } }) => id);
    expect(ids.filter((id) => !id.startsWith('XCAP'))).toEqual([]);
  });

  test('settings may be known to the server, or not yet', () => {
    const messages = elsewhere(traces.get('xcapSettings')!);
    expect(checkTrace({ messages, remarks: [] }, { fromStart: true }).violations).toEqual([]);
    const { mutate } = xcapMutations.find(({ name }) => name.startsWith('do not push'))!;
    const quiet = elsewhere(mutate(traces.get('xcapSettings')!).messages);
    const { violations } = checkTrace({ messages: quiet, remarks: [] });
    expect(violations.filter(({ user }) => user !== undefined).map(({ found }) => found)).toEqual(
      [],
    );
  });
});
