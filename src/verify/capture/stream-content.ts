/** What a direction of a connection turns out to be: messages, WebSocket, or nothing for us. */

import type { Conversation, Way } from './conversation.js';
import type { Stamp } from './frame.js';
import { HttpStream } from './http-stream.js';
import { MessageStream } from './message-stream.js';
import { OctetQueue } from './octet-queue.js';
import type { SequenceTaker } from './sequence.js';
import { WebSocketStream } from './web-socket.js';

/** Octets that tell TLS and HTTP from all else. */
const decidingBytes = 9;
const handshakeMax = 16_384;
const nothing: SequenceTaker = {
  push: () => undefined,
  gap: () => undefined,
  end: () => undefined,
};

export class StreamContent implements SequenceTaker {
  readonly #conversation: Conversation;
  readonly #way: Way;
  readonly #begun = new OctetQueue();
  readonly #messages: MessageStream;
  #taker: SequenceTaker | undefined;
  #webSocket: WebSocketStream | undefined;
  #http: HttpStream | undefined;
  #stamp: Stamp = { number: 0, at: 0 };

  constructor(conversation: Conversation, way: Way) {
    this.#conversation = conversation;
    this.#way = way;
    this.#messages = new MessageStream(conversation, way);
  }

  get heldBytes(): number {
    const inOther = (this.#webSocket ?? this.#http)?.heldBytes ?? 0;
    return this.#begun.length + this.#messages.heldBytes + inOther;
  }

  push(octets: Buffer, stamp: Stamp): void {
    if (this.#taker !== undefined) {
      this.#taker.push(octets, stamp);
      return;
    }
    this.#stamp = stamp;
    this.#begun.append(octets);
    this.#taker = this.#decide();
    if (this.#taker === undefined) {
      this.#begun.keep();
      return;
    }
    const begun = this.#begun.bytes;
    this.#begun.clear();
    this.#taker.push(begun, stamp);
  }

  gap(length: number, stamp: Stamp): void {
    this.#settle();
    this.#taker!.gap(length, stamp);
  }

  end(): void {
    this.#settle();
    this.#taker!.end();
  }

  /** What has begun and cannot be told yet is left to the messages. */
  #settle(): void {
    if (this.#taker !== undefined) return;
    this.#taker = this.#messages;
    if (this.#begun.length > 0) this.#messages.push(this.#begun.bytes, this.#stamp);
    this.#begun.clear();
  }

  #decide(): SequenceTaker | undefined {
    const bytes = this.#begun.bytes;
    if (bytes.length < decidingBytes) return undefined;
    if (isTls(bytes)) {
      this.#conversation.encrypted(this.#way, this.#stamp);
      return nothing;
    }
    if (!isHttp(bytes)) return this.#messages;
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0 && bytes.length <= handshakeMax) return undefined;
    const head = bytes.toString('latin1', 0, Math.max(0, end));
    if (!/^upgrade:[ \t]*websocket[ \t]*$/im.test(head)) {
      return (this.#http = new HttpStream(this.#conversation, this.#way));
    }
    this.#begun.drop(end + 4);
    this.#webSocket = new WebSocketStream(this.#conversation, this.#way, this.#messages);
    return this.#webSocket;
  }
}

/** A record of any kind, of a version from SSL 3.0 to TLS 1.3 (RFC 8446 5.1). */
function isTls(bytes: Buffer): boolean {
  const isKind = bytes[0]! >= 0x14 && bytes[0]! <= 0x17;
  const length = bytes.readUInt16BE(3);
  return isKind && bytes[1] === 3 && bytes[2]! <= 4 && length > 0 && length <= 18_432;
}

function isHttp(bytes: Buffer): boolean {
  const start = bytes.toString('latin1', 0, 9);
  return /^(?:(?:GET|PUT|DELETE|POST|HEAD) \/|HTTP\/1\.1 )/.test(start);
}
