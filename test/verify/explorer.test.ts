/** The explorer: the production machines hold in a bounded account, and broken ones are found. */

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { verifyExploreCommand } from '../../src/cli/verify-explore.js';
import {
  counterexampleFile,
  defaultBounds,
  explore,
  goals,
  invariants,
  readCounterexample,
  replay,
  stepProperties,
  type Bounds,
} from '../../src/verify/index.js';
import { forgetful, planted, type Planted } from './planted.js';
import { plantedPassages } from './planted-passages.js';

const nothing = Object.fromEntries(
  Object.keys(defaultBounds).map((name) => [name, 0]),
) as unknown as Bounds;

const passedOn = { registrations: 1, passages: 1, faults: 1 };

/** Small enough for every run, each with another kind of trouble. */
const accounts: readonly (readonly [string, Partial<Bounds>])[] = [
  ['push and crash', { messages: 1, registrations: 1, crashes: 2, repeats: 1 }],
  ['push and refusal', { messages: 2, registrations: 1, faults: 1 }],
  ['retrieval beside a push', { messages: 1, registrations: 1, sessions: 1, faults: 1 }],
  ['retrieval, deletion and crash', { messages: 1, sessions: 1, deletions: 1, crashes: 1 }],
  ['U25: an operator beside a push', { messages: 2, registrations: 1, operations: 2 }],
  ['U25: requeue and crash', { messages: 1, sessions: 1, operations: 1, crashes: 1 }],
  ['message waiting and crash', { messages: 1, subscriptions: 1, deletions: 1, crashes: 1 }],
  ['D-12, U11: passed on, and crash', { ...passedOn, messages: 1, crashes: 1 }],
  ['D-12: passed on beside others', { ...passedOn, messages: 2 }],
  ['D-12: a large message passed on', { ...passedOn, offers: 1 }],
  ['D-15: a large message that comes in', { offers: 1, faults: 1, crashes: 1 }],
  ['CONF-02: a watched retrieval', { messages: 1, sessions: 1, watchers: 1, faults: 1 }],
  ['U26: import beside a client', { imports: 2, registrations: 1, crashes: 1 }],
];

describe('every reachable state of a bounded account', () => {
  test.each(accounts)('%s: every property holds', (name, bounds) => {
    const { statistics, complete, counterexample } = explore({ bounds: { ...nothing, ...bounds } });
    const { states, transitions, depth, crashes, seconds } = statistics;
    console.info(
      `${name}: ${states} states, ${transitions} transitions, ${depth} deep, ` +
        `${crashes} crashes, ${seconds.toFixed(1)} s`,
    );
    expect(counterexample).toBeUndefined();
    expect(complete).toBe(true);
    expect(states).toBeGreaterThan(500);
  });

  test('is the same every time', () => {
    const bounds = { ...nothing, messages: 1, registrations: 1, faults: 1 };
    const [one, other] = [explore({ bounds }), explore({ bounds })].map(({ statistics }) => {
      return { ...statistics, seconds: 0 };
    });
    expect(one).toEqual(other);
  });

  test('a bound that is reached is told', () => {
    const bounds = { ...nothing, messages: 2, registrations: 1 };
    const { complete, statistics } = explore({ bounds, statesMax: 100 });
    expect(complete).toBe(false);
    expect(statistics.open).toBeGreaterThan(0);
  });
});

describe('a planted defect is found', () => {
  test.each([...planted, forgetful, ...plantedPassages])('$property: $defect', (one) => {
    const { property, definitionOf } = one;
    const bounds = { ...nothing, ...one.bounds };
    const isGoal = goals.some(({ name }) => name === property);
    const given = { bounds, definitionOf, ...(isGoal && { invariants: [] }) };
    const { counterexample } = explore(given);
    expect(counterexample?.property).toBe(property);
    if (isGoal || counterexample === undefined) return;
    const again = replay(readCounterexample(counterexampleFile(counterexample)), { definitionOf });
    expect(again.breach).toEqual({ property, text: counterexample.text });
  });

  const names = [...Object.keys(stepProperties), ...[...invariants, ...goals].map((p) => p.name)];
  const missing = (defects: readonly Planted[]): string[] =>
    names.filter((name) => !defects.some(({ property }) => property === name));

  test('there is one for every property', () => {
    expect(missing([...planted, forgetful])).toEqual([]);
  });

  test('D-12, D-15, U26: there is one in what is passed on, recorded, watched and imported', () => {
    expect(missing(plantedPassages)).toEqual([]);
  });
});

describe('a user of the explorer', () => {
  const bounds = { ...nothing, messages: 1, registrations: 1 };
  const never = {
    name: 'never-bound',
    statement: 'Nobody registers.',
    broken: ({ peers }: { readonly peers: { readonly invites: ReadonlySet<string> } }) =>
      peers.invites.size > 0 ? 'an INVITE leaves' : undefined,
  };

  test('adds an invariant, and gets the shortest way to where it breaks', () => {
    const { counterexample } = explore({ bounds, invariants: [never] });
    const steps = counterexample?.steps.map(({ choice }) => choice.do);
    expect(steps).toEqual(['send', 'register']);
    const { lines, breach } = replay(counterexample!, { invariants: [never] });
    expect(breach?.text).toBe('an INVITE leaves');
    expect(lines.join('\n')).toMatch(/MESSAGE 0[^]*202 \(message 0\)[^]*REGISTER[^]*INVITE/);
  });

  test('replays a file, and is told what is no such file', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'poste-explore-'));
    const file = join(directory, 'counterexample.json');
    const { counterexample } = explore({ bounds, invariants: [never] });
    writeFileSync(file, counterexampleFile(counterexample!));
    const { text, exitCode } = await run(['--replay', file]);
    expect(text).toContain('recorded: never-bound: an INVITE leaves');
    expect(text).toContain('nothing is violated');
    expect(exitCode).toBe(0);
    for (const wrong of ['', '[]', '{"form":1}', '{"form":2}', 'null']) {
      expect(() => readCounterexample(wrong)).toThrow('VERIFY_NOT_REPLAYABLE');
    }
  });

  test('runs the command: properties and figures, as text and as JSON', async () => {
    const small = Object.keys(nothing).flatMap((name) => [`--${name}`, '0']);
    const { text, exitCode } = await run([...small, '--messages', '1']);
    expect(text).toMatch(/^\d+ states, \d+ transitions/);
    expect(text).toContain(`holds: ${stepProperties.durable}`);
    expect(exitCode).toBe(0);
    const json = await run([...small, '--messages', '1', '--json']);
    expect(JSON.parse(json.text)).toMatchObject({ complete: true });
    const brief = await run([...small, '--messages', '2', '--registrations', '1', '--states', '9']);
    expect(brief.exitCode).toBe(2);
  });
});

async function run(args: readonly string[]) {
  let text = '';
  const before = process.exitCode;
  await verifyExploreCommand((part) => (text += part)).parseAsync([...args], { from: 'user' });
  const { exitCode } = process;
  process.exitCode = before;
  return { text, exitCode };
}
