/** One hashed wheel for all timers of the endpoint: setting and withdrawing take constant time. */

import type { Clock } from '../../ports.js';

/** What a timer belongs to. */
export interface WheelTarget {
  /** The timer that was set with this name has run out. */
  expired(name: string): void;
}

/** A timer that can be set again and again; its target has one for each that may run at a time. */
export class WheelTimer {
  readonly target: WheelTarget;
  name = '';
  due = 0;
  /** Index of the list it is in, -1 while it is not set. */
  slot = -1;
  previous: WheelTimer | undefined = undefined;
  next: WheelTimer | undefined = undefined;

  constructor(target: WheelTarget) {
    this.target = target;
  }
}

const tickMs = 10;
/** 41 s in one round, so that no timer of RFC 3261 is looked at twice. A power of two. */
const slotCount = 4096;
/** The list beside the wheel for timers of later rounds while their slot is emptied. */
const aside = slotCount;
/** Ticks that are slept at most: so much time is lost to timers when the clock is set back. */
const sleepMax = 100;

export class TimerWheel {
  readonly #clock: Clock;
  readonly #heads = new Array<WheelTimer | undefined>(slotCount + 1).fill(undefined);
  /** Time of tick 0. */
  #origin: number;
  #tick = 0;
  /** The tick at which it looks again; meaningless while nothing is armed. */
  #wakeTick = 0;
  #size = 0;
  #withdraw: (() => void) | undefined;
  readonly #turn = () => this.#advance();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#origin = clock.now();
  }

  /** Timers that are set. */
  get size(): number {
    return this.#size;
  }

  /** Milliseconds that have gone by; they never go back, whatever the clock does. */
  get elapsedMs(): number {
    return this.#elapsed();
  }

  /** Sets the timer, instead of what it was set to before. Precise to 10 ms, never early. */
  set(timer: WheelTimer, name: string, delayMs: number): void {
    if (timer.slot >= 0) this.#unlink(timer);
    const elapsed = this.#elapsed();
    // An idle wheel stands still: it catches up before a timer is set.
    if (this.#size === 0) this.#tick = Math.floor(elapsed / tickMs);
    const due = Math.ceil((elapsed + delayMs) / tickMs);
    timer.name = name;
    timer.due = Math.max(due, this.#tick + 1);
    this.#link(timer, timer.due & (slotCount - 1));
    if (!this.#withdraw) this.#arm();
    else if (timer.due < this.#wakeTick) {
      this.#withdraw();
      this.#arm();
    }
  }

  cancel(timer: WheelTimer | undefined): void {
    if (timer && timer.slot >= 0) this.#unlink(timer);
  }

  /** Forgets every timer. */
  stop(): void {
    this.#withdraw?.();
    this.#withdraw = undefined;
    for (let slot = 0; slot <= slotCount; slot++) {
      for (let timer = this.#heads[slot]; timer; timer = this.#heads[slot]) this.#unlink(timer);
    }
  }

  /** Time since tick 0. When the clock was set back, timers keep their remaining time. */
  #elapsed(): number {
    const now = this.#clock.now();
    const behind = this.#tick * tickMs - (now - this.#origin);
    if (behind > 0) this.#origin -= behind;
    return now - this.#origin;
  }

  /** Sleeps until the next slot that is not empty. */
  #arm(): void {
    const elapsed = this.#elapsed();
    let tick = this.#tick + 1;
    const end = tick + sleepMax;
    while (tick < end && !this.#heads[tick & (slotCount - 1)]) tick++;
    this.#wakeTick = tick;
    this.#withdraw = this.#clock.after(Math.max(1, tick * tickMs - elapsed), this.#turn);
  }

  #advance(): void {
    this.#withdraw = undefined;
    const target = Math.floor(this.#elapsed() / tickMs);
    // After a leap one round finds every timer that is due.
    if (target - this.#tick > slotCount) this.#tick = target - slotCount;
    while (this.#tick < target && this.#size > 0) {
      this.#tick++;
      this.#empty(this.#tick & (slotCount - 1));
    }
    if (this.#size > 0 && !this.#withdraw) this.#arm();
  }

  #empty(slot: number): void {
    for (let timer = this.#heads[slot]; timer; timer = this.#heads[slot]) {
      this.#unlink(timer);
      if (timer.due <= this.#tick) timer.target.expired(timer.name);
      else this.#link(timer, aside);
    }
    for (let timer = this.#heads[aside]; timer; timer = this.#heads[aside]) {
      this.#unlink(timer);
      this.#link(timer, slot);
    }
  }

  #link(timer: WheelTimer, slot: number): void {
    const head = this.#heads[slot];
    timer.slot = slot;
    timer.previous = undefined;
    timer.next = head;
    if (head) head.previous = timer;
    this.#heads[slot] = timer;
    this.#size++;
  }

  #unlink(timer: WheelTimer): void {
    if (timer.previous) timer.previous.next = timer.next;
    else this.#heads[timer.slot] = timer.next;
    if (timer.next) timer.next.previous = timer.previous;
    timer.previous = undefined;
    timer.next = undefined;
    timer.slot = -1;
    this.#size--;
  }
}
