/** The sending side of a session: queued messages, the window, responses and reports. */

import type { MsrpOutgoing } from '../../ports.js';
import { acceptsType } from '../../wire/msrp/accept-types.js';
import type { MsrpRequestHead } from '../../wire/msrp/frame.js';
import { ByteRanges } from './ranges.js';

/** What is told of messages. A failure is the last word on a message. */
export interface OutgoingOwner {
  sent(message: MsrpOutgoing, status: number): void;
  reported(message: MsrpOutgoing, status: number): void;
  /** The peer does not know the session, or has it on another connection (MSRP-23). */
  ended(status: number): void;
  /** A content threw, rejected or was short. */
  failed(code: string, cause: unknown): void;
  /** Something can be sent again. */
  wake(): void;
}

export interface OutgoingLimits {
  readonly outgoingMessages: number;
  readonly fragments: number;
  readonly windowBytes: number;
  readonly readBytes: number;
}

/** Counted for every SEND in addition to its body, so that empty messages fill the window too. */
const sendCost = 512;
/** Messages remembered for their REPORTs, and types remembered as refused. */
const unreportedMax = 4_096;
const refusedTypesMax = 32;
const nothing = Buffer.alloc(0);

/** A message on its way. */
export class OutgoingMessage {
  readonly fields: MsrpOutgoing;
  readonly size: number;
  /** Octets put on the wire. */
  offset = 0;
  /** Octets read and not put on the wire. */
  ahead: Buffer = nothing;
  reading = false;
  unanswered = 0;
  /** Its last chunk is on the wire. */
  written = false;
  /** Its outcome has been told: nothing more of it is sent. */
  ended = false;
  reports: ByteRanges | undefined;

  constructor(fields: MsrpOutgoing) {
    this.fields = fields;
    this.size = fields.content.size;
  }
}

/** Everything one session sends. Its messages leave one after the other (D-72). */
export class Outgoing {
  /** URI of this side. */
  readonly fromPath: readonly string[];
  /** Path of the peer; empty until it is known. */
  toPath: readonly string[] = [];
  /** What the peer takes; everything when it is not known. */
  acceptTypes: readonly string[] | undefined;
  /** Set once the session is bound: nothing is sent before. */
  bound = false;
  readonly #owner: OutgoingOwner;
  readonly #limits: OutgoingLimits;
  #queue: OutgoingMessage[] = [];
  #first = 0;
  #inFlight = 0;
  readonly #unreported = new Map<string, OutgoingMessage>();
  readonly #refusedTypes = new Set<string>();

  constructor(owner: OutgoingOwner, uri: string, limits: OutgoingLimits) {
    this.#owner = owner;
    this.fromPath = [uri];
    this.#limits = limits;
  }

  /** Queues a message. A status ends it at once: the queue is full, or its type is not taken. */
  enqueue(fields: MsrpOutgoing): number | undefined {
    const { contentType } = fields;
    if (this.#refusedTypes.has(mediaType(contentType))) return 415;
    // MSRP-30: nothing else may be sent.
    if (this.acceptTypes && !acceptsType(this.acceptTypes, contentType)) return 415;
    if (this.#queue.length - this.#first >= this.#limits.outgoingMessages) return 408;
    this.#queue.push(new OutgoingMessage(fields));
    return undefined;
  }

  /** The message whose chunks are next. */
  get current(): OutgoingMessage | undefined {
    return this.#queue[this.#first];
  }

  /** Whether nothing is queued and nothing unanswered. */
  get isIdle(): boolean {
    return this.current === undefined && this.#inFlight === 0;
  }

  /** Octets that may still be sent before a response comes. */
  get room(): number {
    return this.bound ? this.#limits.windowBytes - this.#inFlight : 0;
  }

  /** Whether octets of the message are at hand. When not, they are read and the owner is woken. */
  fill(message: OutgoingMessage): boolean {
    if (message.ended || message.ahead.length > 0 || message.offset === message.size) return true;
    if (message.reading) return false;
    const length = Math.min(this.#limits.readBytes, message.size - message.offset);
    try {
      const read = message.fields.content.read(message.offset, length);
      if (Buffer.isBuffer(read)) this.#take(message, read, length);
      else this.#await(message, read, length);
    } catch (cause) {
      this.#contentFailed(message, cause);
    }
    return !message.reading;
  }

  /** A chunk is on the wire. Returns what it counts in the window, to be handed to `answered`. */
  chunkWritten(message: OutgoingMessage, bytes: number, last: boolean): number {
    const cost = bytes + sendCost;
    message.unanswered += 1;
    this.#inFlight += cost;
    if (last) {
      message.written = true;
      if (message.fields.successReport) this.#awaitReports(message);
      this.#leaveQueue(message);
    } else if (message.fields.successReport && message.offset === bytes) {
      this.#awaitReports(message);
    }
    return cost;
  }

  /** The response to a chunk, or 408 when none came. */
  answered(message: OutgoingMessage, cost: number, status: number): void {
    this.#inFlight -= cost;
    message.unanswered -= 1;
    if (status < 200 || status > 299) {
      if (status === 415) this.#refuseType(message.fields.contentType);
      this.fail(message, status);
      if (status === 481 || status === 506) this.#owner.ended(status);
    } else if (!message.ended && message.written && message.unanswered === 0) {
      message.ended = true;
      this.#owner.sent(message.fields, 200);
    }
    if (this.current) this.#owner.wake();
  }

  /** Ends a message before all of it was sent and answered. */
  fail(message: OutgoingMessage, status: number): void {
    if (message.ended) return;
    this.#drop(message);
    this.#owner.sent(message.fields, status);
  }

  /** A REPORT. One for an unknown Message-ID is passed over (MSRP-24). */
  report(head: MsrpRequestHead): void {
    const message = this.#unreported.get(head.messageId) ?? this.#queued(head.messageId);
    const status = head.status?.code;
    if (!message || status === undefined) return;
    if (status < 200 || status > 299) {
      if (status === 415) this.#refuseType(message.fields.contentType);
      this.#unreported.delete(head.messageId);
      this.#drop(message);
      this.#owner.reported(message.fields, status);
      this.#owner.wake();
      return;
    }
    if (!message.reports) return;
    const start = (head.byteRange?.start ?? 1) - 1;
    const end = Math.min(head.byteRange?.end ?? message.size, message.size);
    message.reports.add(Math.max(0, start), end);
    if (!message.written || !message.reports.covers(message.size)) return;
    this.#unreported.delete(head.messageId);
    this.#owner.reported(message.fields, status);
  }

  /** Forgets every message without a word. */
  clear(): void {
    for (const message of this.#queue.slice(this.#first)) message.ended = true;
    for (const message of this.#unreported.values()) message.ended = true;
    this.#queue = [];
    this.#first = 0;
    this.#unreported.clear();
    this.bound = false;
  }

  #take(message: OutgoingMessage, bytes: Buffer, asked: number): void {
    if (bytes.length === 0 || bytes.length > asked) {
      this.#contentFailed(message, new RangeError(`${bytes.length} octets instead of ${asked}`));
    } else if (!message.ended) {
      message.ahead = bytes;
    }
  }

  #await(message: OutgoingMessage, read: Promise<Buffer>, asked: number): void {
    message.reading = true;
    read
      .then(
        (bytes) => {
          message.reading = false;
          this.#take(message, bytes, asked);
        },
        (cause: unknown) => {
          message.reading = false;
          this.#contentFailed(message, cause);
        },
      )
      .finally(() => this.#owner.wake());
  }

  #contentFailed(message: OutgoingMessage, cause: unknown): void {
    if (message.ended) return;
    this.#owner.failed('MSRP_CONTENT_FAILED', cause);
    this.fail(message, 408);
  }

  #drop(message: OutgoingMessage): void {
    message.ended = true;
    message.ahead = nothing;
    this.#unreported.delete(message.fields.messageId);
    this.#leaveQueue(message);
  }

  #leaveQueue(message: OutgoingMessage): void {
    if (this.current === message) {
      this.#first += 1;
      if (this.#first > 64 && this.#first * 2 > this.#queue.length) {
        this.#queue = this.#queue.slice(this.#first);
        this.#first = 0;
      }
    }
  }

  #queued(messageId: string): OutgoingMessage | undefined {
    return this.current?.fields.messageId === messageId ? this.current : undefined;
  }

  #awaitReports(message: OutgoingMessage): void {
    if (message.reports) return;
    message.reports = new ByteRanges(this.#limits.fragments);
    this.#unreported.set(message.fields.messageId, message);
    if (this.#unreported.size <= unreportedMax) return;
    for (const oldest of this.#unreported.keys()) {
      this.#unreported.delete(oldest);
      return;
    }
  }

  #refuseType(contentType: string): void {
    if (this.#refusedTypes.size < refusedTypesMax) this.#refusedTypes.add(mediaType(contentType));
  }
}

/** The type without parameters, in lower case. */
function mediaType(contentType: string): string {
  const semicolon = contentType.indexOf(';');
  return (semicolon < 0 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase();
}
