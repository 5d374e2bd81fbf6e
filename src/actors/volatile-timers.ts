/** Timers of sessions: in memory, one for each actor and name, gone with the account. */

import type { Address } from '../machines/events.js';
import type { Clock } from '../ports.js';

export class VolatileTimers {
  readonly #clock: Clock;
  readonly #expired: (address: Address, name: string) => void;
  readonly #armed = new Map<Address, Map<string, () => void>>();

  constructor(clock: Clock, expired: (address: Address, name: string) => void) {
    this.#clock = clock;
    this.#expired = expired;
  }

  get isEmpty(): boolean {
    return this.#armed.size === 0;
  }

  /** A timer of that name that runs already is withdrawn. */
  set(address: Address, name: string, at: number): void {
    this.cancel(address, name);
    const timers = this.#armed.get(address) ?? new Map<string, () => void>();
    this.#armed.set(address, timers);
    const withdraw = this.#clock.after(at - this.#clock.now(), () => {
      this.#forget(address, name);
      this.#expired(address, name);
    });
    timers.set(name, withdraw);
  }

  cancel(address: Address, name: string): void {
    this.#armed.get(address)?.get(name)?.();
    this.#forget(address, name);
  }

  /** The actor is gone. */
  cancelAll(address: Address): void {
    for (const withdraw of this.#armed.get(address)?.values() ?? []) withdraw();
    this.#armed.delete(address);
  }

  clear(): void {
    for (const address of [...this.#armed.keys()]) this.cancelAll(address);
  }

  #forget(address: Address, name: string): void {
    const timers = this.#armed.get(address);
    if (!timers) return;
    timers.delete(name);
    if (timers.size === 0) this.#armed.delete(address);
  }
}
