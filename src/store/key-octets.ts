/** Octets of one key, written one after the other into a place that all keys share. */

import { StoreError } from './store-error.js';

/** Octets of one text in a key. */
const textMax = 4096;
const scratch = Buffer.allocUnsafe(8 * textMax);
let used = 0;

/** Begins a key. */
export function begin(): void {
  used = 0;
}

/** What was written since `begin`. */
export function written(): Buffer {
  const key = Buffer.allocUnsafe(used);
  scratch.copy(key, 0, 0, used);
  return key;
}

export function octet(value: number): void {
  scratch[used++] = value;
}

export function u16(value: number): void {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff) throw outOfRange(value);
  used = scratch.writeUInt16BE(value, used);
}

export function u32(value: number): void {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) throw outOfRange(value);
  used = scratch.writeUInt32BE(value, used);
}

export function u64(value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw outOfRange(value);
  used = scratch.writeUInt32BE(Math.floor(value / 0x100000000), used);
  used = scratch.writeUInt32BE(value >>> 0, used);
}

/** Nearly every text is ASCII, and too short for a call out of JavaScript to be worth it. */
export function text(value: string): void {
  if (value.length > textMax) throw badText(value);
  const start = used;
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code > 0x7f) {
      used = start;
      unicode(value);
      return;
    }
    scratch[used++] = code;
  }
}

/** 0x00 becomes 0x01 0x01 and 0x01 becomes 0x01 0x02, so that the text can end with 0x00. */
export function escapedText(value: string): void {
  const start = used;
  text(value);
  escape(start);
}

/** A lone surrogate would be written as U+FFFD, and two texts would share a key. */
const loneSurrogate = /\p{Surrogate}/u;

function unicode(value: string): void {
  if (loneSurrogate.test(value)) throw badText(value);
  const size = scratch.write(value, used, 'utf8');
  if (size > textMax) throw badText(value);
  used += size;
}

/** Escapes what stands from `start` on, from its end so that nothing is overwritten. */
function escape(start: number): void {
  let marks = 0;
  for (let at = start; at < used; at++) if (scratch[at]! <= 1) marks++;
  if (marks === 0) return;
  let from = used;
  used += marks;
  let to = used;
  while (from > start) {
    const value = scratch[--from]!;
    if (value <= 1) {
      scratch[--to] = value + 1;
      scratch[--to] = 1;
    } else scratch[--to] = value;
  }
}

function outOfRange(value: number): StoreError {
  return new StoreError('STORE_INVALID', `${String(value)} is no number for a key`);
}

function badText(value: string): StoreError {
  return new StoreError(
    'STORE_INVALID',
    `text of ${value.length} characters is too long or not Unicode`,
  );
}
