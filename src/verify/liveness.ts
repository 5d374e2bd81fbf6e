/** From which states a fair world cannot reach a goal any more: reachability, backwards. */

/** Transitions between states by their numbers, with a bit for each goal they may serve. */
export class FairEdges {
  #from = new Int32Array(1024);
  #to = new Int32Array(1024);
  #bits = new Uint8Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(from: number, to: number, bits: number): void {
    if (this.#length === this.#from.length) this.#grow();
    this.#from[this.#length] = from;
    this.#to[this.#length] = to;
    this.#bits[this.#length] = bits;
    this.#length++;
  }

  /**
   * The lowest state from which no edge with this bit leads on to one of `reached` in the end;
   * states are numbered in the order in which they were found, so that it is one of the nearest.
   */
  lost(reached: Uint8Array, states: number, bit: number): number | undefined {
    const known = reached.slice(0, states);
    // Chains of edges by the state they lead to, so that one look at each is enough.
    const head = new Int32Array(states).fill(-1);
    const next = new Int32Array(this.#length);
    for (let edge = 0; edge < this.#length; edge++) {
      if ((this.#bits[edge]! & bit) === 0) continue;
      next[edge] = head[this.#to[edge]!]!;
      head[this.#to[edge]!] = edge;
    }
    const queue: number[] = [];
    for (let state = 0; state < states; state++) if (known[state] === 1) queue.push(state);
    for (let state = queue.pop(); state !== undefined; state = queue.pop()) {
      for (let edge = head[state]!; edge >= 0; edge = next[edge]!) {
        const before = this.#from[edge]!;
        if (known[before] === 1) continue;
        known[before] = 1;
        queue.push(before);
      }
    }
    const lost = known.indexOf(0);
    return lost < 0 ? undefined : lost;
  }

  #grow(): void {
    const grown = <A extends Int32Array | Uint8Array>(array: A, other: A): A => {
      other.set(array);
      return other;
    };
    const size = this.#length * 2;
    this.#from = grown(this.#from, new Int32Array(size));
    this.#to = grown(this.#to, new Int32Array(size));
    this.#bits = grown(this.#bits, new Uint8Array(size));
  }
}
