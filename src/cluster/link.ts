/** Frames over a stream between two processes of one server: a kind and its octets, in order. */

import type { Duplex } from 'node:stream';

/** Length of the frame with its head, and kind. */
const headOctets = 5;

export interface LinkOptions {
  /** Octets that wait for the other side; beyond, `offer` says no. */
  readonly pendingOctets: number;
  frame(kind: number, octets: Buffer): void;
  /** Everything that waited has left. */
  drained?(): void;
  /** The other side is gone; called once. */
  closed(): void;
}

export class Link {
  readonly #stream: Duplex;
  readonly #options: LinkOptions;
  #batch: Buffer[] = [];
  #batchOctets = 0;
  #partial: Buffer | undefined;
  #isClosed = false;

  constructor(stream: Duplex, options: LinkOptions) {
    this.#stream = stream;
    this.#options = options;
    stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    stream.on('drain', () => options.drained?.());
    stream.on('error', () => this.#closed());
    stream.on('close', () => this.#closed());
    stream.on('end', () => this.#closed());
  }

  get isOpen(): boolean {
    return !this.#isClosed;
  }

  /** Octets that wait for the other side. */
  get waitingOctets(): number {
    return this.#stream.writableLength + this.#batchOctets;
  }

  /** False: the other side is gone or too slow, and the frame is dropped. */
  offer(kind: number, parts: readonly Buffer[]): boolean {
    if (this.waitingOctets > this.#options.pendingOctets) return false;
    return this.send(kind, parts);
  }

  /** For what must arrive and is bounded elsewhere. False: the other side is gone. */
  send(kind: number, parts: readonly Buffer[]): boolean {
    if (this.#isClosed) return false;
    let length = headOctets;
    for (const part of parts) length += part.length;
    const head = Buffer.allocUnsafe(headOctets);
    head.writeUInt32LE(length, 0);
    head[4] = kind;
    // Everything that one poll of the event loop brings leaves in one write.
    if (this.#batch.length === 0) setImmediate(() => this.#flush());
    this.#batch.push(head, ...parts);
    this.#batchOctets += length;
    return true;
  }

  /** What was sent leaves first. */
  end(): void {
    this.#flush();
    this.#stream.end();
  }

  #flush(): void {
    if (this.#batch.length === 0) return;
    const octets = Buffer.concat(this.#batch, this.#batchOctets);
    this.#batch = [];
    this.#batchOctets = 0;
    if (!this.#isClosed) this.#stream.write(octets);
  }

  #receive(chunk: Buffer): void {
    const octets = this.#partial ? Buffer.concat([this.#partial, chunk]) : chunk;
    let at = 0;
    while (octets.length - at >= headOctets) {
      const length = octets.readUInt32LE(at);
      if (octets.length - at < length) break;
      // A copy: what is kept of a message must not hold the whole chunk.
      const frame = Buffer.from(octets.subarray(at + headOctets, at + length));
      this.#options.frame(octets[at + 4]!, frame);
      at += length;
    }
    this.#partial = at < octets.length ? octets.subarray(at) : undefined;
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#batch = [];
    this.#options.closed();
  }
}
