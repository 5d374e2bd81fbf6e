/** The messages of one direction of a WebSocket (RFC 6455), as RFC 7118 and RFC 7977 use them. */

import type { Conversation, Way } from './conversation.js';
import type { Stamp } from './frame.js';
import type { MessageStream } from './message-stream.js';
import { OctetQueue } from './octet-queue.js';
import type { SequenceTaker } from './sequence.js';
import { startAt } from './start.js';

const continuation = 0;
const binary = 2;
const compressed = 0x40;

interface Header {
  readonly isLast: boolean;
  readonly isCompressed: boolean;
  readonly opcode: number;
  readonly maskAt: number | undefined;
  readonly payloadAt: number;
  readonly length: number;
}

export class WebSocketStream implements SequenceTaker {
  readonly #conversation: Conversation;
  readonly #way: Way;
  readonly #messages: MessageStream;
  readonly #queue = new OctetQueue();
  readonly #message = new OctetQueue();
  #isBroken = false;
  #number = 0;

  /** `messages` takes what is no SIP, which may be spread over several messages. */
  constructor(conversation: Conversation, way: Way, messages: MessageStream) {
    this.#conversation = conversation;
    this.#way = way;
    this.#messages = messages;
  }

  get heldBytes(): number {
    return this.#queue.length + this.#message.length;
  }

  push(octets: Buffer, stamp: Stamp): void {
    if (this.#isBroken) return;
    this.#conversation.transport = 'ws';
    this.#number = stamp.number;
    this.#queue.append(octets);
    while (!this.#isBroken && this.#takeFrame(stamp));
    this.#queue.keep();
    this.#message.keep();
  }

  /** Where the next frame begins cannot be found out. */
  gap(length: number, stamp: Stamp): void {
    this.#break(`${length} octets before frame ${stamp.number} were not captured`);
  }

  end(): void {
    this.#messages.end();
  }

  #takeFrame(stamp: Stamp): boolean {
    const bytes = this.#queue.bytes;
    const header = headerOf(bytes);
    if (header === undefined) return false;
    const { maskAt, payloadAt, length } = header;
    const { messageBytes } = this.#conversation.findings.limits;
    if (header.isCompressed || length + this.#message.length > messageBytes) {
      const why = header.isCompressed ? 'compressed' : 'too long';
      this.#break(`WebSocket messages from frame ${stamp.number} are ${why}`);
      return false;
    }
    if (bytes.length < payloadAt + length) return false;
    const payload = Buffer.from(bytes.subarray(payloadAt, payloadAt + length));
    if (maskAt !== undefined) {
      for (let at = 0; at < length; at++) payload[at]! ^= bytes[maskAt + (at & 3)]!;
    }
    this.#queue.drop(payloadAt + length);
    // Frames of control may stand between those of a message.
    if (header.opcode >= continuation && header.opcode <= binary) {
      this.#message.append(payload);
      if (header.isLast) this.#takeMessage(stamp);
    }
    return true;
  }

  /** A SIP message is one WebSocket message, and need not say how long it is (RFC 7118 5.2). */
  #takeMessage(stamp: Stamp): void {
    const bytes = this.#message.bytes;
    this.#message.clear();
    if (startAt(bytes, 0, bytes.length, true) === 'sip') {
      this.#conversation.tell({ protocol: 'sip', bytes, cut: false }, this.#way, stamp);
    } else this.#messages.push(bytes, stamp);
  }

  #break(why: string): void {
    if (!this.#isBroken) {
      this.#conversation.remark(this.#way, `${why}; the rest was passed over`);
      this.#conversation.lose(this.#way, 'WebSocket messages that were passed over', this.#number);
    }
    this.#isBroken = true;
    this.#queue.clear();
    this.#message.clear();
    this.#messages.end();
  }
}

/** Undefined when it is not whole. */
function headerOf(bytes: Buffer): Header | undefined {
  if (bytes.length < 2) return undefined;
  const first = bytes[0]!;
  const second = bytes[1]!;
  const short = second & 0x7f;
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  const isMasked = (second & 0x80) !== 0;
  const maskAt = 2 + lengthBytes;
  const payloadAt = maskAt + (isMasked ? 4 : 0);
  if (bytes.length < payloadAt) return undefined;
  let length = short;
  if (lengthBytes === 2) length = bytes.readUInt16BE(2);
  if (lengthBytes === 8) length = Number(bytes.readBigUInt64BE(2));
  return {
    isLast: (first & 0x80) !== 0,
    isCompressed: (first & compressed) !== 0,
    opcode: first & 15,
    maskAt: isMasked ? maskAt : undefined,
    payloadAt,
    length,
  };
}
