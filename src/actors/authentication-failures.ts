/** Failed attempts by address: whoever guesses is refused for a while. */

import { isIPv6 } from 'node:net';
import type { Clock } from '../ports.js';

export interface FailureOptions {
  readonly clock: Clock;
  /** Failures of one address before it is refused. */
  readonly max: number;
  /** ms from its first failure after which an address begins anew. */
  readonly windowMs: number;
  /** Addresses remembered; the oldest make room. */
  readonly addresses: number;
}

interface Attempts {
  readonly since: number;
  count: number;
}

export class Failures {
  readonly #options: FailureOptions;
  readonly #attempts = new Map<string, Attempts>();

  constructor(options: FailureOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#attempts.size;
  }

  isBlocked(address: string): boolean {
    const attempts = this.#current(networkOf(address));
    return attempts !== undefined && attempts.count >= this.#options.max;
  }

  /** True when this failure is the one that blocks the address. */
  add(address: string): boolean {
    const network = networkOf(address);
    const attempts = this.#current(network);
    if (attempts) {
      attempts.count++;
      return attempts.count === this.#options.max;
    }
    // A window that is over leaves its place, so that the order is that of the beginnings.
    this.#attempts.delete(network);
    this.#attempts.set(network, { since: this.#options.clock.now(), count: 1 });
    for (const oldest of this.#attempts.keys()) {
      if (this.#attempts.size <= this.#options.addresses) break;
      this.#attempts.delete(oldest);
    }
    return this.#options.max === 1;
  }

  #current(network: string): Attempts | undefined {
    const attempts = this.#attempts.get(network);
    if (!attempts) return undefined;
    const { clock, windowMs } = this.#options;
    return attempts.since + windowMs > clock.now() ? attempts : undefined;
  }
}

/** One subscriber has at least 64 bits of an IPv6 address to choose from. */
function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1]!;
  const [head = '', tail] = address.split('%', 1)[0]!.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const groups = [...before, ...Array<string>(Math.max(0, zeros)).fill('0'), ...after];
  return groups
    .slice(0, 4)
    .map((group) => parseInt(group, 16).toString(16))
    .join(':');
}
