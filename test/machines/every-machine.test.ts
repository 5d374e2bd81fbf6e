/**
 * Every machine on the paths of two generators, `xstate/graph` over our tables and @xstate/test over
 * XState's own interpreter: the same states, edges and paths; each edge with a save and a restore.
 */

import { isDeepStrictEqual } from 'node:util';
import { createTestModel } from '@xstate/test';
import { setup } from 'xstate';
import { getAdjacencyMap, getShortestPaths } from 'xstate/graph';
import { describe, expect, test } from 'vitest';
import { step, type Step } from '../../src/machines/index.js';
import type { AccountEvent } from '../../src/machines/events.js';
import { machineNames } from '../../src/verify/index.js';
import { transitionsOf } from './model-paths.js';
import { beginning, behind, models, typesOf, type Model, type Situation } from './models.js';
import { restored, RestoredMachine, restsWell } from './restored.js';
import { Interpreter, testModelOf, type Move, type SituationModel } from './test-model.js';

test('every machine of the product has a model', () => {
  expect([...models.keys()].sort()).toEqual([...machineNames].sort());
});

test('@xstate/test does not run a machine of this XState by itself', () => {
  const noisy = { on: { go: { actions: { type: 'say' } } } };
  const machine = setup({ actions: { say: () => undefined } }).createMachine(noisy as never);
  const model = createTestModel(machine as never);
  expect(() => model.getShortestPaths()).toThrow('Executor is not a function');
});

describe.each([...models])('%s', (name, variants) => {
  test('both generators find the same; every transition is taken, and kept between steps', () => {
    const taken = new Set<unknown>();
    let paths = 0;
    let steps = 0;
    for (const model of variants.map(remembered)) {
      const ours = walkOfGraph(model);
      const interpreter = new Interpreter(model);
      const theirs = testModelOf(model, interpreter);
      const theirPaths = theirs.getShortestPaths();
      const edges = theirs.getAdjacencyList();
      expectSame(edges.map(edgeOf(model)), ours.edges);
      expectSame(theirPaths.map(eventsOf).map(worded), ours.paths);
      paths += theirPaths.length;
      steps += playPaths(model, theirPaths, interpreter);
      steps += playEdges(model, edges, interpreter);
      for (const transition of interpreter.taken) taken.add(transition);
    }
    const all = transitionsOf(variants[0]!.definition.machine);
    const missed = all.filter(({ transition }) => !taken.has(transition)).map((one) => one.name);
    console.info(
      `${name}: ${all.length - missed.length} of ${all.length} transitions, ` +
        `${paths} paths, ${steps} steps`,
    );
    expect(missed).toEqual([]);
  });
});

interface Edge {
  readonly state: Situation;
  readonly event: AccountEvent;
  readonly nextState: Situation;
}

/** What `xstate/graph` finds: the paths that are not the beginning of another, and edges. */
function walkOfGraph(model: Model): {
  readonly paths: readonly string[];
  readonly edges: readonly string[];
} {
  const options = {
    events: (situation: Situation) => [...model.events(situation)],
    serializeState: (situation: Situation) => model.essence(situation),
    serializeEvent: wordsOf,
  };
  const logic = {
    getInitialSnapshot: () => beginning(model),
    transition: (situation: Situation, event: AccountEvent) =>
      behind(situation, event, step(model.definition, situation.snapshot, event)),
  };
  const found = getShortestPaths(logic as never, options as never);
  const map = Object.values(getAdjacencyMap(logic as never, options as never)) as {
    readonly state: Situation;
    readonly transitions: Record<string, Pick<Edge, 'event' | 'state'>>;
  }[];
  const edges = map.flatMap(({ state, transitions }) =>
    Object.values(transitions).map((one) => ({ state, event: one.event, nextState: one.state })),
  );
  return {
    paths: withoutBeginnings(found.map(eventsOf)),
    edges: edges.map(edgeOf(model)),
  };
}

function expectSame(found: readonly string[], expected: readonly string[]): void {
  const [one, other] = [[...found].sort(), [...expected].sort()];
  if (!isDeepStrictEqual(one, other)) expect(one).toEqual(other);
}

type TestPaths = ReturnType<SituationModel['getShortestPaths']>;

/** The paths of @xstate/test, each event told to the table and to XState, each state compared. */
function playPaths(model: Model, paths: TestPaths, interpreter: Interpreter): number {
  const types = typesOf(model.definition.machine.root);
  let steps = 0;
  for (const path of paths) {
    const machine = new RestoredMachine(model.definition);
    let situation = beginning(model);
    const take = ({ event }: { readonly event: AccountEvent }): void => {
      steps++;
      const result = compare(machine, interpreter.move(machine.snapshot, event), event);
      situation = behind(situation, event, result);
    };
    path.testSync({
      events: Object.fromEntries([...types].map((type) => [type, take])),
      states: {
        '*': (state: Situation) => expect(model.essence(situation)).toBe(model.essence(state)),
      },
    });
  }
  return steps;
}

/** Every event in every state, each by a machine that comes out of the store. */
function playEdges(model: Model, edges: readonly Edge[], interpreter: Interpreter): number {
  const { definition } = model;
  let from: Situation | undefined;
  let kept = definition.unborn;
  for (const { state, event } of edges) {
    if (state !== from) {
      from = state;
      kept = restored(definition, state.snapshot);
      if (!isDeepStrictEqual(kept, state.snapshot)) expect(kept).toEqual(state.snapshot);
      if (!restsWell(definition, kept)) expect.fail(`no way back to ${model.essence(state)}`);
    }
    const machine = new RestoredMachine(definition, kept);
    compare(machine, interpreter.move(state.snapshot, event), event);
  }
  return edges.length;
}

/** Table and XState do the same, and what is kept is what was there. */
function compare(machine: RestoredMachine, expected: Move, event: AccountEvent): Step {
  const result = machine.take(event);
  const { snapshot } = machine;
  // The quick comparison first: that of vitest costs a hundred times as much.
  if (!isDeepStrictEqual(result, expected)) expect(result).toEqual(expected);
  if (!isDeepStrictEqual(snapshot, expected.snapshot)) expect(snapshot).toEqual(expected.snapshot);
  return result;
}

function edgeOf(model: Model): (edge: Edge) => string {
  return ({ state, event, nextState }) =>
    `${model.essence(state)} ${wordsOf(event)} ${model.essence(nextState)}`;
}

/** The model with the events of a state made once, so that their words are looked up. */
function remembered(model: Model): Model {
  const known = new Map<string, readonly AccountEvent[]>();
  return {
    ...model,
    events: (situation) => {
      const key = JSON.stringify(situation);
      const events = known.get(key) ?? model.events(situation);
      known.set(key, events);
      return events;
    },
  };
}

const words = new WeakMap<object, string>();

function wordsOf(event: object): string {
  const known = words.get(event) ?? JSON.stringify(event);
  words.set(event, known);
  return known;
}

/** The first step is the start of the actor. */
function eventsOf({ steps }: { readonly steps: readonly { readonly event: object }[] }): object[] {
  return steps.slice(1).map(({ event }) => event);
}

function worded(events: readonly object[]): string {
  return events.map(wordsOf).join();
}

function withoutBeginnings(paths: readonly (readonly object[])[]): string[] {
  const beginnings = new Set<string>();
  for (const path of paths) {
    for (let length = 0; length < path.length; length++) {
      beginnings.add(worded(path.slice(0, length)));
    }
  }
  return paths.map(worded).filter((path) => !beginnings.has(path));
}
