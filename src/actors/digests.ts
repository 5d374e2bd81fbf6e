/** Digests of recent submissions, so that one that comes again is recognised (D-18). */

export class Digests {
  readonly #keepMs: number;
  readonly #bound: number;
  /** When each was received, oldest first. */
  readonly #receivedAt = new Map<string, number>();

  constructor(options: { readonly keepMs: number; readonly bound: number }) {
    this.#keepMs = options.keepMs;
    this.#bound = options.bound;
  }

  has(digest: string, now: number): boolean {
    const receivedAt = this.#receivedAt.get(digest);
    return receivedAt !== undefined && receivedAt + this.#keepMs > now;
  }

  /** The oldest make room when the bound is reached, and go when their time is over. */
  add(digest: string, receivedAt: number, now: number): void {
    this.#receivedAt.set(digest, receivedAt);
    for (const [oldest, at] of this.#receivedAt) {
      if (at + this.#keepMs > now && this.#receivedAt.size <= this.#bound) return;
      this.#receivedAt.delete(oldest);
    }
  }

  clear(): void {
    this.#receivedAt.clear();
  }
}
