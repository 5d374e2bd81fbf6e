/** One direction of a stream: what was sent arrives in order, late, in other pieces, or never. */

import type { Place, SimulatedNetwork } from './network.js';

export type Parcel =
  | { readonly kind: 'octets'; readonly octets: Buffer }
  | { readonly kind: 'open' | 'end' | 'reset' };

export interface StreamPathOwner {
  /** It has reached the host at the other end. */
  arrive(parcel: Parcel): void;
  /** The stream cannot go on. */
  broken(code: string): void;
}

interface Queued {
  readonly parcel: Parcel;
  readonly due: number;
}

type Done = (error?: Error | null) => void;

/** Octets that are sent and not read: above it the sender waits. */
const windowBytes = 65_536;
/** A segment that was not taken is sent again after that, and each time after twice as long. */
const repetitionMs = 200;
const repetitionMax = 10_000;
/** A peer that does not answer for so long is given up. */
const timeoutMs = 120_000;

export class StreamPath {
  readonly #network: SimulatedNetwork;
  readonly #from: Place;
  readonly #to: Place;
  readonly #owner: StreamPathOwner;
  #queue: Queued[] = [];
  #lastDue = 0;
  #unread = 0;
  #waiting: Done | undefined;
  #isMoving = false;
  #isStopped = false;
  #cutSince: number | undefined;
  #pauseMs = repetitionMs;

  constructor(network: SimulatedNetwork, from: Place, to: Place, owner: StreamPathOwner) {
    this.#network = network;
    this.#from = from;
    this.#to = to;
    this.#owner = owner;
  }

  write(octets: Buffer, done: Done): void {
    this.#unread += octets.length;
    if (this.#network.weather.resets()) this.put({ kind: 'reset' });
    for (const piece of this.#network.weather.segments(octets)) {
      this.#network.traffic.segments++;
      this.#network.note('t', piece.octets, this.#from, this.#to);
      this.#enqueue({ kind: 'octets', octets: piece.octets }, piece.delayMs);
    }
    if (this.#unread <= windowBytes) process.nextTick(done);
    else this.#waiting = done;
  }

  put(parcel: Parcel): void {
    this.#enqueue(parcel, this.#network.weather.passage());
  }

  /** What was not delivered is lost, and the peer hears of it. */
  reset(): void {
    this.#queue = [];
    this.put({ kind: 'reset' });
  }

  /** The peer has read. */
  consumed(length: number): void {
    this.#unread -= length;
    if (this.#unread > windowBytes || !this.#waiting) return;
    const done = this.#waiting;
    this.#waiting = undefined;
    process.nextTick(done);
  }

  stop(): void {
    this.#isStopped = true;
    this.#queue = [];
    this.#waiting = undefined;
  }

  #enqueue(parcel: Parcel, delayMs: number): void {
    if (this.#isStopped) return;
    const due = Math.max(this.#lastDue, this.#network.clock.now() + delayMs);
    this.#lastDue = due;
    this.#queue.push({ parcel, due });
    this.#move();
  }

  #move(): void {
    const [next] = this.#queue;
    if (!next || this.#isMoving) return;
    this.#isMoving = true;
    const delay =
      this.#cutSince === undefined ? next.due - this.#network.clock.now() : this.#pauseMs;
    this.#network.clock.after(delay, () => {
      this.#isMoving = false;
      this.#arrive();
      this.#move();
    });
  }

  #arrive(): void {
    const now = this.#network.clock.now();
    if (this.#network.isCut(this.#from.address, this.#to.address)) {
      this.#retry(now);
      return;
    }
    this.#cutSince = undefined;
    this.#pauseMs = repetitionMs;
    while (this.#queue[0] && this.#queue[0].due <= now) {
      const { parcel } = this.#queue.shift()!;
      if (parcel.kind === 'reset') {
        this.#network.traffic.resets++;
        this.#owner.arrive(parcel);
        this.#owner.broken('ECONNRESET');
        return;
      }
      this.#owner.arrive(parcel);
    }
  }

  #retry(now: number): void {
    this.#cutSince ??= now;
    this.#pauseMs = Math.min(this.#pauseMs * 2, repetitionMax);
    if (now - this.#cutSince < timeoutMs) return;
    this.stop();
    this.#owner.broken('ETIMEDOUT');
  }
}
