/** HalfSipHash-1-3 of ASCII text: whoever does not know the key cannot make texts that collide. */

import type { Random } from '../../ports.js';

/** Key of 64 bits. */
export interface HashKey {
  readonly low: number;
  readonly high: number;
}

/** ASCII text with its hash, which is reckoned once for all tables. */
export interface HashedText {
  readonly text: string;
  readonly hash: number;
}

/** Hashes of texts under a key that nobody else knows. */
export class TextHash {
  readonly #key: HashKey;

  constructor(random: Random) {
    this.#key = { low: word(random), high: word(random) };
  }

  /** Text that is not ASCII becomes text that no other one becomes. */
  of(text: string): HashedText {
    const hash = keyedHash(this.#key, text);
    if (hash !== undefined) return { text, hash };
    return this.of(`\n${Buffer.from(text, 'utf8').toString('hex')}`);
  }
}

function word(random: Random): number {
  return Buffer.from(random.token(8)).readInt32LE(0) ^ Buffer.from(random.token(8)).readInt32LE(0);
}

/** 32 bits as a signed integer; undefined for text that is not ASCII. */
export function keyedHash({ low, high }: HashKey, text: string): number | undefined {
  let a = low;
  let b = high;
  let c = 0x6c796765 ^ low;
  let d = 0x74656462 ^ high;
  const { length } = text;
  let seen = 0;
  for (let at = 0; at <= length; at += 4) {
    let word = 0;
    if (at + 4 <= length) {
      const first = text.charCodeAt(at);
      const second = text.charCodeAt(at + 1);
      const third = text.charCodeAt(at + 2);
      const fourth = text.charCodeAt(at + 3);
      seen |= first | second | third | fourth;
      word = first | (second << 8) | (third << 16) | (fourth << 24);
    } else {
      for (let rest = length - 1; rest >= at; rest--) {
        seen |= text.charCodeAt(rest);
        word = (word << 8) | text.charCodeAt(rest);
      }
      word |= length << 24;
    }
    d ^= word;
    // One round; the same again three times below, written out because a call would return four.
    a = (a + b) | 0;
    b = ((b << 5) | (b >>> 27)) ^ a;
    a = (a << 16) | (a >>> 16);
    c = (c + d) | 0;
    d = ((d << 8) | (d >>> 24)) ^ c;
    a = (a + d) | 0;
    d = ((d << 7) | (d >>> 25)) ^ a;
    c = (c + b) | 0;
    b = ((b << 13) | (b >>> 19)) ^ c;
    c = (c << 16) | (c >>> 16);
    a ^= word;
  }
  if (seen > 0x7f) return undefined;
  c ^= 0xff;
  for (let round = 0; round < 3; round++) {
    a = (a + b) | 0;
    b = ((b << 5) | (b >>> 27)) ^ a;
    a = (a << 16) | (a >>> 16);
    c = (c + d) | 0;
    d = ((d << 8) | (d >>> 24)) ^ c;
    a = (a + d) | 0;
    d = ((d << 7) | (d >>> 25)) ^ a;
    c = (c + b) | 0;
    b = ((b << 13) | (b >>> 19)) ^ c;
    c = (c << 16) | (c >>> 16);
  }
  return b ^ d;
}
