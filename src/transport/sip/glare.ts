/** When a request of a dialog may be tried again after it met another one (RFC 3261 14). */

import type { Random } from '../../ports.js';

const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const tokenLength = 4;

/** At least 0 and below 1, drawn from the secure source. */
export function fractionOf(random: Random): number {
  let value = 0;
  for (const digit of random.token(tokenLength)) value = value * 62 + digits.indexOf(digit);
  return value / 62 ** tokenLength;
}

/** 14.1: 2.1 to 4 s for the side that chose the Call-ID, up to 2 s for the other; steps of 10 ms. */
export function glareDelayMs(ownsCallId: boolean, random: Random): number {
  const fraction = fractionOf(random);
  return ownsCallId ? 2_100 + Math.floor(fraction * 191) * 10 : Math.floor(fraction * 201) * 10;
}

/** 14.2: seconds in the Retry-After of 500, between 0 and 10. */
export function retryAfterSeconds(random: Random): string {
  return String(Math.floor(fractionOf(random) * 11));
}
