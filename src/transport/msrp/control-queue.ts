/** Responses and reports of one connection until its peer takes them: nothing more is read meanwhile. */

import type { CarrierSocket } from './carrier.js';
import type { HeldOctets, Holder } from './held-octets.js';

export interface ControlQueueParts {
  readonly socket: Pick<CarrierSocket, 'writableLength'>;
  readonly held: HeldOctets;
  /** Octets that have not been handed to the socket; beyond, the connection is given up. */
  readonly outboundBytes: number;
  /** Whether this side waits for responses, which come only as long as it reads. */
  isAwaiting(): boolean;
  /** `true`: what asks for more answers has to wait; `false`: it may go on. */
  holdBack(isHeld: boolean): void;
  /** Too much waits here, or in all connections together. */
  overdue(code: string): void;
}

/** Octets of answers, those with the socket among them, from which on nothing more is read. */
const unreadBytes = 65_536;
/** While this side waits for responses: two that wait for each other must not both stop reading. */
const awaitingBytes = 1_048_576;

export class ControlQueue implements Holder {
  readonly #parts: ControlQueueParts;
  #frames: Buffer[] = [];
  #waitingBytes = 0;
  /** With the socket, which has not written them. */
  #handedBytes = 0;
  #isHolding = false;
  #isClosed = false;

  constructor(parts: ControlQueueParts) {
    this.#parts = parts;
  }

  get isEmpty(): boolean {
    return this.#frames.length === 0;
  }

  /** Whether reading waits for the peer to take what is here. */
  get isHolding(): boolean {
    return this.#isHolding;
  }

  /** Whether the socket has some of it. */
  get isHanded(): boolean {
    return this.#handedBytes > 0;
  }

  push(frame: Buffer): void {
    const { held, outboundBytes, overdue } = this.#parts;
    this.#frames.push(frame);
    this.#waitingBytes += frame.length;
    held.take(this, frame.length);
    if (this.#waitingBytes > outboundBytes) overdue('MSRP_UNREAD');
    else this.#gauge();
  }

  /** Everything that waits, for the socket. */
  shift(): readonly Buffer[] {
    const frames = this.#frames;
    this.#frames = [];
    this.#handedBytes += this.#waitingBytes;
    this.#waitingBytes = 0;
    return frames;
  }

  /** Counts out what the socket has written. What else it has to write may be counted as answers. */
  settle(): void {
    const { socket, held } = this.#parts;
    const left = Math.min(this.#handedBytes, socket.writableLength);
    if (left < this.#handedBytes) held.give(this, this.#handedBytes - left);
    this.#handedBytes = left;
    this.#gauge();
  }

  overfull(): void {
    // Another connection, or a caller in the middle of something, has asked for room.
    process.nextTick(() => {
      if (!this.#isClosed) this.#parts.overdue('MSRP_HELD_FULL');
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#frames = [];
    this.#waitingBytes = 0;
    this.#handedBytes = 0;
    this.#parts.held.leave(this);
  }

  #gauge(): void {
    if (this.#isClosed) return;
    const max = this.#parts.isAwaiting() ? awaitingBytes : unreadBytes;
    const bytes = this.#waitingBytes + this.#handedBytes;
    const isHolding = bytes > (this.#isHolding ? max / 2 : max);
    if (isHolding === this.#isHolding) return;
    this.#isHolding = isHolding;
    this.#parts.holdBack(isHolding);
  }
}
