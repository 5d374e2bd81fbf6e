/** The machines of the transactions on generated paths: coverage, timers, what XState does. */

import { createActor, type AnyStateMachine, type InspectionEvent } from 'xstate';
import { describe, expect, test } from 'vitest';
import type { TransactionEvent } from '../../../src/machines/sip/index.js';
import { kinds, machines, randomWalks, settings, shortestPaths, turnsOf } from './model.js';

describe.each(kinds)('%s', (kind) => {
  const { machine } = machines[kind].definition;
  const paths = Object.values(settings).flatMap((facts) => [
    ...shortestPaths(kind, facts),
    ...randomWalks(kind, facts),
  ]);

  test('every transition is taken by some path, as an actor of XState takes it', () => {
    const taken = new Set<unknown>();
    for (const path of paths) {
      const expected = turnsOf(kind, path).map(({ state: { snapshot } }) => [
        snapshot.value,
        snapshot.context,
      ]);
      expect(runActor(machine, path, taken)).toEqual(expected);
    }
    const all = transitionsOf(machine);
    const missed = all.filter(({ transition }) => !taken.has(transition)).map(({ name }) => name);
    console.info(
      `${kind}: ${all.length - missed.length} of ${all.length} transitions, ${paths.length} paths`,
    );
    expect(missed).toEqual([]);
  });

  test('a transaction that has ended leaves no timer, one that goes on has one', () => {
    let ended = 0;
    for (const path of paths) {
      for (const { state } of turnsOf(kind, path)) {
        const isDone = state.snapshot.status === 'done';
        if (isDone) ended++;
        // An INVITE that waits for the answer it has been reminded of has none.
        const isReminded = kind === 'inviteServer' && state.snapshot.value === 'proceeding';
        if (isDone) expect(state.running).toEqual([]);
        else if (!isReminded) expect(state.running.length).toBeGreaterThan(0);
      }
    }
    expect(ended).toBeGreaterThan(0);
  });
});

function runActor(
  machine: AnyStateMachine,
  path: readonly TransactionEvent[],
  taken: Set<unknown>,
): unknown[] {
  const inspect = (inspected: InspectionEvent): void => {
    if (inspected.type !== '@xstate.microstep') return;
    for (const transition of inspected._transitions) taken.add(transition);
  };
  const actor = createActor(machine, { inspect }).start();
  return path.map((event) => {
    actor.send(event);
    const { value, context } = actor.getSnapshot() as { value: unknown; context: unknown };
    return [value, context];
  });
}

function transitionsOf(machine: AnyStateMachine): { name: string; transition: unknown }[] {
  return Object.values(machine.root.states).flatMap((node) =>
    [...node.transitions].flatMap(([type, transitions]) =>
      transitions.map((transition, i) => ({ name: `${node.id} ${type} ${i}`, transition })),
    ),
  );
}
