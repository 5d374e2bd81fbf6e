/** A message that was stored, and comes as another MESSAGE instead of in a session (S2). */

import { uriOf } from '../../wire/sip/name-addr.js';
import { canonicalAor } from '../../wire/sip/uri.js';
import type { Exchange } from './exchange.js';
import { violationOf } from './rule.js';
import type { Violation } from './verdict.js';

/** What is known of one body that was sent to one user. */
interface Body {
  readonly bytes: Buffer;
  /** Number of the 202 to the first of them that was stored. */
  storedAt: number;
  /** Until that message one of them had no final answer, so that it may have been passed on. */
  openUntil: number;
}

const multiplier = 31;
const lineEnd = Buffer.from('\r\n');

/** Bodies are looked up by how they end: what a server puts in front of them is its own affair. */
export function replayed(exchanges: readonly Exchange[]): Violation[] {
  const bodies = new Map<string, Body[]>();
  const found: Violation[] = [];
  for (const { inbound, method, request, final } of exchanges) {
    const { message, observed } = request;
    if (method !== 'MESSAGE' || message.body.length === 0) continue;
    const user = canonicalAor(inbound ? message.uri : (uriOf(message.header('to')) ?? '')) ?? '';
    if (inbound) {
      const body = bodyOf(bodies, user, message.body);
      const answeredAt = final?.observed.number ?? Infinity;
      body.openUntil = Math.max(body.openUntil, answeredAt);
      if (final?.message.status === 202) body.storedAt = Math.min(body.storedAt, answeredAt);
    } else if (isReplay(bodies, user, message.body, observed.number)) {
      found.push(violationOf(observed, 'S2-PUSH-FLOW', 'a stored message comes as MESSAGE'));
    }
  }
  return found;
}

function bodyOf(bodies: Map<string, Body[]>, user: string, bytes: Buffer): Body {
  const key = keyOf(user, bytes.length, hashesOf(bytes)[0]!);
  const alike = bodies.get(key) ?? [];
  const known = alike.find((one) => one.bytes.equals(bytes));
  if (known !== undefined) return known;
  const body = { bytes, storedAt: Infinity, openUntil: 0 };
  bodies.set(key, [...alike, body]);
  return body;
}

function isReplay(
  bodies: ReadonlyMap<string, readonly Body[]>,
  user: string,
  sent: Buffer,
  number: number,
): boolean {
  const bytes = endsWith(sent, lineEnd) ? sent.subarray(0, -lineEnd.length) : sent;
  return [sent, bytes].some((text) =>
    hashesOf(text).some((hash, at) =>
      (bodies.get(keyOf(user, text.length - at, hash)) ?? []).some(
        ({ bytes: body, storedAt, openUntil }) =>
          storedAt < number && openUntil < number && endsWith(text, body),
      ),
    ),
  );
}

function keyOf(user: string, length: number, hash: number): string {
  return `${user} ${length} ${hash}`;
}

/** Of what begins at each octet and goes to the end. */
function hashesOf(bytes: Buffer): Uint32Array {
  const hashes = new Uint32Array(bytes.length);
  let hash = 0;
  for (let at = bytes.length - 1; at >= 0; at--) {
    hash = (Math.imul(hash, multiplier) + bytes[at]!) >>> 0;
    hashes[at] = hash;
  }
  return hashes;
}

function endsWith(bytes: Buffer, end: Buffer): boolean {
  return bytes.length >= end.length && bytes.subarray(-end.length).equals(end);
}
