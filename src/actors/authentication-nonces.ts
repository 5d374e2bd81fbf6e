/** Nonces of our challenges: none is kept before it has been used well (RFC 7616 3.3, 5.4). */

import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock, Random } from '../ports.js';

export interface NonceOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Nodes with the same secret know each other's nonces; drawn when absent. */
  readonly secret?: string | undefined;
  /** ms for which a nonce is good. */
  readonly lifetimeMs: number;
  /** Nonces whose counts are kept. */
  readonly bound: number;
}

/** A nonce of ours that came back from the address for which it was made. */
export interface Nonce {
  readonly value: string;
  readonly issuedAt: number;
}

/** Counts below the highest that may still come, for datagrams overtake each other. */
const windowSize = 32;
const saltLength = 16;
const form = /^([0-9a-z]{1,11})\.([A-Za-z0-9]{1,32})\.([A-Za-z0-9_-]{32})$/;

interface Used {
  readonly issuedAt: number;
  highest: number;
  /** Bit n: the count `highest - n` was used. */
  seen: number;
}

export class Nonces {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #secret: string;
  readonly #lifetimeMs: number;
  readonly #bound: number;
  readonly #used = new Map<string, Used>();
  /** A nonce this old that is not in the table may have been used and forgotten. */
  #forgottenAt = -Infinity;

  constructor(options: NonceOptions) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#secret = options.secret ?? options.random.token(43);
    this.#lifetimeMs = options.lifetimeMs;
    this.#bound = options.bound;
  }

  get size(): number {
    return this.#used.size;
  }

  /** `scope` is who may use it: an address and a realm. */
  issue(scope: string): string {
    const stamp = `${this.#clock.now().toString(36)}.${this.#random.token(saltLength)}`;
    return `${stamp}.${this.#seal(stamp, scope)}`;
  }

  /** Undefined for a nonce that was not made by us for that scope. */
  read(value: string, scope: string): Nonce | undefined {
    const match = form.exec(value);
    if (!match) return undefined;
    const stamp = `${match[1]}.${match[2]}`;
    const sealed = Buffer.from(this.#seal(stamp, scope));
    if (!timingSafeEqual(sealed, Buffer.from(match[3]!))) return undefined;
    return { value, issuedAt: parseInt(match[1]!, 36) };
  }

  isExpired({ value, issuedAt }: Nonce): boolean {
    if (issuedAt + this.#lifetimeMs <= this.#clock.now()) return true;
    return issuedAt <= this.#forgottenAt && !this.#used.has(value);
  }

  /** Whether that count has not been used with the nonce. */
  isFresh({ value }: Nonce, count: number): boolean {
    const used = this.#used.get(value);
    return count > 0 && (!used || isFresh(used, count));
  }

  /** Uses the count up, after the digest was found right. False when somebody else was faster. */
  use(nonce: Nonce, count: number): boolean {
    if (this.isExpired(nonce) || !this.isFresh(nonce, count)) return false;
    const used = this.#used.get(nonce.value);
    if (used) mark(used, count);
    else this.#add(nonce, count);
    return true;
  }

  #add({ value, issuedAt }: Nonce, count: number): void {
    this.#used.set(value, { issuedAt, highest: count, seen: 1 });
    const now = this.#clock.now();
    for (const [oldest, used] of this.#used) {
      const expired = used.issuedAt + this.#lifetimeMs <= now;
      if (!expired && this.#used.size <= this.#bound) return;
      this.#used.delete(oldest);
      this.#forgottenAt = Math.max(this.#forgottenAt, used.issuedAt);
    }
  }

  #seal(stamp: string, scope: string): string {
    const code = createHmac('sha256', this.#secret).update(`${stamp} ${scope}`);
    return code.digest('base64url').slice(0, 32);
  }
}

function isFresh({ highest, seen }: Used, count: number): boolean {
  if (count > highest) return true;
  const behind = highest - count;
  return behind < windowSize && ((seen >>> behind) & 1) === 0;
}

function mark(used: Used, count: number): void {
  if (count <= used.highest) {
    used.seen = (used.seen | (1 << (used.highest - count))) >>> 0;
    return;
  }
  const ahead = count - used.highest;
  used.seen = ahead >= windowSize ? 1 : ((used.seen << ahead) | 1) >>> 0;
  used.highest = count;
}
