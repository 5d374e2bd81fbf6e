/** The receiving side of a session: chunks become messages (RFC 4975 7.3.1). */

import type { MsrpIncoming, MsrpSink } from '../../ports.js';
import type { MsrpFlag, MsrpRequestHead } from '../../wire/msrp/frame.js';
import { ByteRanges } from './ranges.js';

export interface IncomingLimits {
  readonly messageBytes: number;
  readonly incomingMessages: number;
  readonly fragments: number;
}

/** What incoming messages are handed to. */
export interface IncomingOwner {
  receive(incoming: MsrpIncoming): MsrpSink | number;
  /** A sink threw or rejected. */
  failed(code: string, cause: unknown): void;
}

/** What becomes of a chunk: its status, and the size of the message when the chunk completed it. */
export interface ChunkOutcome {
  readonly status: number;
  readonly completed?: number;
}

/** How many ended Message-IDs are remembered for their late chunks. */
const endedMax = 64;
const stopSending = 413;

interface Message {
  readonly id: string;
  readonly sink: MsrpSink;
  readonly ranges: ByteRanges;
  total: number | undefined;
  /** Set once it has ended: the status of every further chunk, known or being found out. */
  ended: number | Promise<number> | undefined;
}

/** The unfinished incoming messages of one session. */
export class Incoming {
  readonly #owner: IncomingOwner;
  readonly #limits: IncomingLimits;
  readonly #open = new Map<string, Message>();
  readonly #ended = new Map<string, number>();
  /** How many of the open ones are with their sink for completion. */
  #completing = 0;

  constructor(owner: IncomingOwner, limits: IncomingLimits) {
    this.#owner = owner;
    this.#limits = limits;
  }

  /** A chunk with a body begins. A number refuses it with that status. */
  chunk(head: MsrpRequestHead): IncomingChunk | number {
    const range = head.byteRange ?? { start: 1, end: undefined, total: undefined };
    const { start, end, total } = range;
    const known = this.#open.get(head.messageId);
    const reach = Math.max(start - 1, end ?? 0, total ?? 0);
    if (reach > this.#limits.messageBytes) return this.#refuse(known, stopSending);
    if (end !== undefined && end < start - 1) return this.#refuse(known, 400);
    if (total !== undefined && Math.max(start - 1, end ?? 0) > total) {
      return this.#refuse(known, 400);
    }
    const message = known ?? this.#begin(head, start, total);
    if (typeof message === 'number') return message;
    if (message.ended === undefined && !agrees(message, total)) return this.#refuse(message, 400);
    this.#announce(message, head);
    return new IncomingChunk(this, message, { start: start - 1, end, limits: this.#limits });
  }

  /** The session or its connection is gone: no unfinished message will ever be complete. */
  lose(): void {
    for (const message of [...this.#open.values()]) this.abort(message, 'lost', 408);
  }

  /** @internal Writes through to the sink; a failing sink ends the message. */
  write(message: Message, offset: number, bytes: Buffer): void | Promise<void> {
    try {
      const written = message.sink.write(offset, bytes);
      if (typeof written === 'number') this.abort(message, 'overrun', written);
      if (typeof written !== 'object') return;
      return written.then(
        (status) => {
          if (typeof status === 'number') this.abort(message, 'overrun', status);
        },
        (cause: unknown) => this.#sinkFailed(message, cause),
      );
    } catch (cause) {
      this.#sinkFailed(message, cause);
    }
  }

  /** @internal Every octet is there. */
  complete(message: Message, total: number): ChunkOutcome | Promise<ChunkOutcome> {
    let result: number | Promise<number>;
    try {
      result = message.sink.complete(total);
    } catch (cause) {
      result = this.#completionFailed(cause);
    }
    if (typeof result === 'number') {
      this.#end(message, result);
      return { status: result, completed: total };
    }
    this.#completing += 1;
    const settled = result
      .catch((cause: unknown) => this.#completionFailed(cause))
      .then((status) => {
        this.#completing -= 1;
        this.#end(message, status);
        return status;
      });
    message.ended = settled;
    return settled.then((status) => ({ status, completed: total }));
  }

  /** @internal Ends a message that stays incomplete. Late chunks of it are answered `status`. */
  abort(message: Message, cause: 'aborted' | 'lost' | 'overrun', status: number): void {
    if (message.ended !== undefined) return;
    this.#end(message, status);
    try {
      message.sink.abort(cause);
    } catch (error) {
      this.#owner.failed('MSRP_SINK_FAILED', error);
    }
  }

  #begin(head: MsrpRequestHead, start: number, total: number | undefined): Message | number {
    const { messageId: id, contentType, headers } = head;
    const before = this.#ended.get(id);
    // A late or repeated chunk of a message that has ended. From octet 1 on it may be a repetition
    // of the whole message, about which the receiver decides (5.4).
    if (before !== undefined && start > 1) return before;
    if (this.#open.size - this.#completing >= this.#limits.incomingMessages) return stopSending;
    const sink = this.#receive({ messageId: id, contentType, headers, total });
    if (typeof sink === 'number') {
      this.#remember(id, sink);
      return sink;
    }
    const ranges = new ByteRanges(this.#limits.fragments);
    const message = { id, sink, ranges, total, ended: undefined };
    this.#ended.delete(id);
    this.#open.set(id, message);
    return message;
  }

  #announce(message: Message, { transactionId, headers }: MsrpRequestHead): void {
    if (message.ended !== undefined) return;
    try {
      message.sink.chunk?.({ transactionId, headers });
    } catch (cause) {
      this.#sinkFailed(message, cause);
    }
  }

  #receive(incoming: MsrpIncoming): MsrpSink | number {
    try {
      return this.#owner.receive(incoming);
    } catch (cause) {
      this.#owner.failed('MSRP_RECEIVER_FAILED', cause);
      return stopSending;
    }
  }

  #refuse(message: Message | undefined, status: number): number {
    if (message) this.abort(message, 'overrun', status);
    return status;
  }

  #sinkFailed(message: Message, cause: unknown): void {
    this.#owner.failed('MSRP_SINK_FAILED', cause);
    this.abort(message, 'aborted', stopSending);
  }

  #completionFailed(cause: unknown): number {
    this.#owner.failed('MSRP_SINK_FAILED', cause);
    return stopSending;
  }

  #end(message: Message, status: number): void {
    message.ended = status;
    if (this.#open.get(message.id) === message) this.#open.delete(message.id);
    this.#remember(message.id, status);
  }

  #remember(id: string, status: number): void {
    this.#ended.delete(id);
    this.#ended.set(id, status);
    if (this.#ended.size <= endedMax) return;
    for (const oldest of this.#ended.keys()) {
      this.#ended.delete(oldest);
      return;
    }
  }
}

interface ChunkBounds {
  readonly start: number;
  /** Range-end of the chunk, undefined for `*`. */
  readonly end: number | undefined;
  readonly limits: IncomingLimits;
}

/** One chunk while it comes in. */
export class IncomingChunk {
  readonly #incoming: Incoming;
  readonly #message: Message;
  readonly #bounds: ChunkBounds;
  #offset: number;

  constructor(incoming: Incoming, message: Message, bounds: ChunkBounds) {
    this.#incoming = incoming;
    this.#message = message;
    this.#bounds = bounds;
    this.#offset = bounds.start;
  }

  /** Octets of the body. A promise holds back the connection. */
  write(bytes: Buffer): void | Promise<void> {
    const message = this.#message;
    if (message.ended !== undefined) return;
    const offset = this.#offset;
    const refused = this.#take(offset, offset + bytes.length);
    if (refused === undefined) return this.#incoming.write(message, offset, bytes);
    this.#incoming.abort(message, 'overrun', refused);
  }

  /** The end-line. Never rejects. */
  end(flag: MsrpFlag): ChunkOutcome | Promise<ChunkOutcome> {
    const message = this.#message;
    const { ended } = message;
    if (typeof ended === 'number') return { status: ended };
    if (ended !== undefined) return ended.then((status) => ({ status }));
    if (flag === '#') {
      this.#incoming.abort(message, 'aborted', stopSending);
      return { status: 200 };
    }
    if (flag === '$' && !this.#fixTotal()) {
      this.#incoming.abort(message, 'aborted', 400);
      return { status: 400 };
    }
    const { total } = message;
    if (total === undefined || !message.ranges.covers(total)) return { status: 200 };
    return this.#incoming.complete(message, total);
  }

  /** The frame broke off: nothing can be said about its octets. */
  fault(): void {
    this.#incoming.abort(this.#message, 'aborted', 400);
  }

  /** Counts octets in, or returns the status that refuses them. */
  #take(offset: number, end: number): number | undefined {
    const { limits, end: rangeEnd } = this.#bounds;
    const { total, ranges } = this.#message;
    if (end > limits.messageBytes) return stopSending;
    if (end > (rangeEnd ?? end) || end > (total ?? end)) return 400;
    if (!ranges.add(offset, end)) return stopSending;
    this.#offset = end;
    return undefined;
  }

  /** `$` fixes the total, which must agree with what was said and received before. */
  #fixTotal(): boolean {
    const message = this.#message;
    message.total ??= this.#offset;
    return message.total === this.#offset && message.ranges.end <= message.total;
  }
}

/** Takes in the total of a chunk; false when it contradicts what is known. */
function agrees(message: Message, total: number | undefined): boolean {
  if (total === undefined) return true;
  message.total ??= total;
  return message.total === total && message.ranges.end <= total;
}
