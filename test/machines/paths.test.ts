/** Every machine on generated paths: `step` against XState's own actor, coverage, rest forms. */

import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { AccountEvent } from '../../src/machines/events.js';
import { sameAtRest, step, type ActorSnapshot, type Definition } from '../../src/machines/index.js';
import { alphabets } from './alphabet.js';
import { randomWalks, runActor, shortestPaths, snapshotsOf, transitionsOf } from './model-paths.js';

describe.each(alphabets)('$name', (alphabet) => {
  const { definition } = alphabet;
  const paths = [...shortestPaths(alphabet), ...randomWalks(alphabet)];

  test('step does what an actor of XState does; every transition is taken by some path', () => {
    const taken = new Set<unknown>();
    for (const path of paths) compareWithActor(definition, path, taken);
    const all = transitionsOf(definition.machine);
    const missed = all.filter(({ transition }) => !taken.has(transition)).map(({ name }) => name);
    console.info(
      `${alphabet.name}: ${all.length - missed.length} of ${all.length} transitions, ` +
        `${paths.length} paths`,
    );
    expect(missed).toEqual([]);
  });

  test('what is stored comes back as it was', () => {
    const seen = new Set<string>();
    for (const path of paths) {
      for (const snapshot of snapshotsOf(definition, path)) {
        // Paths have their beginnings in common, and each state is stored in one way.
        const { value, context, status } = snapshot;
        const text = JSON.stringify([value, context, status]);
        if (seen.has(text)) continue;
        seen.add(text);
        const change = changeAtRest(definition, snapshot);
        if (change !== undefined) expect.fail(`${change} after ${JSON.stringify(path)}`);
      }
    }
  });

  test('a machine ends by `stop`, once, and only then', () => {
    for (const path of paths) {
      let snapshot: ActorSnapshot | undefined;
      for (const event of path) {
        const result = step(definition, snapshot, event);
        const stops = result.effects.filter(({ type }) => type === 'stop').length;
        const ended = result.snapshot.status === 'done' && snapshot?.status !== 'done';
        if (stops !== (ended ? 1 : 0)) expect.fail(`${stops} after ${JSON.stringify(path)}`);
        snapshot = result.snapshot;
      }
    }
  });

  test('whoever is invited hears the end of it: no lease is left behind', () => {
    for (const path of paths) expectLeasesReleased(definition, path);
  });
});

function compareWithActor(
  definition: Definition,
  path: readonly AccountEvent[],
  taken: Set<unknown>,
): void {
  const expected = runActor(definition.machine, path, taken, []);
  let snapshot: ActorSnapshot | undefined;
  for (const [i, event] of path.entries()) {
    const result = step(definition, snapshot, event);
    snapshot = result.snapshot;
    const { value, context, status } = snapshot;
    // The quick comparison first: that of vitest costs a hundred times as much.
    const seen = { value, context, status, effects: result.effects };
    if (!isDeepStrictEqual(seen, expected[i])) expect(seen).toEqual(expected[i]);
  }
}

/** What a rest form leaves out on purpose: sessions, and numbers up to the next step. */
const volatile = [
  ...['cseq', 'added', 'due'],
  ...['push', 'foci', 'recordings', 'forwards', 'bridges', 'untaken', 'renewed'],
  ...['number', 'leases', 'doomed', 'throttleAt'],
];

function changeAtRest(definition: Definition, snapshot: ActorSnapshot): string | undefined {
  const atRest = definition.rest(snapshot);
  if (atRest === undefined) return undefined;
  const again = definition.revive(atRest);
  if (!sameAtRest(atRest, definition.rest(again))) return 'the rest form';
  if (!isDeepStrictEqual(atRest, structuredClone(atRest))) return 'plainness';
  const before = snapshot.context as Record<string, unknown>;
  const after = again.context as Record<string, unknown>;
  const changed = Object.keys(before).find(
    (name) => !volatile.includes(name) && !isDeepStrictEqual(after[name], before[name]),
  );
  if (changed !== undefined) return changed;
  return Number(after['number']) < Number(before['number']) ? 'number' : undefined;
}

function expectLeasesReleased(definition: Definition, path: readonly AccountEvent[]): void {
  const leases = new Set<number>();
  let snapshot: ActorSnapshot | undefined;
  for (const event of path) {
    const result = step(definition, snapshot, event);
    const isOutcome = ['ua.departed', 'ua.failed', 'ua.other'].includes(event.type);
    if (result.handled && isOutcome && 'serial' in event) {
      leases.delete(event.serial);
    }
    if (result.handled && event.type === 'undelivered') leases.delete(Number(event.to.slice(3)));
    for (const effect of result.effects) {
      if (effect.type !== 'tell' || !effect.to.startsWith('ua/')) continue;
      if (effect.event.type === 'invite') leases.add(Number(effect.to.slice(3)));
      if (effect.event.type === 'bye') leases.delete(Number(effect.to.slice(3)));
    }
    snapshot = result.snapshot;
    const over = snapshot.status === 'done' || snapshot.value === 'closing';
    if (over && leases.size > 0) expect.fail(`${[...leases].join()} after ${JSON.stringify(path)}`);
  }
}
