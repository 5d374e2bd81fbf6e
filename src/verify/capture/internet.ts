/** The headers of IPv4 (RFC 791) and IPv6 (RFC 8200), up to what they carry. */

import type { Network } from './link.js';

/** What a packet, or one fragment of it, carries. */
export interface Packet {
  /** As URIs write a host: an IPv6 address in brackets. */
  readonly source: string;
  readonly target: string;
  readonly protocol: number;
  readonly payload: Buffer;
  /** Octets of the payload that were not captured. */
  readonly missing: number;
  /** Where the payload belongs, unless it is whole. */
  readonly fragment?: Fragment;
}

export interface Fragment {
  readonly identification: number;
  readonly offset: number;
  readonly isLast: boolean;
}

/** Extension headers that have their length in their second octet, in units of eight. */
const extensions = new Set([0, 43, 60, 135, 139, 140]);
const fragmentHeader = 44;
const authenticationHeader = 51;
const extensionsMax = 16;

/** Undefined when the octets are no packet, or its header is cut. */
export function packetOf({ bytes, missing }: Network): Packet | undefined {
  const version = bytes.length > 0 ? bytes[0]! >> 4 : 0;
  if (version === 4) return packet4(bytes, missing);
  return version === 6 ? packet6(bytes, missing) : undefined;
}

function packet4(bytes: Buffer, missing: number): Packet | undefined {
  const headerBytes = (bytes[0]! & 15) * 4;
  if (headerBytes < 20 || bytes.length < headerBytes) return undefined;
  // Where the sending hardware splits segments, a capture may have a total of 0.
  const total = bytes.readUInt16BE(2) || bytes.length + missing;
  if (total < headerBytes) return undefined;
  const flags = bytes.readUInt16BE(6);
  const offset = (flags & 0x1fff) * 8;
  const hasMore = (flags & 0x2000) !== 0;
  return {
    source: address4(bytes, 12),
    target: address4(bytes, 16),
    protocol: bytes[9]!,
    payload: bytes.subarray(headerBytes, Math.min(total, bytes.length)),
    missing: Math.max(0, total - bytes.length),
    ...((offset > 0 || hasMore) && {
      fragment: { identification: bytes.readUInt16BE(4), offset, isLast: !hasMore },
    }),
  };
}

function packet6(bytes: Buffer, missing: number): Packet | undefined {
  if (bytes.length < 40) return undefined;
  const total = 40 + (bytes.readUInt16BE(4) || bytes.length + missing - 40);
  const end = Math.min(total, bytes.length);
  let next = bytes[6]!;
  let at = 40;
  let fragment: Fragment | undefined;
  for (let count = 0; count < extensionsMax; count++) {
    const isFragment = next === fragmentHeader;
    if (!isFragment && next !== authenticationHeader && !extensions.has(next)) break;
    if (at + 8 > end) return undefined;
    if (isFragment) fragment = fragmentAt(bytes, at);
    const units = isFragment ? 0 : bytes[at + 1]!;
    const octets = next === authenticationHeader ? (units + 2) * 4 : (units + 1) * 8;
    next = bytes[at]!;
    at += octets;
    // Further headers are in the first fragment only.
    if (fragment !== undefined && fragment.offset > 0) break;
  }
  if (at > end) return undefined;
  return {
    source: address6(bytes, 8),
    target: address6(bytes, 24),
    protocol: next,
    payload: bytes.subarray(at, end),
    missing: Math.max(0, total - bytes.length),
    ...(fragment !== undefined && { fragment }),
  };
}

/** Undefined of one that is the only one (RFC 6946). */
function fragmentAt(bytes: Buffer, at: number): Fragment | undefined {
  const field = bytes.readUInt16BE(at + 2);
  const offset = field & 0xfff8;
  const isLast = (field & 1) === 0;
  if (offset === 0 && isLast) return undefined;
  return { identification: bytes.readUInt32BE(at + 4), offset, isLast };
}

export function address4(bytes: Buffer, at: number): string {
  return `${bytes[at]!}.${bytes[at + 1]!}.${bytes[at + 2]!}.${bytes[at + 3]!}`;
}

/** As RFC 5952 writes it. */
export function address6(bytes: Buffer, at: number): string {
  const groups: string[] = [];
  for (let group = 0; group < 8; group++) {
    groups.push(bytes.readUInt16BE(at + 2 * group).toString(16));
  }
  const [start, length] = longestZeros(groups);
  if (length < 2) return `[${groups.join(':')}]`;
  const before = groups.slice(0, start).join(':');
  return `[${before}::${groups.slice(start + length).join(':')}]`;
}

function longestZeros(groups: readonly string[]): [start: number, length: number] {
  let best: [number, number] = [0, 0];
  for (let start = 0, at = 0; at <= groups.length; at++) {
    if (groups[at] === '0') continue;
    if (at - start > best[1]) best = [start, at - start];
    start = at + 1;
  }
  return best;
}
