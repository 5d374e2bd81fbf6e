/** Paths of an account by `xstate/graph`: a set that takes every transition any of them takes. */

import fc from 'fast-check';
import { getShortestPaths } from 'xstate/graph';
import type { Limits } from '../../../src/machines/events.js';
import { Composing, type Composite } from './composite.js';
import { accountLimits, beginning, essenceOf, inputsOf, type Given, type Scene } from './inputs.js';
import { eventsForMailbox } from './mailbox-inputs.js';
import { Notes } from './noted.js';
import { scenes } from './scenes.js';

export interface AccountPath {
  readonly scene: Scene;
  readonly inputs: readonly Given[];
}

export interface Covering {
  readonly paths: readonly AccountPath[];
  /** Transitions of each machine, and those that an account does not take on any path. */
  readonly machines: ReadonlyMap<string, { readonly all: number; readonly missed: string[] }>;
  readonly states: number;
}

/** What one input makes of an account. */
export function behindInput(
  state: Composite,
  input: Given,
  notes: Notes,
  limits: Limits = accountLimits,
): Composite {
  return new Composing(state, limits, notes.definitionOf).give(input);
}

/** What holds where no event says it. */
export function limitsOf({ limits }: Scene): Limits {
  return { ...accountLimits, ...limits };
}

/** Every scene is walked to its end. */
export function cover(): Covering {
  const notes = new Notes();
  const taken = new Set<string>();
  const paths: AccountPath[] = [];
  let states = 0;
  for (const scene of scenes) {
    const moves = new Moves(notes, limitsOf(scene));
    for (const inputs of walk(scene, moves)) {
      states++;
      const state = inputs.reduce((one, input) => moves.move(one, input).to, beginning);
      for (const [input, move] of moves.of(state)) {
        const more = [...move.taken].filter((name) => !taken.has(name));
        if (more.length === 0) continue;
        for (const name of more) taken.add(name);
        paths.push({ scene, inputs: [...inputs, input] });
      }
    }
  }
  const machines = new Map(
    [...notes.known].map(([machine, names]) => {
      const missed = [...names].filter((name) => !taken.has(name));
      return [machine, { all: names.size, missed }];
    }),
  );
  return { paths, machines, states };
}

/** A scene in which everything may happen, for walks by chance. */
const everything: Scene = { name: 'everything', depth: 1000, asks: eventsForMailbox };

/** Walks of that many inputs, each drawn from what may come: first of which sort, then which one. */
export function walks(
  count: number,
  length: number,
): { readonly paths: readonly AccountPath[]; readonly taken: ReadonlySet<string> } {
  const notes = new Notes();
  const choices = fc.array(fc.nat({ max: 99_999 }), { minLength: length, maxLength: length });
  const taken = new Set<string>();
  const paths = fc.sample(choices, { numRuns: count, seed: 20261121 }).map((walk) => {
    let state = beginning;
    const inputs = walk.flatMap((choice): Given[] => {
      const sorts = new Map<string, Given[]>();
      for (const input of inputsOf(state, everything)) {
        sorts.set(sortOf(input), [...(sorts.get(sortOf(input)) ?? []), input]);
      }
      const sort = [...sorts.values()][choice % sorts.size];
      const input = sort?.[Math.floor(choice / 7) % sort.length];
      if (!input) return [];
      state = behindInput(state, input, notes);
      for (const name of notes.take()) taken.add(name);
      return [input];
    });
    return { scene: everything, inputs };
  });
  return { paths, taken };
}

function sortOf(input: Given): string {
  if (input.type !== 'event') return input.type;
  return input.to === 'mailbox' ? 'mailbox' : 'session';
}

interface Move {
  readonly to: Composite;
  readonly taken: ReadonlySet<string>;
}

/** What inputs make of accounts, each worked out once. */
class Moves {
  readonly #notes: Notes;
  readonly #limits: Limits;
  readonly #known = new Map<Composite, Map<Given, Move>>();

  constructor(notes: Notes, limits: Limits) {
    this.#notes = notes;
    this.#limits = limits;
  }

  move(from: Composite, input: Given): Move {
    const moves = this.#known.get(from) ?? new Map<Given, Move>();
    this.#known.set(from, moves);
    const known = moves.get(input);
    if (known) return known;
    const to = behindInput(from, input, this.#notes, this.#limits);
    const move = { to, taken: this.#notes.take() };
    moves.set(input, move);
    return move;
  }

  of(state: Composite): ReadonlyMap<Given, Move> {
    return this.#known.get(state) ?? new Map<Given, Move>();
  }
}

/** The shortest way to every state of a scene. */
function walk(scene: Scene, moves: Moves): Given[][] {
  const logic = {
    getInitialSnapshot: () => beginning,
    transition: (state: Composite, input: Given) => moves.move(state, input).to,
  };
  const found = getShortestPaths(logic as never, {
    events: ((state: Composite) => inputsOf(state, scene)) as never,
    serializeState: (state: Composite) => essenceOf(state, scene),
    serializeEvent: wordsOf,
    limit: 100_000,
  });
  // The first step is the start.
  return found.map(({ steps }) => steps.slice(1).map(({ event }) => event as unknown as Given));
}

const words = new WeakMap<object, string>();

function wordsOf(input: object): string {
  const known = words.get(input) ?? JSON.stringify(input);
  words.set(input, known);
  return known;
}
