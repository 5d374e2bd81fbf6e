/** Finds the end-line of an MSRP body in a stream of octets (RFC 4975 7.1). */

import type { MsrpFlag } from './frame.js';

const cr = 13;
const lf = 10;
const nothing = Buffer.alloc(0);
const flags = new Map<number, MsrpFlag>([
  [0x24, '$'],
  [0x2b, '+'],
  [0x23, '#'],
]);

/** Where an end-line begins in a piece of the body, and whether all of it is there. */
interface Find {
  readonly at: number;
  readonly whole: boolean;
}

/**
 * Looks for CRLF, seven hyphens, transaction id, flag, CRLF. Whatever cannot be part of it is
 * passed on at once as a view; what may be its beginning is held back, never more than its length.
 */
export class EndLineScanner {
  readonly #pattern: Buffer;
  readonly #length: number;
  #held: Buffer = nothing;
  #flag: MsrpFlag = '$';

  constructor(transactionId: string) {
    this.#pattern = Buffer.from(`\r\n-------${transactionId}`, 'latin1');
    this.#length = this.#pattern.length + 3;
  }

  /** Of the end-line that was found. */
  get flag(): MsrpFlag {
    return this.#flag;
  }

  /** Returns the offset after the end-line, or -1 when all of the chunk was taken in. */
  scan(chunk: Buffer, offset: number, body: (bytes: Buffer) => void): number {
    if (this.#held.length > 0) {
      const after = this.#scanHeld(chunk, offset, body);
      if (after !== undefined) return after;
    }
    const find = this.#find(chunk, offset);
    const end = find === undefined ? chunk.length : find.at;
    if (end > offset) body(chunk.subarray(offset, end));
    if (find === undefined) return -1;
    if (find.whole) return find.at + this.#length;
    this.#held = Buffer.from(chunk.subarray(find.at));
    return -1;
  }

  /** Settles what was held back; undefined: it was body, and the chunk is still to be scanned. */
  #scanHeld(chunk: Buffer, offset: number, body: (bytes: Buffer) => void): number | undefined {
    const held = this.#held;
    const joined = Buffer.concat([held, chunk.subarray(offset, offset + this.#length - 1)]);
    const find = this.#find(joined, 0);
    this.#held = nothing;
    if (find === undefined || find.at >= held.length) {
      body(held);
      return undefined;
    }
    if (find.at > 0) body(joined.subarray(0, find.at));
    if (find.whole) return offset + find.at + this.#length - held.length;
    this.#held = Buffer.from(joined.subarray(find.at));
    return -1;
  }

  #find(bytes: Buffer, from: number): Find | undefined {
    for (let at = bytes.indexOf(this.#pattern, from); at >= 0;) {
      const whole = this.#completes(bytes, at + this.#pattern.length);
      if (whole !== undefined) return { at, whole };
      at = bytes.indexOf(this.#pattern, at + 2);
    }
    return this.#findBeginning(bytes, from);
  }

  /** Flag and CRLF after the pattern: true, false when they are cut off, undefined when wrong. */
  #completes(bytes: Buffer, at: number): boolean | undefined {
    if (at === bytes.length) return false;
    const flag = flags.get(bytes[at]!);
    if (flag === undefined) return undefined;
    if (at + 1 === bytes.length) return false;
    if (bytes[at + 1] !== cr) return undefined;
    if (at + 2 === bytes.length) return false;
    if (bytes[at + 2] !== lf) return undefined;
    this.#flag = flag;
    return true;
  }

  /** The pattern cut off by the end of the bytes. */
  #findBeginning(bytes: Buffer, from: number): Find | undefined {
    const start = Math.max(from, bytes.length - this.#pattern.length + 1);
    for (let at = bytes.indexOf(cr, start); at >= 0; at = bytes.indexOf(cr, at + 1)) {
      if (bytes.compare(this.#pattern, 0, bytes.length - at, at) === 0) {
        return { at, whole: false };
      }
    }
    return undefined;
  }
}
