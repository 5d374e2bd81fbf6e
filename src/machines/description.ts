/** A machine as plain data: states, transitions, guards and actions by their names. */

import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';

/** `change`: of the context; `effect`: what the shell is asked for. */
export interface ActionDescription {
  readonly kind: 'change' | 'effect';
  readonly name: string;
}

export interface TransitionDescription {
  /** Absent: taken as soon as its guard holds. */
  readonly event?: string;
  readonly guard?: string;
  readonly actions: readonly ActionDescription[];
  /** Path of the state; absent: it stays where it is. */
  readonly target?: string;
}

export interface StateDescription {
  /** Names from the outer to the inner one with points between them. */
  readonly path: string;
  readonly type: 'atomic' | 'compound' | 'final';
  /** Path of the first state inside. */
  readonly initial?: string;
  readonly entry: readonly ActionDescription[];
  readonly exit: readonly ActionDescription[];
  /** In the order in which they are asked. */
  readonly transitions: readonly TransitionDescription[];
  readonly states: readonly StateDescription[];
}

export interface MachineDescription {
  readonly name: string;
  readonly initial: string;
  /** What holds in every state. */
  readonly transitions: readonly TransitionDescription[];
  readonly states: readonly StateDescription[];
}

/** Describes a machine. Throws for what has no name. */
export function describeMachine(name: string, machine: AnyStateMachine): MachineDescription {
  const { root } = machine;
  return {
    name,
    initial: pathOf(root.initial.target[0] as AnyStateNode),
    transitions: transitionsOf(machine, root),
    states: Object.values(root.states).map((state) => stateOf(machine, state)),
  };
}

/** Every state, the outer before the inner. */
export function statesOf({ states }: Pick<MachineDescription, 'states'>): StateDescription[] {
  return states.flatMap((state) => [state, ...statesOf(state)]);
}

function stateOf(machine: AnyStateMachine, state: AnyStateNode): StateDescription {
  const type = state.type as StateDescription['type'];
  return {
    path: pathOf(state),
    type,
    ...(type === 'compound' && { initial: pathOf(state.initial.target[0] as AnyStateNode) }),
    entry: state.entry.map((action: unknown) => actionOf(machine, state, action)),
    exit: state.exit.map((action: unknown) => actionOf(machine, state, action)),
    transitions: transitionsOf(machine, state),
    states: Object.values(state.states).map((inner) => stateOf(machine, inner)),
  };
}

function transitionsOf(machine: AnyStateMachine, state: AnyStateNode): TransitionDescription[] {
  const told = [...state.transitions.entries()].flatMap(([event, transitions]) =>
    transitions.map((transition) => transitionOf(machine, state, transition, event)),
  );
  const eventless = (state.always ?? []).map((transition) =>
    transitionOf(machine, state, transition, undefined),
  );
  return [...told, ...eventless];
}

function transitionOf(
  machine: AnyStateMachine,
  state: AnyStateNode,
  transition: AnyTransitionDefinition,
  event: string | undefined,
): TransitionDescription {
  const [to] = (transition.target ?? []) as readonly AnyStateNode[];
  // As in XState, who is there already does not go there.
  const stays = to === undefined || (to === state && !transition.reenter);
  return {
    ...(event !== undefined && { event }),
    ...(transition.guard !== undefined && { guard: guardOf(state, transition.guard) }),
    actions: transition.actions.map((action: unknown) => actionOf(machine, state, action)),
    ...(!stays && { target: pathOf(to) }),
  };
}

function guardOf(state: AnyStateNode, guard: unknown): string {
  const { name, params } = nameOf(state, guard);
  if (params === undefined) return name;
  const values = Object.values(params as Readonly<Record<string, unknown>>);
  return `${name}(${values.map(String).join(', ')})`;
}

function actionOf(
  machine: AnyStateMachine,
  state: AnyStateNode,
  action: unknown,
): ActionDescription {
  const { name } = nameOf(state, action);
  const found: unknown = machine.implementations.actions[name];
  // XState marks its own actions so; of those, machines here use `assign` alone.
  const kind = typeof found === 'function' && 'resolve' in found ? 'change' : 'effect';
  return { kind, name };
}

function nameOf(state: AnyStateNode, declared: unknown): { name: string; params: unknown } {
  if (typeof declared === 'string') return { name: declared, params: undefined };
  if (typeof declared === 'object' && declared !== null && 'type' in declared) {
    const params = 'params' in declared ? declared.params : undefined;
    return { name: String(declared.type), params };
  }
  throw new Error(`MACHINE_NOT_DESCRIBED: ${state.id}: something has no name`);
}

function pathOf(state: AnyStateNode): string {
  return state.path.join('.');
}
