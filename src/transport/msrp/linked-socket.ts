/** A connection whose socket is in another process, as a socket: with back-pressure by credit. */

import type { CarrierSocket } from './carrier.js';
import type { HeldOctets, Holder } from './held-octets.js';
import { msrpRecord, numberOctets } from './link.js';
import type { LinkedPeer, SendRecord } from './link.js';
import { SocketStream } from './socket-stream.js';

/** Octets of one record: a stream does not keep others waiting for long. */
const recordBytes = 65_536;
/** Octets that wait in the stream itself, beside those that wait before it. */
const streamBytes = 16_384;

export interface LinkedSocketParts {
  readonly number: number;
  readonly peer: LinkedPeer;
  readonly windowOctets: number;
  readonly held: HeldOctets;
  readonly send: SendRecord;
  /** Comes once. */
  gone(): void;
}

type Written = (error?: Error | null) => void;

export class LinkedSocket extends SocketStream implements CarrierSocket, Holder {
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly #parts: LinkedSocketParts;
  readonly #arrived: Buffer[] = [];
  #isWanted = false;
  #hasEnded = false;
  /** Octets that have come, modulo 2^32, and those of which the other side does not know yet. */
  #received = 0;
  #taken = 0;
  /** Octets that may be sent. */
  #credit: number;
  #waiting: { readonly rest: Buffer; readonly written: Written } | undefined;

  constructor(parts: LinkedSocketParts) {
    super({ allowHalfOpen: false, readableHighWaterMark: streamBytes });
    const { localAddress, localPort, remoteAddress, remotePort } = parts.peer;
    this.localAddress = localAddress;
    this.localPort = localPort;
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
    this.#parts = parts;
    this.#credit = parts.windowOctets;
  }

  arrived(octets: Buffer): void {
    if (this.destroyed || this.#hasEnded) return;
    this.#received = (this.#received + octets.length) >>> 0;
    this.#arrived.push(octets);
    this.#parts.held.take(this, octets.length);
    this.#deliver();
  }

  /** The other side has taken in that many octets. */
  credited(octets: number): void {
    this.#credit += octets;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) this.#sendOctets(waiting.rest, waiting.written);
  }

  /** The connection is gone; what came before is read first. */
  hungUp(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    // Nothing can leave any more, and nobody is to wait for that.
    this.#credit = Infinity;
    this.credited(0);
    this.#deliver();
  }

  /** Asks for an end that takes no frame with it which is on its way. */
  leave(): void {
    this.#parts.send(msrpRecord.idle, this.#parts.number, numberOctets(this.#received));
  }

  overfull(): void {
    this.destroy();
  }

  override _read(): void {
    this.#isWanted = true;
    this.#deliver();
  }

  override _write(chunk: Buffer, _encoding: string, written: Written): void {
    this.#sendOctets(chunk, written);
  }

  override _destroy(error: Error | null, done: Written): void {
    const { send, number, held, gone } = this.#parts;
    if (!this.#hasEnded) {
      send(msrpRecord.closed, number, Buffer.from([this.writableFinished ? 1 : 0]));
    }
    this.#arrived.length = 0;
    held.leave(this);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.written();
    gone();
    done(error);
  }

  #deliver(): void {
    while (this.#isWanted && this.#arrived.length > 0) {
      const octets = this.#arrived.shift()!;
      this.#parts.held.give(this, octets.length);
      this.#taken += octets.length;
      this.#isWanted = this.push(octets);
    }
    this.#tellTaken();
    if (this.#hasEnded && this.#arrived.length === 0) this.push(null);
  }

  #tellTaken(): void {
    const { windowOctets, send, number } = this.#parts;
    if (this.#hasEnded || this.destroyed || this.#taken < windowOctets / 4) return;
    send(msrpRecord.credit, number, numberOctets(this.#taken));
    this.#taken = 0;
  }

  #sendOctets(octets: Buffer, written: Written): void {
    let offset = 0;
    while (offset < octets.length && this.#credit > 0) {
      const record = octets.subarray(offset, offset + recordBytes);
      offset += record.length;
      this.#credit -= record.length;
      if (!this.#hasEnded) this.#parts.send(msrpRecord.octets, this.#parts.number, record);
    }
    if (offset < octets.length) this.#waiting = { rest: octets.subarray(offset), written };
    else written();
  }
}
