/** How much waits in all connections together, and which of them it is that moves the least. */

/** Whoever holds octets. */
export interface Holder {
  /** There is no room for what all hold; this one has moved nothing for longest. */
  overfull(): void;
}

export class HeldOctets {
  readonly #max: number;
  /** Who holds something, whoever moved last at the end. */
  readonly #holders = new Map<Holder, number>();
  #sum = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get sum(): number {
    return this.#sum;
  }

  /** May end others that hold, or this one. */
  take(holder: Holder, octets: number): void {
    this.#holders.set(holder, (this.#holders.get(holder) ?? 0) + octets);
    this.#sum += octets;
    while (this.#sum > this.#max) {
      const [stalled] = this.#holders.keys();
      if (!stalled) return;
      this.leave(stalled);
      stalled.overfull();
    }
  }

  /** Octets have gone on their way. */
  give(holder: Holder, octets: number): void {
    const held = this.#holders.get(holder);
    if (held === undefined) return;
    this.#holders.delete(holder);
    if (held > octets) this.#holders.set(holder, held - octets);
    this.#sum -= Math.min(held, octets);
  }

  /** It holds nothing any more. */
  leave(holder: Holder): void {
    this.#sum -= this.#holders.get(holder) ?? 0;
    this.#holders.delete(holder);
  }
}
