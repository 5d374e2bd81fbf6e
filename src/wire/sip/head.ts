/** The head of a SIP message, start line to empty line, scanned once. */

import { WireError } from '../error.js';
import { hashStep, idOfOctets, SINGLE_MASK } from './header-name.js';
import { HeaderTable, ROW } from './header-table.js';

const HTAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const COLON = 0x3a;

/** 1 for the octets of a token (RFC 3261 25.1). */
export const TOKEN = Uint8Array.from({ length: 256 }, (_, code) =>
  /[A-Za-z0-9\-.!%*_+`'~]/.test(String.fromCharCode(code)) ? 1 : 0,
);

/**
 * Shared by all scans, none of which yields. Arrays of small integers: a typed array of this size
 * takes about three times as long to allocate (median of seven runs, Node 20).
 */
const scratch: number[] = [];

/**
 * What stands in the octets `start` to `end`. The scan goes on behind a mistake, so that a broken
 * request can be answered; `error` is the first one found.
 */
export class Head {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** End of the start line without its line end; -1 when it does not end. */
  lineEnd = -1;
  /** Behind the empty line; -1 when there is none. */
  bodyStart = -1;
  error: WireError | undefined;
  /** Bit of every known id up to 31 that occurs. */
  seen = 0;
  rows: readonly number[] = scratch;
  #count = 0;
  #folded = false;
  #at: number;
  readonly #fieldsMax: number;

  constructor(bytes: Buffer, start: number, end: number, fieldsMax: number) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.#at = start;
    this.#fieldsMax = fieldsMax;
  }

  /** Scans start line and fields. */
  scan(): void {
    this.scanLine();
    if (this.lineEnd >= 0) this.scanFields();
  }

  /** Scans the start line only. */
  scanLine(): void {
    const lineFeed = this.bytes.indexOf(LF, this.start);
    if (lineFeed < 0 || lineFeed >= this.end) return;
    this.#at = lineFeed + 1;
    const hasReturn = lineFeed > this.start && this.bytes[lineFeed - 1] === CR;
    this.lineEnd = hasReturn ? lineFeed - 1 : lineFeed;
    if (!hasReturn) this.fail('SIP_LINE_END', 'line feed without carriage return');
  }

  scanFields(): void {
    const { bytes, end } = this;
    while (this.#at < end) {
      const octet = bytes[this.#at]!;
      if (octet === CR && this.#at + 1 < end && bytes[this.#at + 1] === LF) {
        this.bodyStart = this.#at + 2;
        break;
      }
      if (octet === LF) {
        this.fail('SIP_LINE_END', 'line feed without carriage return');
        this.bodyStart = this.#at + 1;
        break;
      }
      if (this.#count >= this.#fieldsMax) {
        this.fail('SIP_TOO_MANY_FIELDS', 'more header fields than allowed', 513);
        break;
      }
      this.#scanField();
    }
    this.rows = scratch.slice(0, this.#count * ROW);
  }

  headers(): HeaderTable {
    return new HeaderTable(this.bytes, this.rows);
  }

  /** The first row of that id, or -1. */
  rowOf(id: number): number {
    for (let row = 0; row < this.rows.length; row += ROW) {
      if (this.rows[row] === id) return row;
    }
    return -1;
  }

  fail(code: string, hint: string, status = 400): void {
    this.error ??= new WireError(code, hint, status);
  }

  #scanField(): void {
    const { bytes, end } = this;
    const nameStart = this.#at;
    let at = nameStart;
    let hash = 0;
    for (; at < end && TOKEN[bytes[at]!] === 1; at++) hash = hashStep(hash, bytes[at]!);
    const nameEnd = at;
    while (at < end && (bytes[at] === SP || bytes[at] === HTAB)) at++;
    const named = nameEnd > nameStart && at < end && bytes[at] === COLON;
    const valueFrom = named ? at + 1 : nameStart;
    const lineFeed = this.#skipValue(valueFrom);
    if (!named) this.fail('SIP_HEADER', 'line is no header field');
    // A line that does not end is left out: its value may be cut.
    if (!named || lineFeed < 0) return;
    this.#addRow(nameStart, nameEnd, hash, valueFrom, lineFeed);
  }

  /** Moves behind the line end of the field, folds included; the last line feed, or -1. */
  #skipValue(from: number): number {
    const { bytes, end } = this;
    this.#folded = false;
    for (let at = from; at < end; at++) {
      const octet = bytes[at]!;
      if (octet >= SP || octet === HTAB) {
        if (octet === 0x7f) this.fail('SIP_HEADER', 'control character in a header field');
        continue;
      }
      if (octet === LF) {
        if (bytes[at - 1] !== CR) this.fail('SIP_LINE_END', 'line feed without carriage return');
        const next = at + 1 < end ? bytes[at + 1] : undefined;
        if (next === SP || next === HTAB) {
          this.#folded = true;
          continue;
        }
        this.#at = at + 1;
        return at;
      }
      if (octet !== CR) this.fail('SIP_HEADER', 'control character in a header field');
      else if (at + 1 < end && bytes[at + 1] !== LF) {
        this.fail('SIP_LINE_END', 'carriage return without line feed');
      }
    }
    this.#at = end;
    return -1;
  }

  #addRow(nameStart: number, nameEnd: number, hash: number, from: number, lineFeed: number): void {
    const { bytes } = this;
    let valueStart = from;
    let valueEnd = lineFeed;
    while (valueEnd > valueStart && bytes[valueEnd - 1]! <= SP) valueEnd--;
    while (valueStart < valueEnd && bytes[valueStart]! <= SP) valueStart++;
    const id = idOfOctets(bytes, nameStart, nameEnd, hash);
    if (id >= 0 && id < 31) {
      const bit = 1 << id;
      if ((this.seen & bit & SINGLE_MASK) !== 0) {
        this.fail('SIP_DUPLICATE_HEADER', 'a single-value header field occurs twice');
      }
      this.seen |= bit;
    }
    const row = this.#count++ * ROW;
    scratch[row] = id;
    scratch[row + 1] = nameStart;
    scratch[row + 2] = nameEnd;
    scratch[row + 3] = valueStart;
    scratch[row + 4] = valueEnd;
    scratch[row + 5] = this.#folded ? 1 : 0;
  }
}
