/** Every reachable state of a bounded account, nearest first, and whether all is well in each. */

import { createHash } from 'node:crypto';
import { firstState } from './bounded-account.js';
import type { AccountState, Bounds, DefinitionOf } from './bounded-account.js';
import { canonical } from './canonical.js';
import type { Choice, Option } from './choice.js';
import { goals as allGoals, invariants as allInvariants } from './invariants.js';
import type { Goal, Invariant } from './invariants.js';
import { FairEdges } from './liveness.js';
import type { Breach, Scene } from './scene.js';
import { choose } from './world-acts.js';
import { optionsOf } from './world-options.js';

export interface ExploreOptions {
  readonly bounds: Bounds;
  /** Other machines than those of the product. */
  readonly definitionOf?: DefinitionOf;
  /** Instead of those of the product. */
  readonly invariants?: readonly Invariant[];
  readonly goals?: readonly Goal[];
  /** States that are looked at; what lies behind them is not known then. */
  readonly statesMax?: number;
  /** Hears of the progress, every so many states. */
  readonly onProgress?: (statistics: Statistics) => void;
}

export interface Statistics {
  readonly states: number;
  /** Steps from the beginning to the farthest state. */
  readonly depth: number;
  readonly transitions: number;
  readonly turns: number;
  readonly crashes: number;
  /** States that were found and not looked at. */
  readonly open: number;
  readonly seconds: number;
}

/** A path to a state in which a property does not hold, or from which a goal is out of reach. */
export interface Counterexample {
  readonly property: string;
  readonly text: string;
  readonly bounds: Bounds;
  readonly steps: readonly Option[];
}

export interface Exploration {
  readonly statistics: Statistics;
  /** False when `statesMax` was reached. */
  readonly complete: boolean;
  readonly counterexample: Counterexample | undefined;
}

const statesMaxDefault = 2_000_000;
const progressEvery = 10_000;

export function explore(options: ExploreOptions): Exploration {
  return new Explorer(options).run();
}

interface Found {
  readonly number: number;
  readonly depth: number;
  readonly state: AccountState;
}

class Explorer {
  readonly #options: ExploreOptions;
  readonly #invariants: readonly Invariant[];
  readonly #goals: readonly Goal[];
  readonly #statesMax: number;
  readonly #numbers = new Map<string, number>();
  readonly #parents: number[] = [];
  readonly #ways: (Option | undefined)[] = [];
  readonly #edges = new FairEdges();
  /** For each goal a byte for each state. */
  readonly #reached: number[][];
  #queue: Found[] = [];
  readonly #begun = performance.now();
  #depth = 0;
  #transitions = 0;
  #turns = 0;
  #crashes = 0;
  #open = 0;

  constructor(options: ExploreOptions) {
    this.#options = options;
    this.#invariants = options.invariants ?? allInvariants;
    this.#goals = options.goals ?? allGoals;
    this.#reached = this.#goals.map(() => []);
    this.#statesMax = options.statesMax ?? statesMaxDefault;
  }

  run(): Exploration {
    this.#enter(firstState(this.#options.bounds), -1, undefined, 0);
    for (let level = this.#queue; level.length > 0; level = this.#queue) {
      this.#queue = [];
      for (const found of level) {
        const counterexample = this.#leave(found);
        if (counterexample) return this.#result(counterexample);
      }
    }
    return this.#result(this.#unreachable());
  }

  /** Makes every choice in a state. */
  #leave({ number, depth, state }: Found): Counterexample | undefined {
    for (const option of optionsOf(state)) {
      let scene: Scene;
      try {
        scene = choose(state, option, this.#options.definitionOf);
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        return this.#counterexample(number, option, { property: 'stops', text });
      }
      // A commit that is empty cannot fail, and nobody sees what comes behind it.
      if (option.choice.then !== undefined && !scene.wrote && option.choice.do !== 'outbox')
        continue;
      this.#transitions++;
      this.#turns += scene.turns;
      if (option.choice.then !== undefined || option.choice.do === 'crash') this.#crashes++;
      const [breach] = scene.breaches;
      if (breach) return this.#counterexample(number, option, breach);
      const after = scene.close();
      const before = this.#parents.length;
      const next = this.#enter(after, number, option, depth + 1);
      if (next === before) {
        const broken = this.#broken(after);
        if (broken) return this.#counterexample(number, option, broken);
      }
      if (next >= 0) this.#note(state, number, option, next);
    }
    return undefined;
  }

  /** The number of the state; below zero when there is no room for it. */
  #enter(state: AccountState, parent: number, way: Option | undefined, depth: number): number {
    const key = createHash('sha1').update(canonical(state)).digest('base64');
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#parents.length;
    this.#numbers.set(key, number);
    this.#parents.push(parent);
    this.#ways.push(way);
    this.#depth = Math.max(this.#depth, depth);
    const isOpen = number >= this.#statesMax;
    if (isOpen) this.#open++;
    else this.#queue.push({ number, depth, state });
    this.#goals.forEach((goal, i) => this.#reached[i]!.push(isOpen || goal.reached(state) ? 1 : 0));
    if (number > 0 && number % progressEvery === 0) this.#options.onProgress?.(this.#statistics());
    return number;
  }

  #broken(state: AccountState): Breach | undefined {
    for (const invariant of this.#invariants) {
      const text = invariant.broken(state);
      if (text !== undefined) return { property: invariant.name, text };
    }
    return undefined;
  }

  /** What a fair world does serves the goals; a timer may be no way to reach one of them. */
  #note(state: AccountState, from: number, { choice, spends }: Option, to: number): void {
    if (spends !== undefined || choice.then !== undefined) return;
    let bits = 0;
    this.#goals.forEach((goal, i) => {
      if (choice.do !== 'timer' || !goal.without(state, choice)) bits |= 1 << i;
    });
    if (choice.do === 'load' && choice.later) bits = 0;
    if (bits !== 0) this.#edges.add(from, to, bits);
  }

  #unreachable(): Counterexample | undefined {
    for (const [i, goal] of this.#goals.entries()) {
      const reached = Uint8Array.from(this.#reached[i]!);
      const lost = this.#edges.lost(reached, this.#parents.length, 1 << i);
      if (lost === undefined) continue;
      const text = `from here a fair world never reaches: ${goal.statement}`;
      return { ...this.#head({ property: goal.name, text }), steps: this.#path(lost) };
    }
    return undefined;
  }

  #counterexample(from: number, last: Option, breach: Breach): Counterexample {
    return { ...this.#head(breach), steps: [...this.#path(from), last] };
  }

  #head({ property, text }: Breach): Omit<Counterexample, 'steps'> {
    return { property, text, bounds: this.#options.bounds };
  }

  #path(number: number): Option[] {
    const path: Option[] = [];
    for (let at = number; at > 0; at = this.#parents[at]!) path.push(this.#ways[at]!);
    return path.reverse();
  }

  #statistics(): Statistics {
    return {
      states: this.#parents.length,
      depth: this.#depth,
      transitions: this.#transitions,
      turns: this.#turns,
      crashes: this.#crashes,
      open: this.#open,
      seconds: (performance.now() - this.#begun) / 1000,
    };
  }

  #result(counterexample: Counterexample | undefined): Exploration {
    return { statistics: this.#statistics(), complete: this.#open === 0, counterexample };
  }
}

export type { Choice };
