/** Watches the durable timers of all accounts: wakes those that are due, sleeps until the next. */

import type { AccountId, Clock, Log, StorePort } from '../ports.js';

export interface TimerParts {
  readonly store: Pick<StorePort, 'due' | 'nextDue' | 'isCalm'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly bounds: {
    readonly due: number;
    readonly dueAtOnce: number;
    readonly dueMs: number;
    readonly dueSlowMs: number;
  };
  /** Resolves when the timers of the account are delivered; false: it could not take them now. */
  wake(account: AccountId): Promise<boolean>;
}

/** Looks in a row; the node has other work to do as well. */
const roundsMax = 64;

/** ms between two looks when accounts that are due could not be woken, or the store has failed. */
const pauseMs = 1_000;

/** ms between two accounts, one at a time, while the disk is behind with what was written. */
const calmMs = 100;

interface Rest {
  readonly resolve: () => void;
  readonly withdraw: () => void;
}

export class DueTimers {
  readonly #parts: TimerParts;
  #withdraw: (() => void) | undefined;
  #armedFor = Infinity;
  #looking = false;
  /** The earliest timer that was set during a look, whose answer may not know of it. */
  #expected = Infinity;
  #stopped = true;
  readonly #resting = new Set<Rest>();

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
    for (const rest of this.#resting) {
      rest.withdraw();
      this.#rested(rest);
    }
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
    const { store, clock, bounds } = this.#parts;
    for (let round = 0; round < roundsMax && !this.#stopped; round++) {
      const accounts = await store.due(clock.now(), bounds.due);
      if (!(await this.#wakeAll(accounts))) return clock.now() + pauseMs;
      const next = (await store.nextDue()) ?? Infinity;
      if (next > clock.now()) return next;
    }
    // All went forward, and there is more: only the others of this turn of the loop come first.
    return clock.now();
  }

  /**
   * A few at a time; false when one of them could not be woken. What they write is nothing that
   * anybody waits for: where it would make others wait for the disk, they go on one by one.
   */
  async #wakeAll(accounts: readonly AccountId[]): Promise<boolean> {
    const { bounds, store } = this.#parts;
    const waiting = accounts.values();
    let taken = true;
    const lane = async (_: unknown, index: number): Promise<void> => {
      for (const account of waiting) {
        if (this.#stopped) return;
        taken = (await this.#wake(account)) && taken;
        if (store.isCalm?.() !== false) continue;
        if (index > 0) return;
        await this.#rest(calmMs);
      }
    };
    const atOnce = store.isCalm?.() === false ? 1 : bounds.dueAtOnce;
    const lanes = Math.min(atOnce, accounts.length);
    await Promise.all(Array.from({ length: lanes }, lane));
    return taken;
  }

  /**
   * Whoever writes to a mailbox just now waits about as long: where that is long, at least half of
   * the time is theirs.
   */
  async #wake(account: AccountId): Promise<boolean> {
    const { clock, bounds, wake } = this.#parts;
    const begun = clock.now();
    const taken = await wake(account);
    const took = clock.now() - begun;
    if (took > bounds.dueSlowMs) await this.#rest(Math.min(took, pauseMs));
    return taken;
  }

  #rest(ms: number): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const rest = { resolve, withdraw: this.#parts.clock.after(ms, () => this.#rested(rest)) };
      this.#resting.add(rest);
    });
  }

  #rested(rest: Rest): void {
    this.#resting.delete(rest);
    rest.resolve();
  }
}
