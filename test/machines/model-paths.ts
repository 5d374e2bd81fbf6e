/** Paths through a machine as xstate/graph and chance find them, and the transitions they take. */

import { createActor, type AnyStateMachine, type InspectionEvent } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import fc from 'fast-check';
import type { Effect } from '../../src/machines/effects.js';
import type { AccountEvent } from '../../src/machines/events.js';
import { step, type ActorSnapshot, type Definition } from '../../src/machines/index.js';
import type { Alphabet } from './alphabet.js';
import { noon } from './facts.js';

/** The shortest path to every state, as xstate/graph finds it, and from there every event. */
export function shortestPaths({ definition, events, essence }: Alphabet): AccountEvent[][] {
  const found = getShortestPaths(definition.machine, {
    events: (snapshot: ActorSnapshot) => [...events(snapshot, noon)],
    serializeState: (snapshot: ActorSnapshot) => JSON.stringify(essence(snapshot)),
    serializeEvent: (event: object) => JSON.stringify(event),
    limit: 50_000,
  });
  return found.flatMap(({ steps }) => {
    // The first step is the start of the actor. States of one essence may differ in the rest, so
    // that the end of the path is looked at again.
    const path = steps.slice(1).map(({ event }) => event as AccountEvent);
    const end = snapshotsOf(definition, path).at(-1) ?? definition.unborn;
    if (end.status === 'done') return [];
    return events(end, noon).map((event) => [...path, event]);
  });
}

/** Walks of which each step is drawn from the alphabet, as time goes on. */
export function randomWalks(alphabet: Alphabet): AccountEvent[][] {
  const choices = fc.array(fc.nat({ max: 9999 }), { minLength: 1, maxLength: 40 });
  return fc.sample(choices, { numRuns: 120, seed: 20261120 }).map((walk) => {
    let snapshot = alphabet.definition.unborn;
    const path: AccountEvent[] = [];
    for (const [i, choice] of walk.entries()) {
      const events = alphabet.events(snapshot, noon + i * 1000);
      const event = events[(snapshot.value === 'absent' ? 0 : choice) % events.length]!;
      snapshot = step(alphabet.definition, snapshot, event).snapshot;
      path.push(event);
      if (snapshot.status === 'done') break;
    }
    return path;
  });
}

export interface Seen {
  readonly value: unknown;
  readonly context: unknown;
  readonly status: string;
  readonly effects: readonly Effect[];
}

/** The same path by `createActor`; collects the transitions that are taken. */
export function runActor(
  machine: AnyStateMachine,
  path: readonly AccountEvent[],
  taken: Set<unknown>,
  effects: Effect[],
): Seen[] {
  const inspect = (inspected: InspectionEvent): void => {
    if (inspected.type === '@xstate.microstep') {
      for (const transition of inspected._transitions) taken.add(transition);
    }
    if (inspected.type === '@xstate.action') {
      const params = inspected.action.params as Effect | readonly Effect[];
      effects.push(...('type' in params ? [params] : params));
    }
  };
  const actor = createActor(machine, { inspect }).start();
  return path.map((event) => {
    effects.length = 0;
    actor.send(event);
    const { value, context, status } = actor.getSnapshot() as ActorSnapshot;
    return { value, context, status, effects: [...effects] };
  });
}

interface Node {
  readonly id: string;
  readonly transitions: ReadonlyMap<string, readonly unknown[]>;
  readonly always?: readonly unknown[];
  readonly states: Readonly<Record<string, Node>>;
}

export function transitionsOf(machine: AnyStateMachine): { name: string; transition: unknown }[] {
  const all: { name: string; transition: unknown }[] = [];
  const visit = (node: Node): void => {
    for (const [type, transitions] of [...node.transitions, ['', node.always ?? []] as const]) {
      transitions.forEach((transition, i) => {
        all.push({ name: `${node.id} ${type} ${i}`, transition });
      });
    }
    Object.values(node.states).forEach(visit);
  };
  visit(machine.root);
  return all;
}

export function snapshotsOf(
  definition: Definition,
  path: readonly AccountEvent[],
): ActorSnapshot[] {
  let snapshot: ActorSnapshot | undefined;
  return path.map((event) => (snapshot = step(definition, snapshot, event).snapshot));
}
