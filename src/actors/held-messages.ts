/** Messages of one account that are being passed on: kept until it is known what becomes of them. */

import assert from 'node:assert';
import type { Address } from '../machines/events.js';
import type { AnswerParts, MessageInput } from './account-world.js';
import type { Digests } from './digests.js';
import type { Asked } from './turn.js';

/** Octets that all accounts of a node may hold together. */
export class OctetBudget {
  readonly #bound: number;
  #held = 0;

  constructor(bound: number) {
    this.#bound = bound;
  }

  get held(): number {
    return this.#held;
  }

  hasRoom(octets: number): boolean {
    return this.#held + octets <= this.#bound;
  }

  take(octets: number): void {
    this.#held += octets;
  }

  give(octets: number): void {
    this.#held -= octets;
    assert(this.#held >= 0);
  }
}

export class HeldMessages {
  readonly #budget: OctetBudget;
  readonly #held = new Map<Address, MessageInput>();

  constructor(budget: OctetBudget) {
    this.#budget = budget;
  }

  hasRoom(octets: number): boolean {
    return this.#budget.hasRoom(octets);
  }

  /** The message of an input whose turn has passed it on. */
  holdForwarded(input: MessageInput, effects: readonly Asked[]): void {
    for (const { by, effect } of effects) {
      if (effect.type !== 'sip.forward') continue;
      this.#budget.take(input.payload.length);
      this.#held.set(by, { ...input, payload: unshared(input.payload) });
    }
  }

  /** What is passed on. */
  submissionOf(by: Address): AnswerParts {
    const held = this.#held.get(by);
    return held ? { submission: { bytes: held.payload, sender: held.sender } } : {};
  }

  /** D-18: a repetition of a message that the user has taken is known as one. */
  rememberPassed(by: Address, digests: Digests, now: number): void {
    const event = this.#held.get(by)?.event;
    if (event) digests.add(event.message.digest, now, now);
  }

  /** D-12: what is to be stored like any other; a late answer finds it by its forward. */
  deferred(by: Address, late: boolean, now: number): MessageInput {
    const input = this.release(by);
    assert(input, 'a message is held until it is answered');
    const { forward: _, ...event } = input.event;
    const deferred = {
      receivedAt: event.at,
      ...(late && { forward: Number(by.slice(by.indexOf('/') + 1)) }),
    };
    return { ...input, event: { ...event, at: now, deferred } };
  }

  release(by: Address): MessageInput | undefined {
    const input = this.#held.get(by);
    if (!input) return undefined;
    this.#held.delete(by);
    this.#budget.give(input.payload.length);
    return input;
  }

  /** Lets go of everything. */
  clear(): MessageInput[] {
    return [...this.#held.keys()].flatMap((by) => this.release(by) ?? []);
  }
}

/** A stream hands out views on its chunks: a small message does not keep a large one. */
function unshared(bytes: Buffer): Buffer {
  return bytes.buffer.byteLength > 2 * bytes.length ? Buffer.from(bytes) : bytes;
}
