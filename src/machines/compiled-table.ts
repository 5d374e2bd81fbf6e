/** The table of a machine: what XState works out at every step, worked out once (ADR 0008). */

import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import type { Action, Copy, Place, Table, Told, Way } from './compiled.js';

/** Compiles the machine. Throws when it uses anything of XState that tables do not know. */
export function tableOf(machine: AnyStateMachine): Table {
  const leaves = leavesOf(machine.root);
  const drafts = new Map(leaves.map((leaf) => [leaf, draftOf(leaf)]));
  const context: Compilation = { machine, placeOf: (leaf) => drafts.get(leaf)! };
  const table = new Map<unknown, Place>();
  for (const [leaf, place] of drafts) {
    fill(context, leaf, place);
    table.set(place.value, place).set(leaf.path.join('.'), place);
  }
  return table;
}

interface Compilation {
  readonly machine: AnyStateMachine;
  readonly placeOf: (leaf: AnyStateNode) => Place;
}

interface Draft extends Place {
  readonly on: Map<string, readonly Way[]>;
  readonly always: Way[];
}

/** Places come before ways: ways lead to places. */
function draftOf(leaf: AnyStateNode): Draft {
  const value = leaf.path.reduceRight<string | object | undefined>(
    (inner, key) => (inner === undefined ? key : Object.freeze({ [key]: inner })),
    undefined,
  );
  if (value === undefined) throw refused(leaf, 'no states');
  const status = leaf.type === 'final' ? 'done' : 'active';
  return { value, status, on: new Map(), always: [] };
}

function fill(compilation: Compilation, leaf: AnyStateNode, draft: Draft): void {
  const nodes = pathOf(leaf).reverse();
  const types = new Set(nodes.flatMap((state) => [...state.transitions.keys()]));
  for (const type of types) {
    if (type.includes('*')) throw refused(leaf, `the wildcard ${type}`);
    const found = nodes.flatMap((state) => state.transitions.get(type) ?? []);
    draft.on.set(type, waysOf(compilation, leaf, found));
  }
  const eventless = nodes.flatMap((state) => state.always ?? []);
  draft.always.push(...waysOf(compilation, leaf, eventless));
}

/** In the order in which they are asked; nobody comes past the first without a guard. */
function waysOf(
  compilation: Compilation,
  leaf: AnyStateNode,
  transitions: readonly AnyTransitionDefinition[],
): Way[] {
  const ways: Way[] = [];
  for (const transition of transitions) {
    ways.push(wayOf(compilation, leaf, transition));
    if (transition.guard === undefined) break;
  }
  return ways;
}

function wayOf(
  { machine, placeOf }: Compilation,
  leaf: AnyStateNode,
  transition: AnyTransitionDefinition,
): Way {
  refuseOthers(leaf, transition, transitionFields);
  const guard = guardOf(machine, leaf, transition.guard);
  const { exited, entered, to } = routeOf(leaf, transition);
  const actions = [
    ...exited.flatMap((state) => state.exit),
    ...transition.actions,
    ...entered.flatMap((state) => state.entry),
    // As in XState, what is final is left as well.
    ...(to?.type === 'final' ? pathOf(to).reverse() : []).flatMap((state) => state.exit),
  ].map((action: unknown) => actionOf(machine, leaf, action));
  return { ...guard, actions, to: to && placeOf(to) };
}

interface Route {
  /** From the inside. */
  readonly exited: readonly AnyStateNode[];
  /** From the outside. */
  readonly entered: readonly AnyStateNode[];
  readonly to: AnyStateNode | undefined;
}

/** SCXML: everything below the domain of the transition is left, and entered again. */
function routeOf(leaf: AnyStateNode, transition: AnyTransitionDefinition): Route {
  const { source, reenter } = transition;
  const target = transition.target as readonly AnyStateNode[] | undefined;
  if (target === undefined) return { exited: [], entered: [], to: undefined };
  const [inner] = target;
  if (inner?.parent === undefined || target.length > 1) throw refused(leaf, 'such a target');
  const to = initialLeafOf(inner);
  const around = pathOf(inner);
  const inside = !reenter && around.includes(source);
  const domain = inside ? source : commonAncestor(around.slice(0, -1), source);
  if (domain === undefined) throw refused(leaf, 'to enter the root again');
  const below = (state: AnyStateNode): boolean =>
    state !== domain && pathOf(state).includes(domain);
  return { exited: pathOf(leaf).filter(below).reverse(), entered: pathOf(to).filter(below), to };
}

/** The innermost of these, outermost first, that is around the source and not the source. */
function commonAncestor(
  ancestors: readonly AnyStateNode[],
  source: AnyStateNode,
): AnyStateNode | undefined {
  const around = pathOf(source).slice(0, -1);
  return ancestors.filter((state) => around.includes(state)).at(-1);
}

function guardOf(machine: AnyStateMachine, leaf: AnyStateNode, guard: unknown) {
  if (guard === undefined) return { guard: undefined, params: undefined };
  const { name, params } = nameAndParams(leaf, guard);
  const implementation: unknown = machine.implementations.guards[name];
  if (typeof implementation !== 'function' || 'check' in implementation) {
    throw refused(leaf, `the guard ${name}`);
  }
  if (typeof params === 'function') throw refused(leaf, `functions for the guard ${name}`);
  return { guard: implementation as NonNullable<Way['guard']>, params };
}

function actionOf(machine: AnyStateMachine, leaf: AnyStateNode, action: unknown): Action {
  const { name, params } = nameAndParams(leaf, action);
  const found: unknown = machine.implementations.actions[name];
  if (typeof found !== 'function') throw refused(leaf, `the action ${name}`);
  const { resolve, type, assignment, copy } = found as unknown as Implementation;
  const nothing = { name, change: undefined, copy, make: undefined, said: undefined };
  if (resolve !== undefined) {
    if (type !== 'xstate.assign' || assignment === undefined || params !== undefined) {
      throw refused(leaf, `the action ${name}`);
    }
    return { ...nothing, change: changeOf(assignment) };
  }
  if (params === undefined) throw new Error(`MACHINE_ACTION_WITHOUT_EFFECT: ${name}`);
  if (typeof params === 'function') return { ...nothing, make: params as Action['make'] };
  return { ...nothing, said: params as Action['said'] };
}

type Field = (told: Told) => unknown;
type Assignment = ((told: Told) => object) | Readonly<Record<string, unknown>>;

/** An action in `setup`; XState marks its own with `resolve`. */
interface Implementation {
  readonly type?: string;
  readonly resolve?: unknown;
  readonly assignment?: Assignment;
  readonly copy?: Copy;
}

function changeOf(assignment: Assignment): (told: Told) => object {
  if (typeof assignment === 'function') return assignment;
  const fields = Object.entries(assignment);
  return (told) => {
    const values: Record<string, unknown> = {};
    for (const [name, value] of fields) {
      values[name] = typeof value === 'function' ? (value as Field)(told) : value;
    }
    return values;
  };
}

function nameAndParams(leaf: AnyStateNode, declared: unknown): { name: string; params: unknown } {
  if (typeof declared === 'string') return { name: declared, params: undefined };
  if (typeof declared !== 'object' || declared === null || !('type' in declared)) {
    throw refused(leaf, 'what has no name');
  }
  return {
    name: String(declared.type),
    params: 'params' in declared ? declared.params : undefined,
  };
}

// --------------------------------------------------------------------------------- states

/** The innermost states below this one, which only holds what tables know. */
function leavesOf(state: AnyStateNode): AnyStateNode[] {
  refuseOthers(state, state.config as object, stateFields);
  if (!['atomic', 'compound', 'final'].includes(state.type)) throw refused(state, state.type);
  if (state.type === 'final' && state.parent?.parent !== undefined) {
    throw refused(state, 'a final state inside another');
  }
  if (state.type !== 'compound') return [state];
  if (state.initial.actions.length > 0) throw refused(state, 'actions of the initial transition');
  return Object.values(state.states).flatMap(leavesOf);
}

/** From the root to the state itself. */
function pathOf(state: AnyStateNode): AnyStateNode[] {
  const nodes: AnyStateNode[] = [];
  for (let next: AnyStateNode | undefined = state; next; next = next.parent) nodes.unshift(next);
  return nodes;
}

function initialLeafOf(state: AnyStateNode): AnyStateNode {
  let leaf = state;
  while (leaf.type === 'compound') leaf = leaf.initial.target[0] as AnyStateNode;
  return leaf;
}

const stateFields = new Set(
  ['id', 'type', 'context', 'initial', 'states', 'on', 'always', 'entry', 'exit'].concat(
    // `setup` leaves its types here.
    'schemas',
  ),
);
const transitionFields = new Set(
  ['guard', 'actions', 'target', 'reenter'].concat('source', 'eventType', 'toJSON'),
);

function refuseOthers(state: AnyStateNode, declared: object, known: ReadonlySet<string>): void {
  for (const name of Object.keys(declared)) {
    if (!known.has(name)) throw refused(state, `\`${name}\``);
  }
}

function refused({ id }: AnyStateNode, what: string): Error {
  return new Error(`MACHINE_NOT_COMPILED: ${id}: tables do not know ${what}`);
}
