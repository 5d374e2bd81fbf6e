import { beforeAll, describe, expect, test } from 'vitest';
import { checkTrace } from '../../../src/verify/check/check.js';
import type { Observed } from '../../../src/verify/capture/observed.js';
import { clientMutations } from './client-mutations.js';
import { mutations } from './mutations.js';
import { plays } from './plays.js';
import { recorded } from './recorded.js';

const traces = new Map<string, readonly Observed[]>();

beforeAll(async () => {
  for (const [name, { play, limits }] of Object.entries(plays)) {
    traces.set(name, await recorded(play, limits));
  }
});

describe('traces of a real server', () => {
  test.each(Object.keys(plays))('%s conforms, whether it is known to be whole or not', (name) => {
    const messages = traces.get(name)!;
    for (const fromStart of [true, false]) {
      const verdict = checkTrace({ messages, remarks: [] }, { fromStart });
      expect(verdict.violations).toEqual([]);
      expect(verdict.users.flatMap(({ assumed }) => assumed)).toEqual([]);
    }
  });
});

describe('mutated traces', () => {
  test.each(mutations)('$name: violates $clause', (mutation) => {
    const { of, clause, mutate, fromStart = false, options } = mutation;
    const { messages, at } = mutate(traces.get(of)!);
    const { violations } = checkTrace({ messages, remarks: [] }, { fromStart, ...options });
    const [first] = violations;
    expect([first?.clause.id, first?.number], JSON.stringify(violations, undefined, 1)).toEqual([
      clause,
      at,
    ]);
  });
});

/** Plays in which a client does what no client may, to see what the server makes of it. */
const careless = new Set(['refused']);

describe('clients of this project', () => {
  const careful = Object.keys(plays).filter((name) => !careless.has(name));
  test.each(careful)('%s: they do what S1, S2 and S3 ask of them', (name) => {
    const { violations, clients, users } = checkTrace(
      { messages: traces.get(name)!, remarks: [] },
      { role: 'client' },
    );
    expect(violations).toEqual([]);
    expect(clients).not.toEqual([]);
    expect(users).toEqual([]);
  });
});

describe('mutated clients', () => {
  test.each(clientMutations)('$name: violates $clause', (mutation) => {
    const { of, clause, mutate, fromStart = false } = mutation;
    const { messages, at } = mutate(traces.get(of)!);
    const { violations } = checkTrace({ messages, remarks: [] }, { fromStart, role: 'client' });
    const [first] = violations;
    expect([first?.clause.id, first?.number], JSON.stringify(violations, undefined, 1)).toEqual([
      clause,
      at,
    ]);
  });
});

test('what is written without bodies is judged as far as it goes', () => {
  for (const [name, whole] of traces) {
    const messages = whole.map((one) => withoutBody(one));
    const verdict = checkTrace({ messages, remarks: [] });
    expect([name, verdict.violations]).toEqual([name, []]);
  }
});

/** As the trace of the server is. */
function withoutBody(one: Observed): Observed {
  const end = one.bytes.indexOf('\r\n\r\n');
  if (one.protocol === 'msrp' || end < 0 || end + 4 === one.bytes.length) return one;
  return { ...one, bytes: one.bytes.subarray(0, end + 4), cut: true };
}
