/** HTTP on a connection: what is asked about documents of users (RFC 4825), and the answers. */

import type { Conversation, HttpAsked, Way } from './conversation.js';
import type { Stamp } from './frame.js';
import { HttpBody, type BodyLength } from './http-body.js';
import { OctetQueue } from './octet-queue.js';
import type { SequenceTaker } from './sequence.js';

const headMax = 65_536;
/** Questions of one connection that wait for their answers. */
const askedMax = 1_024;
const headEnd = Buffer.from('\r\n\r\n');
const cr = 13;
const lf = 10;
/** Of a document of a user, below any root. */
const ofUser = /\/users\//;
const missing = 'octets of HTTP that were not captured';

export class HttpStream implements SequenceTaker {
  readonly #conversation: Conversation;
  readonly #way: Way;
  readonly #queue = new OctetQueue();
  #stamp: Stamp = { number: 0, at: 0 };
  /** Of the message that has begun: what is kept of it. */
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #isCut = false;
  #body: HttpBody | undefined;
  /** Whether the message that has begun is told. */
  #isTold = false;

  constructor(conversation: Conversation, way: Way) {
    this.#conversation = conversation;
    this.#way = way;
  }

  get heldBytes(): number {
    return this.#queue.length + this.#keptBytes;
  }

  push(octets: Buffer, stamp: Stamp): void {
    if (this.#conversation.http.isLost) return;
    this.#stamp = stamp;
    this.#queue.append(octets);
    while (this.#queue.length > 0 && this.#step());
    this.#queue.keep();
  }

  gap(_length: number, stamp: Stamp): void {
    this.#stamp = stamp;
    this.#lose(missing);
  }

  end(): void {
    const { http } = this.#conversation;
    if (http.isLost || this.#body === undefined) return;
    // An answer without a length ends with its connection; anything else is torn.
    if (!this.#untilClose) this.#isCut = true;
    this.#finish();
  }

  #untilClose = false;

  #step(): boolean {
    if (this.#conversation.http.isLost) return false;
    return this.#body === undefined ? this.#begin() : this.#go(this.#body);
  }

  #begin(): boolean {
    let at = 0;
    const waiting = this.#queue.bytes;
    while (waiting[at] === cr || waiting[at] === lf) at++;
    this.#queue.drop(at);
    const bytes = this.#queue.bytes;
    const end = bytes.indexOf(headEnd);
    if (end < 0) {
      if (bytes.length > headMax) this.#lose('HTTP that cannot be read');
      return false;
    }
    const head = bytes.toString('latin1', 0, end);
    const length = this.#lengthOf(head);
    if (length === undefined) {
      this.#lose('HTTP that cannot be read');
      return false;
    }
    this.#keep(bytes.subarray(0, end + 4));
    this.#queue.drop(end + 4);
    this.#untilClose = length === 'close';
    this.#body = new HttpBody(length);
    if (length === 0) this.#finish();
    return true;
  }

  #go(body: HttpBody): boolean {
    const bytes = this.#queue.bytes;
    const { used, isOver } = body.take(bytes);
    this.#keep(bytes.subarray(0, used));
    this.#queue.drop(used);
    if (body.isBroken) this.#lose('HTTP that cannot be read');
    else if (isOver) this.#finish();
    return isOver;
  }

  /** Undefined where it is no HTTP. */
  #lengthOf(head: string): BodyLength | undefined {
    const [start = ''] = head.split('\r\n', 1);
    const { http } = this.#conversation;
    const [, method, target = ''] = /^([A-Z]{1,32}) (\S+) HTTP\/1\.[01]$/.exec(start) ?? [];
    if (method !== undefined) {
      this.#isTold = ofUser.test(target);
      if (http.asked.length >= askedMax) return undefined;
      http.asked.push({ method, isTold: this.#isTold });
      return declared(head) ?? 0;
    }
    const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(start)?.[1]);
    if (Number.isNaN(status)) return undefined;
    const asked = status < 200 ? undefined : http.asked.shift();
    this.#isTold = asked?.isTold === true;
    return status < 200 ? 0 : answerLength(status, head, asked);
  }

  #keep(octets: Buffer): void {
    if (!this.#isTold || octets.length === 0) return;
    const { messageBytes } = this.#conversation.findings.limits;
    const room = Math.max(0, messageBytes - this.#keptBytes);
    if (octets.length > room) this.#isCut = true;
    const piece = Buffer.from(octets.subarray(0, room));
    this.#keptBytes += piece.length;
    if (piece.length > 0) this.#kept.push(piece);
  }

  #finish(): void {
    if (this.#isTold) {
      const message = {
        protocol: 'http',
        bytes: Buffer.concat(this.#kept),
        cut: this.#isCut,
      } as const;
      this.#conversation.tell(message, this.#way, this.#stamp);
    }
    this.#forget();
  }

  #forget(): void {
    this.#kept = [];
    this.#keptBytes = 0;
    this.#isCut = this.#isTold = false;
    this.#body = undefined;
  }

  /** Which answer is to which question is not known any more; of other HTTP nobody asks. */
  #lose(what: string): void {
    const { http, protocol } = this.#conversation;
    const isOfUsers = this.#isTold || protocol === 'http' || http.asked.some((one) => one.isTold);
    if (isOfUsers) {
      this.#conversation.findings.remarks.count(what, this.#stamp.number);
      this.#conversation.lose(this.#way, what, this.#stamp.number);
    }
    http.isLost = true;
    this.#queue.clear();
    this.#forget();
  }
}

function declared(head: string): BodyLength | undefined {
  if (/^transfer-encoding:.*\bchunked[ \t]*$/im.test(head)) return 'chunked';
  const length = /^content-length:[ \t]*(\d{1,15})[ \t]*$/im.exec(head)?.[1];
  return length === undefined ? undefined : Number(length);
}

/** RFC 9112 6.3. */
function answerLength(status: number, head: string, asked: HttpAsked | undefined): BodyLength {
  if (asked?.method === 'HEAD' || status === 204 || status === 304) return 0;
  return declared(head) ?? 'close';
}
