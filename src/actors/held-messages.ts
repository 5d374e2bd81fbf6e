/** Requests of one account that are being passed on: kept until it is known what becomes of them. */

import assert from 'node:assert';
import type { Address } from '../machines/events.js';
import type { AnswerParts, InvitationInput, MessageInput } from './account-world.js';
import type { Counters } from './counters.js';
import type { Digests } from './digests.js';
import type { Asked } from './turn.js';

/** What all accounts of a node may hold together. */
export class Budget {
  readonly #bound: number;
  #held = 0;

  constructor(bound: number) {
    this.#bound = bound;
  }

  get held(): number {
    return this.#held;
  }

  hasRoom(count: number): boolean {
    return this.#held + count <= this.#bound;
  }

  take(count: number): void {
    this.#held += count;
  }

  give(count: number): void {
    this.#held -= count;
    assert(this.#held >= 0);
  }
}

/** What accounts have in common. */
export interface HeldShared {
  readonly counters: Counters;
  readonly forwardOctets: Budget;
  readonly bridges: Budget;
}

type HeldInput = MessageInput | InvitationInput;

export class HeldMessages {
  readonly #shared: HeldShared;
  /** Absent: none. */
  #held: Map<Address, HeldInput> | undefined;

  constructor(shared: HeldShared) {
    this.#shared = shared;
  }

  hasRoom(input: HeldInput): boolean {
    const { forwardOctets, bridges } = this.#shared;
    if (input.kind === 'invitation' && !bridges.hasRoom(1)) return false;
    return forwardOctets.hasRoom(octetsOf(input).length);
  }

  /** Without room for it, an INVITE is not passed on. */
  admitted(input: InvitationInput): InvitationInput['event'] {
    const { forward, ...event } = input.event;
    return forward && this.hasRoom(input) ? input.event : event;
  }

  /** The request of an input whose turn has passed it on. */
  holdForwarded(input: HeldInput, effects: readonly Asked[]): void {
    const { counters, forwardOctets, bridges } = this.#shared;
    for (const { by, effect } of effects) {
      if (effect.type !== 'sip.forward' || this.#held?.has(by)) continue;
      counters[counterOf(by)]++;
      forwardOctets.take(octetsOf(input).length);
      if (input.kind === 'invitation') {
        bridges.take(1);
        this.#hold(by, { ...input, octets: unshared(input.octets) });
      } else this.#hold(by, { ...input, payload: unshared(input.payload) });
    }
  }

  #hold(by: Address, input: HeldInput): void {
    this.#held ??= new Map();
    this.#held.set(by, input);
  }

  /** What is passed on. */
  submissionOf(by: Address): AnswerParts {
    const held = this.#held?.get(by);
    if (!held) return {};
    const submission = { bytes: octetsOf(held), sender: held.sender };
    return held.kind === 'invitation'
      ? { ...held.asked, submission, transaction: held.event.transaction }
      : { submission };
  }

  /** D-18: a repetition of a message that the user has taken is known as one. */
  rememberPassed(by: Address, digests: Digests, now: number): void {
    const held = this.#held?.get(by);
    if (held?.kind === 'message') digests.add(held.event.message.digest, now, now);
  }

  /** D-12: what is to be kept here like any other; a late answer finds it by its forward. */
  deferred(by: Address, late: boolean, now: number): HeldInput {
    const input = this.release(by);
    assert(input, 'a request is held until it is answered');
    this.#shared.counters[`${counterOf(by)}.deferred`]++;
    if (input.kind === 'invitation') {
      const { forward: _, ...event } = input.event;
      return { ...input, event: { ...event, at: now } };
    }
    const { forward: _, ...event } = input.event;
    const deferred = {
      receivedAt: event.at,
      ...(late && { forward: Number(by.slice(by.indexOf('/') + 1)) }),
    };
    return { ...input, event: { ...event, at: now, deferred } };
  }

  release(by: Address): HeldInput | undefined {
    const input = this.#held?.get(by);
    if (!input) return undefined;
    this.#held?.delete(by);
    const { forwardOctets, bridges } = this.#shared;
    forwardOctets.give(octetsOf(input).length);
    if (input.kind === 'invitation') bridges.give(1);
    return input;
  }

  /** Lets go of everything. */
  clear(): HeldInput[] {
    return [...(this.#held?.keys() ?? [])].flatMap((by) => this.release(by) ?? []);
  }
}

/** What counts requests that are passed on, and with `.deferred` those that were in vain. */
function counterOf(by: Address): 'actors.bridges' | 'actors.forwards' {
  return by.startsWith('bridge/') ? 'actors.bridges' : 'actors.forwards';
}

function octetsOf(input: HeldInput): Buffer {
  return input.kind === 'invitation' ? input.octets : input.payload;
}

/** A stream hands out views on its chunks: a small message does not keep a large one. */
function unshared(bytes: Buffer): Buffer {
  return bytes.buffer.byteLength > 2 * bytes.length ? Buffer.from(bytes) : bytes;
}
