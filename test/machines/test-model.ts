/**
 * The model as @xstate/test has it: XState's own machine, where `xstate/graph` walks our tables.
 *
 * `createTestModel` of 1.0.0-beta.5 cannot take a machine of XState 5.33: the graph it comes with
 * runs it in an actor scope of XState 5.5, which has no `actionExecutor`, so that the first effect
 * throws. `TestModel` takes any logic: ours steps the machine in a scope that has everything.
 */

import { TestModel } from '@xstate/test';
import type { ActorScope, AnyMachineSnapshot, EventObject, Snapshot } from 'xstate';
import type { Effect } from '../../src/machines/effects.js';
import type { AccountEvent } from '../../src/machines/events.js';
import type { ActorSnapshot } from '../../src/machines/index.js';
import { beginning, behind, type Model, type Situation } from './models.js';

/** What XState did with an event. */
export interface Move {
  readonly snapshot: ActorSnapshot;
  readonly effects: readonly Effect[];
  readonly handled: boolean;
}

/** A machine in XState; notes the transitions that it takes. */
export class Interpreter {
  readonly taken = new Set<unknown>();
  readonly #model: Model;
  readonly #moves = new WeakMap<ActorSnapshot, Map<AccountEvent, Move>>();
  #effects: Effect[] = [];
  #handled = false;

  constructor(model: Model) {
    this.#model = model;
  }

  /** The same snapshot and event are asked for by every walk; XState takes them once. */
  move(from: ActorSnapshot, event: AccountEvent): Move {
    const moves = this.#moves.get(from) ?? new Map<AccountEvent, Move>();
    this.#moves.set(from, moves);
    const move = moves.get(event) ?? this.#take(from, event);
    moves.set(event, move);
    return move;
  }

  #take({ value, context }: ActorSnapshot, event: AccountEvent): Move {
    const { machine } = this.#model.definition;
    this.#effects = [];
    this.#handled = false;
    const present = machine.resolveState({ value: value as string, context });
    const next = machine.transition(present, event, this.#scope) as ActorSnapshot;
    const snapshot = { value: next.value, context: next.context, status: next.status };
    return { snapshot, effects: this.#effects, handled: this.#handled };
  }

  readonly #scope = {
    id: '',
    sessionId: '',
    self: { id: '', sessionId: '' },
    system: { _sendInspectionEvent: (inspected: Inspected) => this.#inspect(inspected) },
    logger: () => undefined,
    defer: () => undefined,
    emit: () => undefined,
    stopChild: () => undefined,
    actionExecutor: ({ params }: { readonly params: Effect | readonly Effect[] }) =>
      void this.#effects.push(...('type' in params ? [params] : params)),
  } as unknown as ActorScope<AnyMachineSnapshot, EventObject>;

  #inspect({ _transitions = [] }: Inspected): void {
    for (const transition of _transitions) this.taken.add(transition);
    if (_transitions.length > 0) this.#handled = true;
  }
}

interface Inspected {
  readonly _transitions?: readonly unknown[];
}

/** A situation is all of a snapshot that generators look at. */
type Seen = Situation & Snapshot<undefined>;

export type SituationModel = TestModel<Seen, AccountEvent, undefined>;

/** The model for @xstate/test, stepped by that interpreter. */
export function testModelOf(model: Model, interpreter: Interpreter): SituationModel {
  const logic = {
    getInitialSnapshot: () => beginning(model),
    transition: (situation: Situation, event: AccountEvent) =>
      behind(situation, event, interpreter.move(situation.snapshot, event)),
  };
  return new TestModel<Seen, AccountEvent, undefined>(logic as never, {
    events: ((situation: Situation) => model.events(situation)) as never,
    serializeState: (situation: Situation) => model.essence(situation),
    serializeEvent: (event: AccountEvent) => JSON.stringify(event),
  });
}
