/** A submission as its turn: whether it is a duplicate, and which serials its mailbox may take. */

import type { Input } from './account-world.js';
import type { Counters } from './counters.js';
import type { Digests } from './digests.js';
import type { HeldMessages } from './held-messages.js';
import type { SerialBlock } from './serials.js';
import type { TurnInput } from './turn.js';

export type SubmissionInput = Extract<Input, { kind: 'message' | 'recorded' | 'imported' }>;

export interface SubmissionParts {
  readonly digests: Digests;
  readonly held: HeldMessages;
  readonly counters: Counters;
}

export function submissionTurn(
  input: SubmissionInput,
  block: SerialBlock,
  { digests, held, counters }: SubmissionParts,
): TurnInput {
  const { payload } = input;
  if (input.kind === 'imported') {
    const known = digests.has(input.event.message.digest, input.event.at);
    const event = { ...input.event, duplicate: known, block };
    return { to: 'mailbox', event, payload, at: event.at };
  }
  const { at, transaction, message, limits } = input.event;
  const since = input.kind === 'recorded' ? input.begunAt : at;
  const duplicate = digests.has(message.digest, since);
  if (duplicate) counters['actors.duplicates']++;
  if (input.kind === 'recorded') {
    return { to: 'mailbox', event: { ...input.event, duplicate, block }, payload, at };
  }
  const { type, deferred } = input.event;
  const forward = held.hasRoom(input) ? input.event.forward : undefined;
  return {
    to: 'mailbox',
    // Written out: spreading costs as much here as everything else of this function together.
    event: { type, at, transaction, message, limits, duplicate, block, forward, deferred },
    payload,
    at,
  };
}
