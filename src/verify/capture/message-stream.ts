/** Messages of one direction of a connection: SIP by Content-Length, MSRP by end-lines. */

import { Head } from '../../wire/sip/head.js';
import { DEFAULT_SIP_LIMITS } from '../../wire/sip/limits.js';
import { checkMandatory, contentLength } from '../../wire/sip/mandatory.js';
import { readStartLine } from '../../wire/sip/start-line.js';
import type { Conversation, Way } from './conversation.js';
import type { Stamp } from './frame.js';
import { FrameBody } from './frame-body.js';
import { OctetQueue } from './octet-queue.js';
import { lineMax, startAt, startWithin, type Start } from './start.js';

const { headerBytes, headerFields } = DEFAULT_SIP_LIMITS;
const doubtsMax = 16;
const cr = 13;
const lf = 10;
const emptyLine = Buffer.from('\r\n\r\n');

/**
 * Takes octets in order. Where they are no message, or some are missing, it looks for the next
 * line that begins one; such a message counts only when another, or nothing, follows it at once,
 * for bodies may hold messages too.
 */
export class MessageStream {
  readonly #conversation: Conversation;
  readonly #way: Way;
  readonly #queue = new OctetQueue();
  #stamp: Stamp = { number: 0, at: 0 };
  #isSeeking = false;
  #isDoubted: boolean;
  /** Octets passed over since the last message. */
  #lost = 0;
  /** Lines that have only looked like a message since then. */
  #doubts = 0;
  /** How far the search for the empty line has come. */
  #scanned = 0;
  /** Octets of the SIP message that has begun, once its head is known. */
  #need = 0;
  /** Octets still to come of a message that was told already. */
  #skip = 0;
  #frame: FrameBody | undefined;

  constructor(conversation: Conversation, way: Way) {
    this.#conversation = conversation;
    this.#way = way;
    this.#isDoubted = !conversation.isFromStart;
  }

  get heldBytes(): number {
    return this.#queue.length + (this.#frame?.heldBytes ?? 0);
  }

  push(chunk: Buffer, stamp: Stamp): void {
    this.#stamp = stamp;
    this.#queue.append(chunk);
    while (this.#queue.length > 0 && this.#step());
    this.#queue.keep();
  }

  /** Octets that were never captured. */
  gap(length: number, stamp: Stamp): void {
    this.#stamp = stamp;
    const { protocol } = this.#conversation;
    if (protocol !== undefined) {
      const what = `${length} octets before frame ${stamp.number} were not captured`;
      this.#conversation.remark(this.#way, what);
      this.#conversation.lose(this.#way, 'octets that were not captured', stamp.number);
    }
    // The end of a body is known, wherever the gap is in it.
    const left = this.#skip > 0 ? this.#skip : Math.max(0, this.#need - this.#queue.length);
    this.#tellCut();
    if (left >= length) this.#skip = left - length;
    else this.#seek();
  }

  /** Nothing more will come. */
  end(): void {
    this.#tellCut();
    this.#tellLost('in the end');
  }

  /** Whether something was done, so that there may be more to do. */
  #step(): boolean {
    if (this.#skip > 0) {
      const length = Math.min(this.#skip, this.#queue.length);
      this.#skip -= length;
      this.#queue.drop(length);
      return true;
    }
    if (this.#frame !== undefined) return this.#takeFrame(this.#frame);
    if (this.#need > 0) return this.#takeSip();
    return this.#isSeeking ? this.#find() : this.#begin();
  }

  #begin(): boolean {
    let bytes = this.#queue.bytes;
    let at = 0;
    while (bytes[at] === cr || bytes[at] === lf) at++;
    this.#queue.drop(at);
    bytes = this.#queue.bytes;
    if (bytes.length === 0) return false;
    const start = this.#startAt(bytes, 0);
    if (start === 'more') return false;
    if (start === 'none') this.#seek();
    else if (start === 'sip') return this.#readHead();
    else this.#frame = this.#frameOf(bytes);
    return true;
  }

  /** Of the protocol that is spoken here, for a body may hold a message of another. */
  #startAt(bytes: Buffer, at: number): Start {
    const start = startAt(bytes, at, bytes.length);
    const { protocol } = this.#conversation;
    const isOther = start !== 'more' && protocol !== undefined && start !== protocol;
    return isOther ? 'none' : start;
  }

  #seek(): void {
    this.#isSeeking = true;
    this.#isDoubted = true;
    this.#scanned = this.#need = 0;
  }

  /** Looks for a line that begins a message, or ends as one that does. */
  #find(): boolean {
    const bytes = this.#queue.bytes;
    for (let at = 0; ;) {
      const lineFeed = bytes.indexOf(lf, at);
      if (lineFeed < 0) {
        this.#lose(bytes.length - at > lineMax ? bytes.length : at);
        return false;
      }
      const isLine = this.#startAt(bytes, at) !== 'none';
      const isMsrp = this.#conversation.protocol === 'msrp';
      const start = isLine ? at : isMsrp ? -1 : startWithin(bytes, at, lineFeed);
      if (start >= 0) {
        this.#lose(start);
        this.#isSeeking = false;
        return true;
      }
      at = lineFeed + 1;
    }
  }

  #lose(length: number): void {
    this.#lost += length;
    this.#queue.drop(length);
  }

  #readHead(): boolean {
    const bytes = this.#queue.bytes;
    const end = bytes.indexOf(emptyLine, Math.max(0, this.#scanned - 3));
    this.#scanned = bytes.length;
    if (end < 0 || end > headerBytes) {
      if (bytes.length > headerBytes) this.#doubt(bytes.length);
      return bytes.length > headerBytes;
    }
    const head = new Head(bytes, 0, end + 4, headerFields);
    head.scan();
    if (this.#isDoubted && !isSound(head)) this.#doubt(end + 4);
    else this.#need = end + 4 + Math.max(0, this.#lengthOf(head));
    return true;
  }

  #lengthOf(head: Head): number {
    const length = contentLength(head);
    if (length !== undefined && length >= 0) return length;
    const { remarks } = this.#conversation.findings;
    const what = length === undefined ? 'without Content-Length' : 'with a broken Content-Length';
    remarks.count(`SIP messages on a stream ${what}`, this.#stamp.number);
    return 0;
  }

  #takeSip(): boolean {
    const bytes = this.#queue.bytes;
    const { messageBytes } = this.#conversation.findings.limits;
    const isLong = this.#need > messageBytes;
    if (bytes.length < (isLong ? messageBytes : this.#need)) return false;
    if (isLong) {
      const length = Math.min(bytes.length, this.#need);
      this.#skip = this.#need - length;
      this.#tell('sip', bytes.subarray(0, length), true);
      this.#queue.drop(length);
    } else if (this.#isDoubted && !this.#isFollowed(bytes)) {
      this.#doubt(this.#need);
      return true;
    } else {
      this.#tell('sip', bytes.subarray(0, this.#need), false);
      this.#queue.drop(this.#need);
    }
    this.#need = this.#scanned = 0;
    return true;
  }

  /** Whether nothing, or another message, is behind the one that ends there. */
  #isFollowed(bytes: Buffer): boolean {
    let at = this.#need;
    while (bytes[at] === cr || bytes[at] === lf) at++;
    return at === bytes.length || this.#startAt(bytes, at) !== 'none';
  }

  /**
   * It only looks like a message: goes on behind its first line. When too many lines of what was
   * looked at have looked like one, behind all of that: no octet is looked at time and again.
   */
  #doubt(lookedAt: number): void {
    this.#doubts++;
    const isTooMuch = this.#doubts > doubtsMax;
    if (isTooMuch) this.#doubts = 0;
    this.#lose(isTooMuch ? lookedAt : this.#queue.bytes.indexOf(lf) + 1);
    this.#seek();
  }

  #frameOf(bytes: Buffer): FrameBody {
    const lineFeed = bytes.indexOf(lf);
    const [, transactionId = ''] = bytes.toString('latin1', 0, lineFeed).split(' ', 2);
    // The line end may belong to the end-line.
    const lineEnd = bytes[lineFeed - 1] === cr ? lineFeed - 1 : lineFeed;
    const { messageBytes } = this.#conversation.findings.limits;
    const frame = new FrameBody(transactionId, bytes.subarray(0, lineEnd), messageBytes);
    this.#queue.drop(lineEnd);
    return frame;
  }

  #takeFrame(frame: FrameBody): boolean {
    const bytes = this.#queue.bytes;
    const behind = frame.push(bytes);
    this.#queue.drop(behind < 0 ? bytes.length : behind);
    if (behind < 0) return false;
    this.#frame = undefined;
    this.#tell('msrp', frame.bytes(true), frame.isCut);
    return true;
  }

  /** What has come of a message that will not end. */
  #tellCut(): void {
    const bytes = this.#queue.bytes;
    const isSip = this.#need > 0 || (!this.#isDoubted && this.#startAt(bytes, 0) === 'sip');
    if (this.#frame !== undefined) this.#tell('msrp', this.#frame.bytes(false), true);
    else if (isSip) this.#tell('sip', bytes, true);
    else this.#lost += bytes.length;
    this.#frame = undefined;
    this.#skip = this.#need = this.#scanned = 0;
    this.#queue.clear();
  }

  #tell(protocol: 'sip' | 'msrp', bytes: Buffer, cut: boolean): void {
    this.#conversation.tell({ protocol, bytes, cut }, this.#way, this.#stamp);
    this.#tellLost(`before frame ${this.#stamp.number}`);
    this.#isDoubted = false;
    this.#doubts = 0;
  }

  #tellLost(where: string): void {
    if (this.#lost > 0 && this.#conversation.protocol !== undefined) {
      this.#conversation.remark(this.#way, `${this.#lost} octets ${where} are no message`);
    }
    this.#lost = 0;
  }
}

/** Of a method whose first letters are missing CSeq tells. */
function isSound(head: Head): boolean {
  const line = readStartLine(head);
  if (line !== undefined && !head.error) checkMandatory(head, line);
  return line !== undefined && !head.error;
}
