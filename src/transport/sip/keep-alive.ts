/** Keep-alives on a flow that we opened: a double CRLF, answered with one (RFC 5626 4.4.1). */

import { WheelTimer, type TimerWheel, type WheelTarget } from './timer-wheel.js';

/** RFC 5626 4.4.1: when the peer does not say how often. */
const defaultSeconds = 120;
/** Nobody can make us send without pause. */
const secondsMin = 5;

export class KeepAlive implements WheelTarget {
  readonly #wheel: TimerWheel;
  readonly #pongMs: number;
  readonly #flow: { ping(): void; lost(): void };
  readonly #timer = new WheelTimer(this);
  #intervalMs = 0;

  /** `lost` hears that a ping was not answered in time. */
  constructor(wheel: TimerWheel, pongMs: number, flow: { ping(): void; lost(): void }) {
    this.#wheel = wheel;
    this.#pongMs = pongMs;
    this.#flow = flow;
  }

  get isRunning(): boolean {
    return this.#intervalMs > 0;
  }

  /** Whether a ping waits for its answer. */
  get isWaiting(): boolean {
    return this.#timer.slot >= 0 && this.#timer.name === 'pong';
  }

  /** Begins; a later call changes nothing but the interval (RFC 6223 4.3). */
  start(seconds: number): void {
    const wanted = seconds === 0 ? defaultSeconds : Math.max(secondsMin, seconds);
    // 80 % of what the peer counts on, so that a NAT never gets ahead of us.
    this.#intervalMs = wanted * 800;
    if (this.#timer.slot < 0) this.#wheel.set(this.#timer, 'ping', this.#intervalMs);
  }

  /** The answer has come. */
  answered(): void {
    if (this.isWaiting) this.#wheel.set(this.#timer, 'ping', this.#intervalMs);
  }

  stop(): void {
    this.#wheel.cancel(this.#timer);
  }

  expired(name: string): void {
    if (name === 'pong') {
      this.#flow.lost();
      return;
    }
    this.#wheel.set(this.#timer, 'pong', this.#pongMs);
    this.#flow.ping();
  }
}
