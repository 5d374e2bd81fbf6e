/** The sending side of a connection that several processes write to: one frame after the other. */

import type { Clock } from '../../ports.js';
import type { CarrierSocket } from './carrier.js';
import type { FrameQueue } from './frame-queue.js';

/** Whose frames they are. */
export interface FrameSource {
  readonly frames: FrameQueue;
  /** Octets of it have been handed to the socket. */
  written(octets: number): void;
  /** Somebody else waits until its open frame ends. */
  awaited(): void;
}

export interface SharedOutputParts {
  readonly socket: CarrierSocket;
  /** Whether each write has to be one frame. */
  readonly framed: boolean;
  /** The head and the end-line of a frame have left, for the trace. */
  readonly traceOut: ((...parts: readonly Buffer[]) => void) | undefined;
  /** Everything is with the socket. */
  drained(): void;
  /** A full socket has taken nothing for `unreadMs`. */
  unread(): void;
  readonly clock: Clock;
  readonly unreadMs: number;
}

/** The socket is full. */
const socketBytes = 65_536;
/** Parts as long as this are written as they are; shorter ones are joined up to `socketBytes`. */
const ownWriteBytes = 8_192;

export class SharedOutput {
  readonly #parts: SharedOutputParts;
  /** Those that have something to send; whoever has had a turn goes to the end. */
  readonly #ready = new Set<FrameSource>();
  /** Whose frame is open. */
  #current: FrameSource | undefined;
  #head: Buffer | undefined;
  #hasAsked = false;
  #joined: Buffer[] = [];
  #joinedBytes = 0;
  #drains = 0;
  #stall: (() => void) | undefined;

  constructor(parts: SharedOutputParts) {
    this.#parts = parts;
    parts.socket.on('drain', () => {
      this.#drains += 1;
      this.pump();
    });
    parts.socket.on('close', () => this.#stall?.());
  }

  get isDrained(): boolean {
    return this.#joinedBytes === 0 && !this.#current && this.#ready.size === 0;
  }

  /** There is more of that source, or it has ended. */
  wake(source: FrameSource): void {
    if (!source.frames.isEmpty) this.#ready.add(source);
    this.pump();
  }

  pump(): void {
    const { socket, drained } = this.#parts;
    if (socket.destroyed) return;
    socket.cork();
    while (!this.#isBlocked() && this.#step());
    // A frame that has to be written whole waits for its end.
    if (!this.#parts.framed) this.#flush();
    socket.uncork();
    if (this.isDrained) drained();
    else if (this.#isBlocked()) this.#watchStall();
  }

  #isBlocked(): boolean {
    const { socket, framed } = this.#parts;
    if (socket.destroyed) return true;
    return socket.writableLength + (framed ? 0 : this.#joinedBytes) >= socketBytes;
  }

  #watchStall(): void {
    const { socket, clock, unreadMs, unread } = this.#parts;
    if (this.#stall || socket.destroyed) return;
    const drains = this.#drains;
    this.#stall = clock.after(unreadMs, () => {
      this.#stall = undefined;
      if (this.#drains === drains) unread();
      else if (this.#isBlocked()) this.#watchStall();
    });
  }

  #step(): boolean {
    const source = this.#current ?? first(this.#ready);
    if (!source) return false;
    const part = source.frames.shift();
    if (!part) {
      this.#ready.delete(source);
      if (this.#ready.size > 0) this.#ask(source);
      return false;
    }
    const { bytes, kind } = part;
    this.#put(bytes, kind === 'end');
    this.#current = kind === 'end' ? undefined : source;
    if (kind === 'head') this.#head = bytes;
    if (kind === 'end') this.#ended(source, bytes);
    source.written(bytes.length);
    return true;
  }

  #ended(source: FrameSource, end: Buffer): void {
    this.#hasAsked = false;
    this.#parts.traceOut?.(this.#head!, end);
    this.#head = undefined;
    // In turn: nobody has two frames while another one waits.
    this.#ready.delete(source);
    if (!source.frames.isEmpty) this.#ready.add(source);
  }

  #ask(source: FrameSource): void {
    if (this.#hasAsked) return;
    this.#hasAsked = true;
    source.awaited();
  }

  #put(bytes: Buffer, isEnd: boolean): void {
    const { framed, socket } = this.#parts;
    if (!framed && bytes.length >= ownWriteBytes) {
      this.#flush();
      socket.write(bytes);
      return;
    }
    this.#joined.push(bytes);
    this.#joinedBytes += bytes.length;
    if (framed && isEnd) this.#flush();
  }

  #flush(): void {
    const joined = this.#joined;
    if (joined.length === 0) return;
    const octets = joined.length === 1 ? joined[0]! : Buffer.concat(joined, this.#joinedBytes);
    this.#joined = [];
    this.#joinedBytes = 0;
    this.#parts.socket.write(octets);
  }
}

function first<T>(set: ReadonlySet<T>): T | undefined {
  for (const one of set) return one;
  return undefined;
}
