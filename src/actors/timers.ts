/** Watches the durable timers of all accounts: wakes those that are due, sleeps until the next. */

import type { AccountId, Clock, Log, StorePort } from '../ports.js';

export interface TimerParts {
  readonly store: Pick<StorePort, 'due' | 'nextDue'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly bounds: { readonly due: number; readonly dueMs: number };
  /** Resolves when the timers of the account are delivered; false: it could not take them now. */
  wake(account: AccountId): Promise<boolean>;
}

/** Looks in a row; the node has other work to do as well. */
const roundsMax = 64;

/** ms between two looks when accounts that are due could not be woken, or the store has failed. */
const pauseMs = 1_000;

export class DueTimers {
  readonly #parts: TimerParts;
  #withdraw: (() => void) | undefined;
  #armedFor = Infinity;
  #looking = false;
  /** The earliest timer that was set during a look, whose answer may not know of it. */
  #expected = Infinity;
  #stopped = true;

  constructor(parts: TimerParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#stopped = false;
    this.#look();
  }

  stop(): void {
    this.#stopped = true;
    this.#withdraw?.();
    this.#withdraw = undefined;
  }

  /** An account has a timer at that time. */
  expect(at: number): void {
    if (this.#stopped) return;
    if (this.#looking) this.#expected = Math.min(this.#expected, at);
    else if (at < this.#armedFor) this.#arm(at);
  }

  #arm(at: number): void {
    this.#withdraw?.();
    const { clock, bounds } = this.#parts;
    const now = clock.now();
    const target = Math.min(Math.max(at, now), now + bounds.dueMs);
    this.#armedFor = target;
    this.#withdraw = clock.after(target - now, () => {
      this.#withdraw = undefined;
      this.#look();
    });
  }

  #look(): void {
    this.#looking = true;
    this.#armedFor = Infinity;
    this.#rounds()
      .catch((error: unknown) => {
        // The store may be closed under a look that was under way when the node stopped.
        if (!this.#stopped) {
          const code = error instanceof Error && 'code' in error ? error.code : String(error);
          this.#parts.log.warn({ code }, 'due timers could not be read');
        }
        return this.#parts.clock.now() + pauseMs;
      })
      .then((next) => {
        this.#looking = false;
        const earliest = Math.min(next, this.#expected);
        this.#expected = Infinity;
        if (!this.#stopped) this.#arm(earliest);
      })
      .catch((error: unknown) => this.#parts.log.error({ err: error }, 'due timers stopped'));
  }

  /** Looks as long as something is due and goes forward; returns when to look again. */
  async #rounds(): Promise<number> {
    const { store, clock, bounds, wake } = this.#parts;
    for (let round = 0; round < roundsMax && !this.#stopped; round++) {
      const accounts = await store.due(clock.now(), bounds.due);
      const woken = await Promise.all(accounts.map((account) => wake(account)));
      if (!woken.every((taken) => taken)) return clock.now() + pauseMs;
      const next = (await store.nextDue()) ?? Infinity;
      if (next > clock.now()) return next;
    }
    // All went forward, and there is more: only the others of this turn of the loop come first.
    return clock.now();
  }
}
