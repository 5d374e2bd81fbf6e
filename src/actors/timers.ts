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

/** ms between two looks when accounts that are due could not be woken, or the store has failed. */
const pauseMs = 1_000;

export class DueTimers {
  readonly #parts: TimerParts;
  #withdraw: (() => void) | undefined;
  #armedFor = Infinity;
  #looking = false;
  #again = false;
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
    if (this.#looking) this.#again = true;
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
    this.#again = false;
    this.#armedFor = Infinity;
    this.#round()
      .catch((error: unknown) => {
        this.#parts.log.warn({ err: error }, 'due timers could not be read');
        return this.#parts.clock.now() + pauseMs;
      })
      .then((next) => {
        this.#looking = false;
        if (this.#stopped) return;
        if (this.#again) this.#look();
        else this.#arm(next);
      })
      .catch((error: unknown) => this.#parts.log.error({ err: error }, 'due timers stopped'));
  }

  /** Wakes a bounded number of accounts; returns when to look again. */
  async #round(): Promise<number> {
    const { store, clock, bounds, wake } = this.#parts;
    const accounts = await store.due(clock.now(), bounds.due);
    const woken = await Promise.all(accounts.map((account) => wake(account)));
    const next = await store.nextDue();
    if (next === undefined) return Infinity;
    if (next > clock.now()) return next;
    // Still due: more than one round can take, or what was just decided is not committed yet.
    const progress = woken.length > 0 && woken.every((taken) => taken);
    return progress && accounts.length === bounds.due ? next : clock.now() + pauseMs;
  }
}
