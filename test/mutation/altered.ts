/** Machines that are altered on purpose: a copy of the configuration with one thing done to it. */

import { createMachine, type AnyStateMachine } from 'xstate';
import { snapshotAt, unborn, type Definition } from '../../src/machines/step.js';

/** A transition as it is declared. */
export interface TransitionConfig {
  guard?: string | { type: string };
  actions?: unknown;
  target?: string | undefined;
  [more: string]: unknown;
}

/** A state as it is declared, with all transitions in lists. */
export interface StateConfig {
  id?: string;
  type?: string;
  initial?: string;
  states?: Record<string, StateConfig>;
  on?: Record<string, TransitionConfig[]>;
  always?: TransitionConfig[];
  entry?: unknown[];
  exit?: unknown[];
  [more: string]: unknown;
}

/** The configuration in a form that is easily altered; actions and guards are shared. */
export function configOf(machine: AnyStateMachine): StateConfig {
  return copied(machine.config as unknown as StateConfig);
}

function copied(state: StateConfig): StateConfig {
  const copy: StateConfig = { ...state };
  if (state.states) {
    copy.states = Object.fromEntries(
      Object.entries(state.states).map(([name, inner]) => [name, copied(inner)]),
    );
  }
  if (state.on) {
    copy.on = Object.fromEntries(
      Object.entries(state.on).map(([type, given]) => [type, transitions(given)]),
    );
  }
  if (state.always) copy.always = transitions(state.always);
  if (state.entry !== undefined) copy.entry = listOf(state.entry);
  if (state.exit !== undefined) copy.exit = listOf(state.exit);
  return copy;
}

function transitions(given: unknown): TransitionConfig[] {
  return listOf(given).map((one) => {
    const transition = typeof one === 'string' ? { target: one } : { ...(one as TransitionConfig) };
    if (transition.actions !== undefined) transition.actions = listOf(transition.actions);
    return transition;
  });
}

function listOf(given: unknown): unknown[] {
  return Array.isArray(given) ? [...(given as unknown[])] : [given];
}

/** The machine of that configuration, with the guards and actions of the other one. */
export function machineOf(
  original: AnyStateMachine,
  config: StateConfig,
  guards: Record<string, unknown> = {},
  actions: Record<string, unknown> = {},
): AnyStateMachine {
  const { implementations } = original;
  const given = {
    ...implementations,
    guards: { ...implementations.guards, ...guards },
    actions: { ...implementations.actions, ...actions },
  };
  return createMachine(config as never, given as never);
}

/** The definition with an altered machine, as production would revive it. */
export function altered(original: Definition, alter: (config: StateConfig) => void): Definition {
  const config = configOf(original.machine);
  alter(config);
  const machine = machineOf(original.machine, config);
  return {
    ...original,
    machine,
    unborn: unborn(machine),
    revive: (atRest) => {
      const { value, context } = original.revive(atRest);
      return snapshotAt(machine, value, context);
    },
  };
}

/** Every transition, with its state, its event and its place among those of the event. */
export function visitTransitions(
  state: StateConfig,
  look: (transition: TransitionConfig, where: string) => void,
  path: readonly string[] = [],
): void {
  const own = [...Object.entries(state.on ?? {}), ['always', state.always ?? []] as const];
  for (const [event, transitions] of own) {
    transitions.forEach((transition, index) => {
      look(transition, `${path.join('.') || '(all)'} ${event} ${index}`);
    });
  }
  for (const [name, inner] of Object.entries(state.states ?? {})) {
    visitTransitions(inner, look, [...path, name]);
  }
}

/** The name of an action or guard. */
export function nameOf(declared: unknown): string {
  return typeof declared === 'string' ? declared : (declared as { readonly type: string }).type;
}

/** Takes one action of that name off a transition, or off the entry of a state. */
export function dropAction(actions: unknown, name: string, nth = 0): void {
  const list = actions as unknown[];
  const found = list.flatMap((action, i) => (nameOf(action) === name ? [i] : []));
  const at = found[nth] ?? -1;
  if (at < 0) throw new Error(`there is no action ${name}`);
  list.splice(at, 1);
}
