/** Mutants of a machine: every way to do one small thing wrong in its configuration. */

import type { AnyStateMachine } from 'xstate';
import { configOf, machineOf, nameOf, type StateConfig, type TransitionConfig } from './altered.js';

export type MutantKind =
  'transition removed' | 'guard dropped' | 'guard negated' | 'action dropped' | 'target changed';

export interface Mutant {
  readonly name: string;
  readonly kind: MutantKind;
  readonly make: () => AnyStateMachine;
}

/** Where a transition stands: its state, and the event, or none. */
interface Place {
  readonly path: readonly string[];
  readonly event: string | undefined;
  readonly index: number;
}

export function mutantsOf(machine: AnyStateMachine): Mutant[] {
  const config = configOf(machine);
  const mutants: Mutant[] = [];
  visit(config, [], (state, path) => {
    for (const [event, transitions] of transitionLists(state)) {
      transitions.forEach((transition, index) => {
        mutants.push(...ofTransition(machine, transition, { path, event, index }));
      });
    }
    for (const edge of ['entry', 'exit'] as const) {
      state[edge]?.forEach((action, index) => {
        mutants.push({
          name: `${nameOfState(path)} ${edge}: without ${nameOf(action)} (${index})`,
          kind: 'action dropped',
          make: () => alter(machine, path, (inner) => inner[edge]!.splice(index, 1)),
        });
      });
    }
  });
  return mutants;
}

function ofTransition(machine: AnyStateMachine, given: TransitionConfig, place: Place): Mutant[] {
  const { path, event = 'always', index } = place;
  const where = `${nameOfState(path)} ${event} ${index}`;
  const change = (kind: MutantKind, what: string, act: Act, guards?: Guards): Mutant => ({
    name: `${where}: ${what}`,
    kind,
    make: () => alter(machine, path, (state) => act(listOf(state, place.event)), guards),
  });
  const one = (list: TransitionConfig[]): TransitionConfig => list[index]!;
  const mutants = [change('transition removed', 'removed', (list) => list.splice(index, 1))];
  if (given.guard !== undefined) {
    const name = nameOf(given.guard);
    mutants.push(
      change('guard dropped', `without guard ${name}`, (list) => delete one(list).guard),
      change(
        'guard negated',
        `unless ${name}`,
        (list) => (one(list).guard = `not ${name}`),
        negated(machine, name),
      ),
    );
  }
  ((given.actions ?? []) as unknown[]).forEach((action, at) => {
    mutants.push(
      change('action dropped', `without ${nameOf(action)} (${at})`, (list) =>
        (one(list).actions as unknown[]).splice(at, 1),
      ),
    );
  });
  if (given.target !== undefined) {
    const other = otherTarget(machine, given.target);
    mutants.push(
      change('target changed', `stays instead of ${given.target}`, (list) => {
        delete one(list).target;
      }),
      change('target changed', `to ${other} instead of ${given.target}`, (list) => {
        one(list).target = other;
      }),
    );
  }
  return mutants;
}

/** The first state of the machine that the target does not name. */
function otherTarget({ id, root }: AnyStateMachine, target: string): string {
  const names = Object.keys(root.states);
  const other = names.find((name) => !target.split(/[#.]/).includes(name)) ?? names[0]!;
  return `#${id}.${other}`;
}

type Act = (list: TransitionConfig[]) => unknown;
type Guards = Record<string, unknown>;

function negated(machine: AnyStateMachine, name: string): Guards {
  const guard = (machine.implementations.guards as Record<string, unknown>)[name];
  const question = guard as (args: unknown, params: unknown) => boolean;
  return { [`not ${name}`]: (args: unknown, params: unknown) => !question(args, params) };
}

function alter(
  machine: AnyStateMachine,
  path: readonly string[],
  act: (state: StateConfig) => unknown,
  guards: Guards = {},
): AnyStateMachine {
  const config = configOf(machine);
  act(path.reduce((state, name) => state.states![name]!, config));
  return machineOf(machine, config, guards);
}

function listOf(state: StateConfig, event: string | undefined): TransitionConfig[] {
  return event === undefined ? state.always! : state.on![event]!;
}

function transitionLists(
  state: StateConfig,
): (readonly [string | undefined, TransitionConfig[]])[] {
  const always = state.always ? [[undefined, state.always] as const] : [];
  return [...Object.entries(state.on ?? {}), ...always];
}

function visit(
  state: StateConfig,
  path: readonly string[],
  look: (state: StateConfig, path: readonly string[]) => void,
): void {
  look(state, path);
  for (const [name, inner] of Object.entries(state.states ?? {})) {
    visit(inner, [...path, name], look);
  }
}

function nameOfState(path: readonly string[]): string {
  return path.length === 0 ? '(all)' : path.join('.');
}
