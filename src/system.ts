/** The real clock and the real random source. */

import { randomBytes } from 'node:crypto';
import type { Clock, Random } from './ports.js';

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, call) {
    const timer = setTimeout(call, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const poolSize = 4096;
let pool = Buffer.alloc(0);
let used = 0;

function nextByte(): number {
  if (used === pool.length) {
    pool = randomBytes(poolSize);
    used = 0;
  }
  return pool[used++]!;
}

export const systemRandom: Random = {
  token(length) {
    let token = '';
    while (token.length < length) {
      const byte = nextByte() & 63;
      // 62 of 64 values name a character; the other two are drawn again, so that none is favoured.
      if (byte < alphabet.length) token += alphabet[byte]!;
    }
    return token;
  },
};
