/** What the memory of an account is made with, and what it keeps of a turn until that is durable. */

import type { AccountEvent, Address } from '../machines/events.js';
import type { AccountId, StorePort } from '../ports.js';
import type { AccountWorld, AnswerParts, Input } from './account-world.js';
import type { Digests } from './digests.js';
import type { OutboxRow } from './outbox.js';
import type { Counters } from './counters.js';
import type { Asked, TurnResult } from './turn.js';

/** A turn that was taken: what is to be done when everything up to it is durable. */
export interface Taken {
  readonly effects: readonly Asked[];
  readonly durable: readonly DurableTaken[];
  readonly transaction: string | undefined;
  readonly asked: AnswerParts | undefined;
}

export interface DurableTaken {
  readonly number: number;
  readonly row: OutboxRow;
}

export interface MemoryParts {
  readonly account: AccountId;
  readonly world: AccountWorld;
  readonly store: StorePort;
  readonly digests: Digests;
  /** A timer of a session has run out, or the like: to be queued whatever the bound. */
  tell(to: Address, event: AccountEvent): void;
  /** A message that was passed on in vain comes again, or timers are to be looked at. */
  resubmit(input: Input): void;
  /** There is room for further turns. */
  advanced(): void;
  /** The store has failed, or we have: the memory is not to be trusted any more. */
  failed(error: unknown): void;
}

/** What metrics are told of a turn that was taken. */
export function countTurn(
  counters: Counters,
  { change, deadLetters }: Extract<TurnResult, { kind: 'done' }>,
): void {
  counters['actors.deadLetters'] += deadLetters;
  if (change.isEmpty) return;
  const { stored, gone } = change.messages;
  counters['actors.messages.stored'] += stored;
  counters['actors.messages.gone'] += gone;
}

export const nothing: readonly never[] = [];

/** Of a turn that nobody waits for. */
export const untold: Taken = {
  effects: nothing,
  durable: nothing,
  transaction: undefined,
  asked: undefined,
};
