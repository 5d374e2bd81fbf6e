/** Takes so many octets at a time of a stream, however they come. */

export class OctetReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #pieces: Buffer[] = [];
  #size = 0;

  constructor(octets: AsyncIterable<Uint8Array>) {
    this.#source = octets[Symbol.asyncIterator]();
  }

  /** Undefined when there are not so many any more. */
  async take(size: number): Promise<Buffer | undefined> {
    const whole = await this.#gather(size);
    if (!whole) return undefined;
    this.#pieces = [whole.subarray(size)];
    this.#size -= size;
    return whole.subarray(0, size);
  }

  /** The same, and they stay. */
  async peek(size: number): Promise<Buffer | undefined> {
    const whole = await this.#gather(size);
    return whole?.subarray(0, size);
  }

  /** What is left. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    yield* this.#pieces.splice(0);
    this.#size = 0;
    for (;;) {
      const next = await this.#source.next();
      if (next.done === true) return;
      yield bufferOf(next.value);
    }
  }

  async #gather(size: number): Promise<Buffer | undefined> {
    while (this.#size < size) {
      const next = await this.#source.next();
      if (next.done === true) return undefined;
      const piece = bufferOf(next.value);
      this.#pieces.push(piece);
      this.#size += piece.length;
    }
    if (this.#pieces.length !== 1) this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0];
  }
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
