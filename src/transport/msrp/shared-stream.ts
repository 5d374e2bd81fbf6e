/** What a connection has to do with one of the processes that share it. */

import { FrameQueue } from './frame-queue.js';
import { msrpRecord, numberOctets } from './link.js';
import type { SendRecord } from './link.js';
import type { SharedConnection } from './shared-connection.js';
import type { FrameSource } from './shared-output.js';

/** The way to a process with sessions. */
export interface SessionsWay {
  readonly send: SendRecord;
  /** Whether so much is on its way there that there is no use in more. */
  readonly isSlow: boolean;
}

export class SharedStream implements FrameSource {
  readonly number: number;
  readonly way: SessionsWay;
  readonly connection: SharedConnection;
  readonly frames: FrameQueue;
  /** Octets that were sent to the process, modulo 2^32. */
  sent = 0;
  /** Nothing is sent to it any more. */
  isGone = false;
  readonly #windowOctets: number;
  #credit: number;
  #written = 0;

  constructor(
    number: number,
    way: SessionsWay,
    of: { readonly connection: SharedConnection; readonly windowOctets: number },
  ) {
    this.number = number;
    this.way = way;
    this.connection = of.connection;
    this.#windowOctets = of.windowOctets;
    this.#credit = of.windowOctets;
    this.frames = new FrameQueue(() => of.connection.destroy());
  }

  /** Whether its process has taken in too little of what was sent. */
  get isBlocked(): boolean {
    return !this.isGone && (this.#credit <= 0 || this.way.isSlow);
  }

  /** False: there is no room for it on the way. */
  send(pieces: readonly Buffer[]): boolean {
    let length = 0;
    for (const piece of pieces) length += piece.length;
    this.#credit -= length;
    this.sent = (this.sent + length) >>> 0;
    return this.way.send(msrpRecord.octets, this.number, ...pieces);
  }

  credited(octets: number): void {
    this.#credit += octets;
  }

  written(octets: number): void {
    this.connection.moved(octets);
    this.#written += octets;
    if (this.isGone || this.#written < this.#windowOctets / 4) return;
    this.way.send(msrpRecord.credit, this.number, numberOctets(this.#written));
    this.#written = 0;
  }

  awaited(): void {
    if (!this.isGone) this.way.send(msrpRecord.awaited, this.number);
  }
}
