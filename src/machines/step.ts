/** One step of a machine: by its table, and by XState as the oracle; nobody else runs XState. */

import type { ActorScope, AnyMachineSnapshot, AnyStateMachine, EventObject } from 'xstate';
import { placeOf, stepTable, type ActorSnapshot, type Step, type Table } from './compiled.js';
import { tableOf } from './compiled-table.js';
import type { Effect } from './effects.js';
import type { AccountEvent } from './events.js';

export type { ActorSnapshot, Step } from './compiled.js';

/** What is stored of an actor. Plain data; names in it are stored data. */
export interface AtRest {
  /** Number of the form; a changed form gets the next number and a migration. */
  readonly schema: number;
  readonly state: string;
  readonly context: Readonly<Record<string, unknown>>;
}

/** A machine, and what the shell must know of it. */
export interface Definition {
  readonly machine: AnyStateMachine;
  /** The snapshot before birth. */
  readonly unborn: ActorSnapshot;
  /** Event types that bring an absent actor to life; `step` has the last word by `handled`. */
  readonly birth: readonly AccountEvent['type'][];
  /** What is to be stored; undefined: nothing, the actor lives in memory only. */
  readonly rest: (snapshot: ActorSnapshot) => AtRest | undefined;
  /** The actor as it was at rest. Throws on a schema it does not know. */
  readonly revive: (atRest: AtRest) => ActorSnapshot;
}

/** Steps the machine by one event; `snapshot` is undefined for an actor that is born by it. */
export function step(
  definition: Definition,
  snapshot: ActorSnapshot | undefined,
  event: AccountEvent,
): Step {
  return stepTable(tableFor(definition.machine), snapshot ?? definition.unborn, event);
}

/** The same step as XState takes it: what `step` is held to, several times as slow. */
export function oracleStep(
  { machine, unborn: initial }: Definition,
  snapshot: ActorSnapshot | undefined,
  event: AccountEvent,
): Step {
  effects = [];
  handled = false;
  const { value, context } = snapshot ?? initial;
  const present = machine.resolveState({ value: value as string, context });
  const next = machine.transition(present, event, scope) as ActorSnapshot;
  return { snapshot: plain(next), effects, handled };
}

/** The snapshot of a machine before its first event. Compiles the machine, or throws. */
export function unborn(machine: AnyStateMachine): ActorSnapshot {
  const { value, context } = machine.getInitialSnapshot(scope, undefined) as ActorSnapshot;
  return snapshotAt(machine, value, context);
}

/** An actor that goes on in this state. Throws when the machine has no such state. */
export function snapshotAt(
  machine: AnyStateMachine,
  value: unknown,
  context: unknown,
): ActorSnapshot {
  const place = placeOf(tableFor(machine), value);
  return { value: place.value, context, status: place.status };
}

/** Whether two rest forms say the same: fields are compared by identity, which machines keep. */
export function sameAtRest(one: AtRest | undefined, other: AtRest | undefined): boolean {
  if (one === other) return true;
  if (one === undefined || other === undefined) return false;
  if (one.state !== other.state || one.schema !== other.schema) return false;
  if (one.context === other.context) return true;
  let names = 0;
  for (const name in one.context) {
    if (one.context[name] !== other.context[name]) return false;
    names++;
  }
  for (const _name in other.context) names--;
  return names === 0;
}

const tables = new WeakMap<AnyStateMachine, Table>();

/** The table by which the machine is stepped. */
export function tableFor(machine: AnyStateMachine): Table {
  let table = tables.get(machine);
  if (table === undefined) {
    table = tableOf(machine);
    tables.set(machine, table);
  }
  return table;
}

function plain({ value, context, status }: ActorSnapshot): ActorSnapshot {
  return { value, context, status };
}

// --------------------------------------------------------------------------------- oracle

let effects: Effect[] = [];
let handled = false;

interface Microstep {
  readonly type: string;
  readonly _transitions?: readonly unknown[];
}

interface DeclaredAction {
  readonly type: string;
  readonly params: Effect | readonly Effect[] | undefined;
}

function collect(action: DeclaredAction): void {
  const { params } = action;
  if (params === undefined) throw new Error(`MACHINE_ACTION_WITHOUT_EFFECT: ${action.type}`);
  if ('type' in params) effects.push(params);
  else for (const effect of params) effects.push(effect);
}

function inspect(microstep: Microstep): void {
  if (microstep._transitions !== undefined && microstep._transitions.length > 0) handled = true;
}

function nothing(): void {
  // The scope is inert: machines spawn, defer and emit nothing.
}

/**
 * XState's view of the actor it runs in. One for all steps: the public `transition()` builds an
 * actor for each call.
 */
const scope = {
  id: '',
  sessionId: '',
  self: { id: '', sessionId: '' },
  system: { _sendInspectionEvent: inspect },
  logger: nothing,
  defer: nothing,
  emit: nothing,
  stopChild: nothing,
  actionExecutor: collect,
} as unknown as ActorScope<AnyMachineSnapshot, EventObject>;
