/** Frames over a stream between two processes of one server: a kind and its octets, in order. */

import type { Duplex } from 'node:stream';

/** Length of the frame with its head, and kind. */
const headOctets = 5;
/** Octets of a part from which on a copy costs more than a part of its own. */
const longPart = 2_048;
/** Octets of a frame that may hold the chunk it came in. */
const viewOctets = 16_384;

export interface LinkOptions {
  /** Octets that wait for the other side; beyond, `offer` says no. */
  readonly pendingOctets: number;
  /** Whether long frames may be views, which nobody keeps for long. */
  readonly views?: boolean;
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
  /** Of a frame that has not come whole, and how many octets there have to be. */
  #pieces: Buffer[] = [];
  #piecesOctets = 0;
  #wanted = headOctets;
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
    const batch = this.#batch;
    const octets = this.#batchOctets;
    this.#batch = [];
    this.#batchOctets = 0;
    if (this.#isClosed) return;
    if (octets < batch.length * longPart) {
      this.#stream.write(Buffer.concat(batch, octets));
      return;
    }
    // One call of the system all the same, and no copy of what is long.
    this.#stream.cork();
    for (const part of batch) this.#stream.write(part);
    this.#stream.uncork();
  }

  #receive(chunk: Buffer): void {
    let octets = chunk;
    if (this.#pieces.length > 0) {
      this.#pieces.push(chunk);
      this.#piecesOctets += chunk.length;
      if (this.#piecesOctets < this.#wanted) return;
      octets = Buffer.concat(this.#pieces, this.#piecesOctets);
      this.#pieces = [];
    }
    let at = 0;
    this.#wanted = headOctets;
    while (octets.length - at >= headOctets) {
      const length = octets.readUInt32LE(at);
      if (octets.length - at < length) {
        this.#wanted = length;
        break;
      }
      const frame = octets.subarray(at + headOctets, at + length);
      // A copy: what is kept of a message must not hold the whole chunk.
      const isView = this.#options.views === true && frame.length >= viewOctets;
      this.#options.frame(octets[at + 4]!, isView ? frame : Buffer.from(frame));
      at += length;
    }
    if (at === octets.length) return;
    this.#pieces.push(octets.subarray(at));
    this.#piecesOctets = octets.length - at;
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#batch = [];
    this.#options.closed();
  }
}
