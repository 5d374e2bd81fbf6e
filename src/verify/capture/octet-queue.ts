/** Octets of a stream that wait until a message is whole. */

const nothing = Buffer.alloc(0);

export class OctetQueue {
  #buffer: Buffer = nothing;
  #from = 0;
  #to = 0;
  /** Whether the buffer is ours, so that it may be written into and kept. */
  #isOwn = false;

  get length(): number {
    return this.#to - this.#from;
  }

  /** All that waits, as a view that holds until the next change. */
  get bytes(): Buffer {
    return this.#buffer.subarray(this.#from, this.#to);
  }

  append(chunk: Buffer): void {
    if (this.length === 0) {
      this.#buffer = chunk;
      this.#from = 0;
      this.#to = chunk.length;
      this.#isOwn = false;
      return;
    }
    if (!this.#isOwn || this.#to + chunk.length > this.#buffer.length) this.#grow(chunk.length);
    chunk.copy(this.#buffer, this.#to);
    this.#to += chunk.length;
  }

  /** The first octets are done with. */
  drop(length: number): void {
    this.#from += length;
    if (this.#from >= this.#to) this.clear();
  }

  clear(): void {
    this.#buffer = nothing;
    this.#from = this.#to = 0;
    this.#isOwn = false;
  }

  /** Lets go of the chunk: what still waits is copied. */
  keep(): void {
    if (!this.#isOwn && this.length > 0) this.#grow(0);
  }

  /** Doubling keeps the copying linear when octets trickle in. */
  #grow(more: number): void {
    const held = this.length;
    const larger = Buffer.allocUnsafeSlow(more === 0 ? held : 2 * (held + more));
    this.#buffer.copy(larger, 0, this.#from, this.#to);
    this.#buffer = larger;
    this.#from = 0;
    this.#to = held;
    this.#isOwn = true;
  }
}
