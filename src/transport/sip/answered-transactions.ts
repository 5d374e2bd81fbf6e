/**
 * Server transactions over UDP that wait for Timer J behind their final response (RFC 3261 17.2.2),
 * as octets in few large pieces: at 10,000 requests a second there are 320,000 of them, and as
 * objects they are what the garbage collector does.
 */

import type { Flow } from './flow.js';
import type { HashedText } from './keyed-hash.js';
import type { TimerWheel } from './timer-wheel.js';
import { WheelTimer } from './timer-wheel.js';

/** What is kept of one. */
export interface AnsweredTransaction {
  readonly key: HashedText;
  /** Under which a copy on another branch is recognised (8.2.2.2); undefined: not at all. */
  readonly mergeKey: HashedText | undefined;
  readonly flow: Flow;
  readonly address: string;
  readonly port: number;
  readonly response: Buffer;
}

/** What a retransmission is answered with. */
export type Repetition = Pick<AnsweredTransaction, 'flow' | 'address' | 'port' | 'response'>;

/** A power of two, for a position is a piece and a place in it. */
const pieceBits = 20;
const pieceBytes = 1 << pieceBits;
const piecesMax = 1 << (31 - pieceBits);
/** UDP sockets of an endpoint. */
const flowsMax = 256;

/** Words of the head of a record. Chains end with 0: a position is kept with 1 added. */
const head = {
  size: 0,
  due: 1,
  keyHash: 2,
  keyNext: 3,
  mergeHash: 4,
  mergeNext: 5,
  keyLength: 6,
  mergeLength: 7,
  addressLength: 8,
  port: 9,
  flow: 10,
  responseLength: 11,
  end: 12,
} as const;

interface Piece {
  readonly octets: Buffer;
  readonly words: Int32Array;
}

/** One of the two ways in which a record is found. */
interface Chains {
  heads: Int32Array;
  readonly hash: number;
  readonly next: number;
}

export class AnsweredTransactions {
  readonly #wheel: TimerWheel;
  readonly #piecesMax: number;
  readonly #timer: WheelTimer;
  readonly #flows: Flow[] = [];
  /** By place; undefined: not in use. */
  readonly #pieces: (Piece | undefined)[] = [];
  /** Those in use, oldest first; all but the last are written up to their ends. */
  readonly #order: number[] = [];
  readonly #ends: number[] = [];
  /** Words of the oldest piece that hold nothing any more. */
  #from = 0;
  /** Words of the newest piece that are written. */
  #to = 0;
  #spare: Piece | undefined;
  #size = 0;
  readonly #byKey: Chains = { heads: noHeads, hash: head.keyHash, next: head.keyNext };
  readonly #byMerge: Chains = { heads: noHeads, hash: head.mergeHash, next: head.mergeNext };

  constructor(wheel: TimerWheel, octetsMax: number) {
    this.#wheel = wheel;
    this.#piecesMax = Math.min(piecesMax, Math.max(1, Math.floor(octetsMax / pieceBytes)));
    this.#timer = new WheelTimer({ expired: () => this.#expire() });
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Keeps it for `lifeMs`, which is the same for all; the oldest make room when there is none. False
   * when it cannot be kept so: it is too large.
   */
  keep(answered: AnsweredTransaction, lifeMs: number): boolean {
    const { key, mergeKey } = answered;
    const flow = this.#flowNumber(answered.flow);
    const size = (octetsOf(answered) + 3) >> 2;
    if (flow < 0 || size > pieceBytes / 4) return false;
    const { place, piece } = this.#room(size);
    if (this.#size >= this.#byKey.heads.length) this.#grow();
    const at = this.#to;
    this.#to += size;
    const { words } = piece;
    const due = tickOf(this.#wheel.elapsedMs + lifeMs);
    words[at + head.size] = size;
    words[at + head.due] = due;
    words[at + head.port] = answered.port;
    words[at + head.flow] = flow;
    write(piece, at, answered);
    const position = place * (pieceBytes / 4) + at;
    this.#link(this.#byKey, words, at, key.hash, position);
    if (mergeKey) this.#link(this.#byMerge, words, at, mergeKey.hash, position);
    if (this.#size++ === 0) this.#wheel.set(this.#timer, 'J', lifeMs);
    return true;
  }

  /** What the transaction of that key was answered. */
  find(key: HashedText): Repetition | undefined {
    const position = this.#sought(this.#byKey, key);
    if (position < 0) return undefined;
    const { piece, at } = this.#record(position);
    const { octets, words } = piece;
    const from = (at + head.end) * 4 + words[at + head.keyLength]! + words[at + head.mergeLength]!;
    const behind = from + words[at + head.addressLength]!;
    const response = octets.subarray(behind, behind + words[at + head.responseLength]!);
    return {
      flow: this.#flows[words[at + head.flow]!]!,
      address: octets.toString('latin1', from, behind),
      port: words[at + head.port]!,
      // Its place is used anew, perhaps before the copy has left.
      response: Buffer.from(response),
    };
  }

  hasMerged(mergeKey: HashedText): boolean {
    return this.#sought(this.#byMerge, mergeKey) >= 0;
  }

  // ------------------------------------------------------------------------------- finding

  #sought(chains: Chains, { text, hash }: HashedText): number {
    if (this.#size === 0) return -1;
    let next = chains.heads[hash & (chains.heads.length - 1)]!;
    while (next !== 0) {
      const { piece, at } = this.#record(next - 1);
      if (piece.words[at + chains.hash] === hash && isAt(chains, piece, at, text)) return next - 1;
      next = piece.words[at + chains.next]!;
    }
    return -1;
  }

  #record(position: number): { piece: Piece; at: number } {
    const piece = this.#pieces[Math.floor(position / (pieceBytes / 4))]!;
    return { piece, at: position % (pieceBytes / 4) };
  }

  #link(chains: Chains, words: Int32Array, at: number, hash: number, position: number): void {
    const slot = hash & (chains.heads.length - 1);
    words[at + chains.hash] = hash;
    words[at + chains.next] = chains.heads[slot]!;
    chains.heads[slot] = position + 1;
  }

  /** The oldest record is the last of its chain. */
  #unlink(chains: Chains, words: Int32Array, at: number, position: number): void {
    const slot = words[at + chains.hash]! & (chains.heads.length - 1);
    let next = chains.heads[slot]!;
    if (next === position + 1) {
      chains.heads[slot] = 0;
      return;
    }
    while (next !== 0) {
      const record = this.#record(next - 1);
      next = record.piece.words[record.at + chains.next]!;
      if (next === position + 1) record.piece.words[record.at + chains.next] = 0;
    }
  }

  /** About one record in a chain. */
  #grow(): void {
    const length = Math.max(headsMin, this.#byKey.heads.length * 2);
    for (const chains of [this.#byKey, this.#byMerge]) chains.heads = new Int32Array(length);
    for (const [nth, place] of this.#order.entries()) {
      const { words } = this.#pieces[place]!;
      const isLast = nth === this.#order.length - 1;
      const end = isLast ? this.#to : this.#ends[nth]!;
      for (let at = nth === 0 ? this.#from : 0; at < end; at += words[at]!) {
        const position = place * (pieceBytes / 4) + at;
        this.#link(this.#byKey, words, at, words[at + head.keyHash]!, position);
        if (words[at + head.mergeLength] === 0) continue;
        this.#link(this.#byMerge, words, at, words[at + head.mergeHash]!, position);
      }
    }
  }

  // --------------------------------------------------------------------------------- room

  #flowNumber(flow: Flow): number {
    const known = this.#flows.indexOf(flow);
    if (known >= 0 || this.#flows.length >= flowsMax) return known;
    return this.#flows.push(flow) - 1;
  }

  /** A piece with so many words behind what is written. */
  #room(size: number): { place: number; piece: Piece } {
    const last = this.#order.at(-1);
    if (last !== undefined && this.#to + size <= pieceBytes / 4) {
      return { place: last, piece: this.#pieces[last]! };
    }
    if (this.#order.length >= this.#piecesMax) this.#dropOldestPiece();
    const free = this.#pieces.indexOf(undefined);
    const place = free < 0 ? this.#pieces.length : free;
    const piece = this.#spare ?? newPiece();
    this.#spare = undefined;
    if (this.#order.length > 0) this.#ends.push(this.#to);
    this.#pieces[place] = piece;
    this.#order.push(place);
    this.#to = 0;
    return { place, piece };
  }

  #dropOldestPiece(): void {
    const [oldest] = this.#order;
    while (this.#size > 0 && this.#order[0] === oldest) this.#dropOldest();
  }

  #dropOldest(): void {
    const place = this.#order[0]!;
    const { words } = this.#pieces[place]!;
    const at = this.#from;
    const position = place * (pieceBytes / 4) + at;
    this.#unlink(this.#byKey, words, at, position);
    if (words[at + head.mergeLength] !== 0) this.#unlink(this.#byMerge, words, at, position);
    this.#from += words[at + head.size]!;
    this.#size--;
    const isLast = this.#order.length === 1;
    if (this.#from < (isLast ? this.#to : this.#ends[0]!)) return;
    this.#spare = this.#pieces[place];
    this.#pieces[place] = undefined;
    this.#order.shift();
    this.#ends.shift();
    this.#from = 0;
    if (!isLast) return;
    // Nothing is left: the next one begins as the first one did.
    this.#pieces.length = 0;
    this.#to = 0;
  }

  #expire(): void {
    const now = tickOf(this.#wheel.elapsedMs);
    while (this.#size > 0) {
      const { words } = this.#pieces[this.#order[0]!]!;
      const left = (words[this.#from + head.due]! - now) | 0;
      if (left > 0) {
        this.#wheel.set(this.#timer, 'J', left);
        return;
      }
      this.#dropOldest();
    }
  }
}

const headsMin = 1_024;
const noHeads = new Int32Array(0);

function newPiece(): Piece {
  const octets = Buffer.allocUnsafeSlow(pieceBytes);
  return { octets, words: new Int32Array(octets.buffer, octets.byteOffset, pieceBytes / 4) };
}

/** Milliseconds that go round after 49 days: only differences count. */
function tickOf(ms: number): number {
  return Math.ceil(ms) | 0;
}

function octetsOf({ key, mergeKey, address, response }: AnsweredTransaction): number {
  const texts = key.text.length + (mergeKey?.text.length ?? 0) + address.length;
  return head.end * 4 + texts + response.length;
}

function write({ octets, words }: Piece, at: number, answered: AnsweredTransaction): void {
  const { address, response } = answered;
  const key = answered.key.text;
  const mergeKey = answered.mergeKey?.text ?? '';
  words[at + head.keyLength] = key.length;
  words[at + head.mergeLength] = mergeKey.length;
  words[at + head.addressLength] = address.length;
  words[at + head.responseLength] = response.length;
  let to = (at + head.end) * 4;
  to += octets.write(key, to, 'latin1');
  to += octets.write(mergeKey, to, 'latin1');
  to += octets.write(address, to, 'latin1');
  response.copy(octets, to);
}

function isAt(chains: Chains, { octets, words }: Piece, at: number, text: string): boolean {
  const isMerge = chains.next === head.mergeNext;
  const length = words[at + (isMerge ? head.mergeLength : head.keyLength)];
  if (length !== text.length) return false;
  const from = (at + head.end) * 4 + (isMerge ? words[at + head.keyLength]! : 0);
  for (let nth = 0; nth < text.length; nth++) {
    if (octets[from + nth] !== text.charCodeAt(nth)) return false;
  }
  return true;
}
