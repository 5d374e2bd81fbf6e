/** What one connection sends: responses and reports first, then chunks of its sessions in turn. */

import type { Clock, Random } from '../../ports.js';
import type { MsrpFlag, MsrpResponseHead } from '../../wire/msrp/frame.js';
import { endLine, requestHead } from '../../wire/msrp/write.js';
import type { CarrierSocket } from './carrier.js';
import { ControlQueue } from './control-queue.js';
import type { HeldOctets } from './held-octets.js';
import type { Outgoing, OutgoingMessage } from './outgoing.js';
import { Transactions } from './transactions.js';
import type { Conclude } from './transactions.js';

export interface WriterSettings {
  readonly clock: Clock;
  readonly random: Random;
  readonly chunkSize: number;
  readonly chunkMax: number;
  readonly responseMs: number;
  readonly outboundBytes: number;
  /** What waits in all connections of this process. */
  readonly held: HeldOctets;
  /** Whether each write has to be one frame. */
  readonly framed: boolean;
}

export interface WriterOwner {
  /** The head and the end-line of a frame have left, for the trace. */
  readonly traceOut: ((...parts: readonly Buffer[]) => void) | undefined;
  /** The peer does not read, or too much waits for it. */
  overdue(code: string): void;
  /** The binding SEND of a session was answered, or was not in time (408). */
  bound(flow: Outgoing, status: number): void;
  /** Everything that could be written has been written. */
  written(): void;
  /** Whether reading has to wait, because answers are not taken. */
  holdBack(isHeld: boolean): void;
}

/** A chunk whose end-line is not written yet. */
interface OpenChunk {
  readonly flow: Outgoing;
  readonly message: OutgoingMessage;
  readonly id: string;
  readonly head: Buffer;
  readonly max: number;
  bytes: number;
  /** The last octets of its body, in which an end-line may begin. */
  tail: Buffer;
  /** Others than the sessions here wait for its end. */
  isAwaited: boolean;
}

/** Waiting for `drain` begins here; below, the kernel gets whole batches. */
const socketBytes = 131_072;
/** Parts as long as this are written as they are; shorter ones are joined up to `joinedBytes`. */
const ownWriteBytes = 8_192;
const joinedBytes = 65_536;
/** At least 71 random bits (MSRP-02). */
const idLength = 12;
/** MSRP-06: a longer body goes in chunks that can be interrupted. */
const interruptibleAbove = 2048;
const nothing = Buffer.alloc(0);
const begun = { tail: nothing, isAwaited: false };

export class Writer {
  readonly #socket: CarrierSocket;
  readonly #owner: WriterOwner;
  readonly #settings: WriterSettings;
  readonly #flows = new Set<Outgoing>();
  readonly #transactions: Transactions;
  readonly #control: ControlQueue;
  readonly #settled = (): void => {
    this.#drains += 1;
    this.#control.settle();
  };
  #open: OpenChunk | undefined;
  /** Parts that go into one write: a write costs more than the copy. */
  #parts: Buffer[] = [];
  #partBytes = 0;
  #isOpen = false;
  #pumping = false;
  #scheduled = false;
  #closed = false;
  #drains = 0;
  #stall: (() => void) | undefined;

  constructor(socket: CarrierSocket, owner: WriterOwner, settings: WriterSettings) {
    this.#socket = socket;
    this.#owner = owner;
    this.#settings = settings;
    const conclude: Conclude = (transaction, status) => {
      const { kind, flow } = transaction;
      if (kind === 'chunk') flow.answered(transaction.message, transaction.cost, status);
      else owner.bound(flow, status);
      this.schedule();
    };
    this.#transactions = new Transactions(settings.clock, settings.responseMs, conclude);
    const { held, outboundBytes } = settings;
    this.#control = new ControlQueue({
      ...{ socket, held, outboundBytes },
      isAwaiting: () => this.#transactions.size > 0,
      holdBack: (isHeld) => {
        if (isHeld) this.#watchStall();
        owner.holdBack(isHeld);
      },
      overdue: (code) => owner.overdue(code),
    });
    socket.on('drain', () => {
      this.#settled();
      this.pump();
    });
    // Whoever has the socket has frames of others for it.
    socket.on('awaited', () => {
      if (!this.#open) return;
      this.#open.isAwaited = true;
      this.schedule();
    });
  }

  /** Whether nothing waits to be written or answered. */
  get isQuiet(): boolean {
    return (
      this.#open === undefined &&
      this.#control.isEmpty &&
      this.#transactions.size === 0 &&
      this.#flows.size === 0
    );
  }

  /** The connection stands. */
  open(): void {
    this.#isOpen = true;
    this.schedule();
  }

  /** Queues a response or a REPORT: it goes before every chunk. */
  control(frame: Buffer): void {
    if (this.#closed) return;
    this.#control.push(frame);
    this.schedule();
  }

  /** Sends the bodiless SEND that binds the session (RFC 4975 5.4). */
  bind(flow: Outgoing, messageId: string): void {
    const id = this.#settings.random.token(idLength);
    const { toPath, fromPath } = flow;
    const head = requestHead({ transactionId: id, method: 'SEND', toPath, fromPath, messageId });
    this.control(Buffer.concat([head, endLine(id, '$')]));
    this.#transactions.add(id, { kind: 'bind', flow });
  }

  /** Sends a request that is no SEND; resolves with its response, undefined when none came. */
  request(id: string, frame: Buffer): Promise<MsrpResponseHead | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    this.control(frame);
    return new Promise((done) => this.#transactions.add(id, { kind: 'request', done }));
  }

  /** The session has something to send. */
  wake(flow: Outgoing): void {
    if (this.#closed) return;
    // The session of the open chunk is at work already: it must not interrupt itself.
    if (this.#open?.flow !== flow) this.#flows.add(flow);
    this.schedule();
  }

  /** The session is gone: its open chunk ends with `#`, its responses are for nobody. */
  drop(flow: Outgoing): void {
    this.#flows.delete(flow);
    this.#transactions.drop(flow);
    this.schedule();
  }

  answered(head: MsrpResponseHead): void {
    this.#transactions.answered(head);
  }

  /** Writes once the present turn of the event loop is done, so that small frames go together. */
  schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    process.nextTick(() => {
      this.#scheduled = false;
      this.pump();
    });
  }

  /** Writes what can be written. */
  pump(): void {
    if (this.#pumping || this.#closed || !this.#isOpen) return;
    this.#pumping = true;
    this.#socket.cork();
    try {
      while (!this.#isBlocked() && this.#step());
      // A frame that has to be written whole waits for its end.
      if (!this.#settings.framed) this.#flush();
    } finally {
      this.#pumping = false;
      this.#socket.uncork();
    }
    if (this.#closed) return;
    this.#control.settle();
    this.#owner.written();
  }

  close(): void {
    this.#closed = true;
    this.#stall?.();
    this.#control.close();
    this.#open = undefined;
    this.#parts = [];
    this.#partBytes = 0;
    this.#flows.clear();
    this.#transactions.close();
  }

  #isBlocked(): boolean {
    if (this.#closed || this.#socket.destroyed) return true;
    if (this.#socket.writableLength + this.#partBytes < socketBytes) return false;
    if (!this.#settings.framed) this.#flush();
    if (this.#socket.writableLength < socketBytes) return false;
    this.#watchStall();
    return true;
  }

  /** One frame, or one piece of a chunk. False when nothing can be written for the time being. */
  #step(): boolean {
    if (this.#open) return this.#continue(this.#open);
    if (!this.#control.isEmpty) {
      const frames = this.#control.shift();
      for (const frame of frames) this.#put(frame, true);
      if (this.#owner.traceOut) for (const frame of frames) this.#owner.traceOut(frame);
      return true;
    }
    for (const flow of this.#flows) {
      this.#flows.delete(flow);
      const message = flow.current;
      if (!message || flow.room <= 0 || !flow.fill(message)) continue;
      // A content that fails while it is read ends its message and leaves the next one.
      if (message.ended) this.#flows.add(flow);
      else this.#begin(flow, message);
      return true;
    }
    return false;
  }

  #begin(flow: Outgoing, message: OutgoingMessage): void {
    const { chunkSize, chunkMax } = this.#settings;
    const id = this.#transactionId(message.ahead);
    const rest = message.size - message.offset;
    const whole = rest <= interruptibleAbove && message.ahead.length === rest;
    let head: Buffer;
    try {
      head = sendHead(flow, message, { id, whole });
    } catch {
      // A header field of the message cannot be written: theirs to know, not the connection's.
      flow.fail(message, 400);
      this.#flows.add(flow);
      return;
    }
    const max = Math.min(chunkMax, Math.max(chunkSize, flow.room));
    const chunk: OpenChunk = { flow, message, id, head, max, bytes: 0, ...begun };
    if (whole) {
      const end = endLine(id, '$');
      this.#put(head, false);
      this.#put(message.ahead, false);
      this.#put(end, true);
      message.offset += rest;
      chunk.bytes = rest;
      message.ahead = nothing;
      this.#concluded(chunk, '$', end);
      return;
    }
    this.#put(head, false);
    this.#open = chunk;
  }

  #continue(chunk: OpenChunk): boolean {
    const { flow, message } = chunk;
    const { chunkSize } = this.#settings;
    if (message.ended) return this.#end(chunk, '#');
    if (message.offset === message.size) return this.#end(chunk, '$');
    const awaited = !this.#control.isEmpty || this.#flows.size > 0 || chunk.isAwaited;
    if (chunk.bytes >= (awaited ? chunkSize : chunk.max)) {
      return this.#end(chunk, '+');
    }
    if (!flow.fill(message)) {
      // A slow content must not hold up the others.
      return awaited && chunk.bytes >= interruptibleAbove && this.#end(chunk, '+');
    }
    if (message.ended) return true;
    const limit = Math.max(1, (awaited ? chunkSize : chunk.max) - chunk.bytes);
    const piece = message.ahead.subarray(0, limit);
    if (containsEndLine(chunk, piece)) return this.#end(chunk, '+');
    this.#put(piece, false);
    message.ahead = message.ahead.subarray(piece.length);
    message.offset += piece.length;
    chunk.bytes += piece.length;
    chunk.tail = tailOf(chunk, piece);
    return true;
  }

  #end(chunk: OpenChunk, flag: MsrpFlag): true {
    const end = endLine(chunk.id, flag);
    this.#put(end, true);
    this.#open = undefined;
    this.#concluded(chunk, flag, end);
    return true;
  }

  /** `isEnd`: a frame ends with it. */
  #put(part: Buffer, isEnd: boolean): void {
    const { framed } = this.#settings;
    if (!framed && part.length >= ownWriteBytes) {
      this.#flush();
      this.#socket.write(part);
      return;
    }
    this.#parts.push(part);
    this.#partBytes += part.length;
    if (framed ? isEnd : this.#partBytes >= joinedBytes) this.#flush();
  }

  #flush(): void {
    const parts = this.#parts;
    if (parts.length === 0) return;
    const octets = parts.length === 1 ? parts[0]! : Buffer.concat(parts, this.#partBytes);
    if (this.#control.isHanded) this.#socket.write(octets, this.#settled);
    else this.#socket.write(octets);
    this.#parts = [];
    this.#partBytes = 0;
  }

  #concluded(chunk: OpenChunk, flag: MsrpFlag, end: Buffer): void {
    const { flow, message, id, head } = chunk;
    this.#owner.traceOut?.(head, end);
    if (flag !== '#') {
      const cost = flow.chunkWritten(message, chunk.bytes, flag === '$');
      this.#transactions.add(id, { kind: 'chunk', flow, message, cost });
    }
    if (flow.current && flow.bound) this.#flows.add(flow);
  }

  /** A transaction id whose end-line does not occur in these octets. */
  #transactionId(body: Buffer): string {
    for (;;) {
      const id = this.#settings.random.token(idLength);
      if (!body.includes(`-------${id}`, 0, 'latin1')) return id;
    }
  }

  /** A socket that takes nothing for as long as a response may take is given up. */
  #watchStall(): void {
    if (this.#stall) return;
    const drains = this.#drains;
    this.#stall = this.#settings.clock.after(this.#settings.responseMs, () => {
      this.#stall = undefined;
      if (this.#drains === drains) this.#owner.overdue('MSRP_UNREAD');
      else if (this.#control.isHolding || this.#socket.writableLength >= socketBytes) {
        this.#watchStall();
      }
    });
  }
}

function sendHead(
  flow: Outgoing,
  message: OutgoingMessage,
  chunk: { readonly id: string; readonly whole: boolean },
): Buffer {
  const { fields, offset, size } = message;
  return requestHead({
    transactionId: chunk.id,
    method: 'SEND',
    toPath: flow.toPath,
    fromPath: flow.fromPath,
    messageId: fields.messageId,
    byteRange: { start: offset + 1, end: chunk.whole ? size : undefined, total: size },
    successReport: fields.successReport,
    headers: fields.headers,
    contentType: fields.contentType,
  });
}

/** Whether the end-line of this chunk would occur in its body (MSRP-02). */
function containsEndLine(chunk: OpenChunk, piece: Buffer): boolean {
  const marker = `-------${chunk.id}`;
  if (piece.includes(marker, 0, 'latin1')) return true;
  if (chunk.bytes === 0) return false;
  const seam = Buffer.concat([chunk.tail, piece.subarray(0, marker.length)]);
  return seam.includes(marker, 0, 'latin1');
}

/** The last octets of the body so far, as many as may be the beginning of its end-line. */
function tailOf(chunk: OpenChunk, piece: Buffer): Buffer {
  const length = chunk.id.length + 7;
  if (piece.length >= length) return piece.subarray(-length);
  return Buffer.concat([chunk.tail, piece]).subarray(-length);
}
