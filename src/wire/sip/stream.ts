/** SIP messages framed by Content-Length out of a stream of octets (RFC 3261 18.3). */

import { WireError } from '../error.js';
import { Head } from './head.js';
import { CONTENT_LENGTH } from './header-name.js';
import { ROW } from './header-table.js';
import { DEFAULT_SIP_LIMITS } from './limits.js';
import type { SipLimits } from './limits.js';
import { checkMandatory, contentLength } from './mandatory.js';
import type { SipMessage, SipRequest } from './message.js';
import { salvageHead, tooLong } from './parse.js';
import { messageAt } from './parsed-message.js';
import { readStartLine } from './start-line.js';
import type { StartLine } from './start-line.js';

const CR = 0x0d;
const LF = 0x0a;

/** Mistakes after which the place where the body ends can still be trusted. */
const FRAMED = new Set([
  'SIP_HEADER',
  'SIP_MISSING_HEADER',
  'SIP_DUPLICATE_HEADER',
  'SIP_CSEQ',
  'SIP_MAX_FORWARDS',
  'SIP_ADDRESS',
  'SIP_REQUEST_URI',
  'SIP_START_LINE',
  'SIP_VERSION',
  'SIP_STATUS_CODE',
]);

/**
 * What a stream yields. `ping` is a double CRLF between messages, to be answered with one CRLF
 * (RFC 5626 4.4.1); `pong` is a single one, the answer to our ping. At most one of each is
 * reported per push. After an error with `fatal` the framing is lost and nothing more will come.
 */
export type SipStreamEvent =
  | { readonly kind: 'message'; readonly message: SipMessage }
  | { readonly kind: 'ping' }
  | { readonly kind: 'pong' }
  | {
      readonly kind: 'error';
      readonly error: WireError;
      /** The request to answer with the status of the error; absent when none can be answered. */
      readonly salvaged: SipRequest | undefined;
      readonly fatal: boolean;
    };

/**
 * One direction of a connection. Chunks are kept and messages are views on them, so the caller
 * must not write into a chunk again. Every octet is looked at a bounded number of times, however
 * the chunks are cut.
 */
export class SipStream {
  readonly #limits: SipLimits;
  #buffer: Buffer = Buffer.alloc(0);
  /** The octets held are those from #from to #to. */
  #from = 0;
  #to = 0;
  /** How far the search for the empty line has come. */
  #scanned = 0;
  /** Octets of the message at #from once its head is known, else 0. */
  #need = 0;
  /** Line ends since the last message. */
  #returns = 0;
  #isBroken = false;

  constructor(limits: Partial<SipLimits> = {}) {
    this.#limits = { ...DEFAULT_SIP_LIMITS, ...limits };
  }

  /** Octets held of a message that is not complete. */
  get pendingBytes(): number {
    return this.#to - this.#from;
  }

  /** Whether the framing is lost; every push is ignored then. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  push(chunk: Buffer): SipStreamEvent[] {
    const events: SipStreamEvent[] = [];
    if (this.#isBroken) return events;
    this.#append(chunk);
    while (!this.#isBroken) {
      if (this.#need === 0) {
        this.#skipLineEnds(events);
        const headEnd = this.#findHeadEnd(events);
        if (headEnd < 0) break;
        this.#readHead(headEnd, events);
      } else if (this.#to - this.#from >= this.#need) {
        this.#take(events);
      } else break;
    }
    if (this.#isBroken || this.#from === this.#to) this.#release();
    return events;
  }

  #append(chunk: Buffer): void {
    const held = this.#to - this.#from;
    if (held === 0) {
      this.#buffer = chunk;
      this.#from = this.#scanned = 0;
      this.#to = chunk.length;
      return;
    }
    // There is never room behind a chunk of the caller: it ends at #to.
    if (this.#to + chunk.length <= this.#buffer.length) {
      chunk.copy(this.#buffer, this.#to);
      this.#to += chunk.length;
      return;
    }
    // Doubling keeps the copying linear when octets trickle in.
    const larger = Buffer.allocUnsafeSlow(2 * (held + chunk.length));
    this.#buffer.copy(larger, 0, this.#from, this.#to);
    chunk.copy(larger, held);
    this.#scanned -= this.#from;
    this.#buffer = larger;
    this.#from = 0;
    this.#to = held + chunk.length;
  }

  #release(): void {
    this.#buffer = Buffer.alloc(0);
    this.#from = this.#to = this.#scanned = 0;
  }
  #skipLineEnds(events: SipStreamEvent[]): void {
    while (this.#from < this.#to && this.#buffer[this.#from] === CR) {
      if (this.#from + 1 === this.#to) break;
      if (this.#buffer[this.#from + 1] !== LF) {
        this.#fail(events, new WireError('SIP_LINE_END', 'carriage return without line feed'));
        return;
      }
      this.#from += 2;
      this.#returns++;
      const kind = this.#returns % 2 === 0 ? 'ping' : 'pong';
      if (!events.some((event) => event.kind === kind)) events.push({ kind });
    }
    this.#scanned = Math.max(this.#scanned, this.#from);
  }

  /** Behind the empty line, or -1 when it has not come. */
  #findHeadEnd(events: SipStreamEvent[]): number {
    const buffer = this.#buffer;
    const limit = Math.min(this.#to, this.#from + this.#limits.headerBytes);
    for (let at = this.#scanned; at < limit && !this.#isBroken; at++) {
      if (buffer[at] !== LF) continue;
      this.#scanned = at + 1;
      if (at === this.#from || buffer[at - 1] !== CR) {
        this.#fail(events, new WireError('SIP_LINE_END', 'line feed without carriage return'));
      } else if (at - 2 > this.#from && buffer[at - 2] === LF) return at + 1;
    }
    if (this.#isBroken) return -1;
    this.#scanned = limit;
    if (limit < this.#to) this.#fail(events, tooLong());
    return -1;
  }

  /** The head is there: learns how long the message is. */
  #readHead(headEnd: number, events: SipStreamEvent[]): void {
    const { head, line } = this.#scan(headEnd);
    const length = contentLength(head);
    const isOnce = countOf(head, CONTENT_LENGTH) === 1;
    const isFramed = !head.error || (line !== undefined && FRAMED.has(head.error.code));
    if (isFramed && isOnce && length! >= 0 && length! <= this.#limits.bodyBytes) {
      this.#need = headEnd - this.#from + length!;
      if (this.#to - this.#from >= this.#need) this.#emit(head, line, events);
      return;
    }
    head.fail(...framingFault(length, this.#limits.bodyBytes));
    this.#fail(events, head.error!, head);
  }

  /** The message is complete, its head was read when less was there. */
  #take(events: SipStreamEvent[]): void {
    const { head, line } = this.#scan(this.#scanned);
    this.#emit(head, line, events);
  }

  #emit(head: Head, line: StartLine | undefined, events: SipStreamEvent[]): void {
    if (head.error) {
      const salvaged = salvageHead(head);
      events.push({ kind: 'error', error: head.error, salvaged, fatal: false });
    } else {
      const message = messageAt(head, line!, this.#from, this.#from + this.#need);
      events.push({ kind: 'message', message });
    }
    this.#from += this.#need;
    this.#scanned = this.#from;
    this.#need = 0;
    this.#returns = 0;
  }

  #scan(headEnd: number): { head: Head; line: StartLine | undefined } {
    const head = new Head(this.#buffer, this.#from, headEnd, this.#limits.headerFields);
    head.scan();
    const line = readStartLine(head);
    if (line && !head.error) checkMandatory(head, line);
    return { head, line };
  }

  #fail(events: SipStreamEvent[], error: WireError, scanned?: Head): void {
    let head = scanned;
    if (!head) {
      head = new Head(this.#buffer, this.#from, this.#scanned, this.#limits.headerFields);
      head.scan();
    }
    this.#isBroken = true;
    events.push({ kind: 'error', error, salvaged: salvageHead(head), fatal: true });
  }
}

function framingFault(length: number | undefined, max: number): [string, string, number] {
  if (length === undefined) {
    return ['SIP_CONTENT_LENGTH_MISSING', 'a stream needs Content-Length', 400];
  }
  if (length > max) return ['SIP_BODY_TOO_LARGE', 'body longer than allowed', 513];
  return ['SIP_CONTENT_LENGTH', 'Content-Length is no length', 400];
}

function countOf(head: Head, id: number): number {
  let count = 0;
  for (let row = 0; row < head.rows.length; row += ROW) if (head.rows[row] === id) count++;
  return count;
}
