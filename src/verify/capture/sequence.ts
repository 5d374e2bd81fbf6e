/** Puts the octets of one direction of a TCP connection into order (RFC 9293 3.4). */

import type { Stamp } from './frame.js';
import type { TcpSegment } from './tcp-segment.js';

export interface SequenceTaker {
  push(octets: Buffer, stamp: Stamp): void;
  /** Octets that will never come. */
  gap(length: number, stamp: Stamp): void;
  end(): void;
}

interface Piece {
  readonly sequence: number;
  readonly payload: Buffer;
  readonly missing: number;
  readonly isFin: boolean;
  readonly stamp: Stamp;
}

/** Segments that wait for what comes before them. */
const aheadMax = 1_024;
/** Acknowledgements of what was not seen, until it is given up: captures reorder a little. */
const patience = 8;
/** Beyond any window that is in use, a number belongs to another connection. */
const nearBytes = 2 ** 30;

export class Sequence {
  readonly #taker: SequenceTaker;
  readonly #aheadBytesMax: number;
  #initial: number | undefined;
  #next: number | undefined;
  #ahead: Piece[] = [];
  #aheadBytes = 0;
  #unseen = 0;
  #stamp: Stamp = { number: 0, at: 0 };
  #hasEnded = false;

  constructor(taker: SequenceTaker, aheadBytesMax: number) {
    this.#taker = taker;
    this.#aheadBytesMax = aheadBytesMax;
  }

  get heldBytes(): number {
    return this.#aheadBytes;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** The first number, as the SYN has it, which may come more than once. */
  open(initial: number): void {
    if (this.#initial !== undefined) return;
    this.#initial = initial;
    this.#next = (initial + 1) >>> 0;
  }

  /** Whether a SYN is this one again; before any octet has come it may be. */
  isOpenedBy(initial: number): boolean {
    return this.#initial === undefined ? this.#next === undefined : this.#initial === initial;
  }

  /** Whether a segment can belong to what was seen before. */
  isNear(sequence: number): boolean {
    return this.#next === undefined || Math.abs(distance(this.#next, sequence)) < nearBytes;
  }

  take(segment: TcpSegment, stamp: Stamp): void {
    const { isSyn, payload, missing, isFin } = segment;
    if (payload.length + missing === 0 && !isFin) return;
    const sequence = isSyn ? (segment.sequence + 1) >>> 0 : segment.sequence;
    this.#next ??= sequence;
    const piece = { sequence, payload, missing, isFin, stamp };
    if (distance(this.#next, sequence) <= 0) this.#deliver(piece);
    else this.#wait(piece);
    this.#catchUp();
    while (this.#ahead.length > aheadMax || this.#aheadBytes > this.#aheadBytesMax) this.#giveUp();
  }

  /** The receiver has everything before that number. */
  confirm(acknowledged: number): void {
    const first = this.#ahead[0];
    if (first === undefined || distance(first.sequence, acknowledged) <= 0) return;
    this.#unseen++;
    if (this.#unseen > patience) this.#giveUp();
  }

  /** Nothing more will come. */
  end(): void {
    while (this.#ahead.length > 0) this.#giveUp();
    this.#finish();
  }

  #deliver({ sequence, payload, missing, isFin, stamp }: Piece): void {
    const known = -distance(this.#next!, sequence);
    const length = payload.length + missing;
    if (known <= length && !this.#hasEnded) {
      // What filled a gap lets go what came before it.
      if (stamp.number > this.#stamp.number) this.#stamp = stamp;
      if (known < payload.length) this.#taker.push(payload.subarray(known), this.#stamp);
      const lost = length - Math.max(known, payload.length);
      if (lost > 0) this.#taker.gap(lost, this.#stamp);
      this.#next = (sequence + length) >>> 0;
      if (isFin) this.#finish();
    }
  }

  #finish(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#taker.end();
  }

  #wait(piece: Piece): void {
    const { sequence, payload } = piece;
    let at = this.#ahead.length;
    while (at > 0 && distance(this.#ahead[at - 1]!.sequence, sequence) < 0) at--;
    // Copied: a view would keep much more of the file alive.
    this.#ahead.splice(at, 0, { ...piece, payload: Buffer.from(payload) });
    this.#aheadBytes += payload.length;
  }

  #catchUp(): void {
    let count = 0;
    for (const piece of this.#ahead) {
      if (distance(this.#next!, piece.sequence) > 0) break;
      this.#aheadBytes -= piece.payload.length;
      this.#deliver(piece);
      count++;
    }
    if (count === 0) return;
    this.#ahead.splice(0, count);
    this.#unseen = 0;
  }

  /** Goes on behind the first gap. */
  #giveUp(): void {
    const first = this.#ahead[0];
    if (first === undefined) return;
    if (first.stamp.number > this.#stamp.number) this.#stamp = first.stamp;
    if (!this.#hasEnded) this.#taker.gap(distance(this.#next!, first.sequence), this.#stamp);
    this.#next = first.sequence;
    this.#unseen = 0;
    this.#catchUp();
  }
}

/** From one sequence number to another, which may be behind it. */
function distance(from: number, to: number): number {
  return (to - from) | 0;
}
