/** How the machines of transactions declare guards, timers and effects. */

import type { AnyStateMachine } from 'xstate';
import { step, unborn, type ActorSnapshot, type Definition } from '../step.js';
import type { Notice, Passage, TimerStart, TransactionEffect, Transmission } from './effects.js';
import type { TransactionEvent, TransactionFacts, TransactionTimer } from './events.js';

/** A transaction that lives in memory only. The type parameter binds its events. */
export interface TransactionDefinition<Event extends TransactionEvent> {
  readonly definition: Definition;
  /** Never there; carries the type. */
  readonly types?: { readonly event: Event };
}

export interface TransactionTurn {
  readonly snapshot: ActorSnapshot;
  /** In the order in which they are to be done. */
  readonly effects: readonly TransactionEffect[];
  /** False when the event means nothing in the state. */
  readonly handled: boolean;
}

export function transactionDefinition<Event extends TransactionEvent>(
  machine: AnyStateMachine,
): TransactionDefinition<Event> {
  const initial = unborn(machine);
  return {
    definition: {
      machine,
      unborn: initial,
      birth: [],
      rest: () => undefined,
      revive: () => initial,
    },
  };
}

/** Steps the transaction by one event; without a snapshot it begins. */
export function transactionStep<Event extends TransactionEvent>(
  { definition }: TransactionDefinition<Event>,
  snapshot: ActorSnapshot | undefined,
  event: Event,
): TransactionTurn {
  // The step is the same for every machine; its signature names the dictionary of the account.
  return step(definition, snapshot, event as never) as unknown as TransactionTurn;
}

interface Told {
  readonly event: TransactionEvent;
}

/** Questions to the event. */
export const guards = {
  isTimer: ({ event }: Told, { name }: { readonly name: TransactionTimer }): boolean =>
    event.type === 'timer.fired' && event.name === name,
  isProvisional: ({ event }: Told): boolean => 'status' in event && event.status < 200,
  isSuccess: ({ event }: Told): boolean =>
    'status' in event && event.status >= 200 && event.status < 300,
  isFailure: ({ event }: Told): boolean => 'status' in event && event.status >= 300,
};

/** The guard of the transition that a timer takes. */
export function fired<Name extends TransactionTimer>(name: Name) {
  return { type: 'isTimer', params: { name } } as const;
}

type Effects = TransactionEffect | readonly TransactionEffect[];
type NoBody = (args: unknown, params: Effects) => void;

/** Effects are data: the step hands them over. */
const noBody: NoBody = () => undefined;

/** Every effect as an action for `setup`. */
export const effectActions = {
  'request.send': noBody,
  'request.repeat': noBody,
  'request.pass': noBody,
  'ack.send': noBody,
  'ack.pass': noBody,
  'response.send': noBody,
  'response.repeat': noBody,
  'response.pass': noBody,
  'user.timeout': noBody,
  'user.failed': noBody,
  'user.overdue': noBody,
  'timer.start': noBody,
  'timer.stop': noBody,
} satisfies Record<TransactionEffect['type'], NoBody>;

/** An effect without fields as an action. */
export function say<Type extends (Transmission | Passage | Notice)['type']>(type: Type) {
  return { type, params: { type } } as const;
}

/** Starts a timer that fires once. */
export function startTimer(name: TransactionTimer, delayMs: (facts: TransactionFacts) => number) {
  return {
    type: 'timer.start',
    params: ({ event }: Told): Effects => timerStart(name, delayMs(event.facts)),
  } as const;
}

/** Starts A, E or G for its next interval; a reliable transport repeats nothing. */
export function startRepetition(name: TransactionTimer) {
  return {
    type: 'timer.start',
    params: ({ context, event }: Told & { readonly context: Repetition }): Effects =>
      event.facts.reliable ? [] : timerStart(name, context.intervalMs),
  } as const;
}

/** The interval after which A, E or G repeats the message again. */
export interface Repetition {
  readonly intervalMs: number;
}

export function stopTimer(name: TransactionTimer) {
  return { type: 'timer.stop', params: { type: 'timer.stop', name } } as const;
}

function timerStart(name: TransactionTimer, delayMs: number): TimerStart {
  return { type: 'timer.start', name, delayMs };
}
