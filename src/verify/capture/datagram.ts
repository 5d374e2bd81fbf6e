/** A UDP datagram (RFC 768), and the message in it. */

import type { Packet } from './internet.js';
import type { Observed } from './observed.js';
import type { Stamp } from './frame.js';
import { startAt } from './start.js';

export interface Datagram {
  readonly source: string;
  readonly target: string;
  readonly payload: Buffer;
  readonly missing: number;
}

export function datagramOf({ source, target, payload, missing }: Packet): Datagram | undefined {
  if (payload.length < 8) return undefined;
  // 0: a jumbogram, or one that hardware was to split.
  const length = payload.readUInt16BE(4) || payload.length + missing;
  if (length < 8) return undefined;
  return {
    source: `${source}:${payload.readUInt16BE(0)}`,
    target: `${target}:${payload.readUInt16BE(2)}`,
    payload: payload.subarray(8, Math.min(length, payload.length)),
    missing: Math.max(0, length - payload.length),
  };
}

/** Undefined when there is none: a keep-alive, or another protocol. */
export function messageIn(datagram: Datagram, { number, at }: Stamp): Observed | undefined {
  const { source, target, missing } = datagram;
  let payload = datagram.payload;
  while (payload[0] === 13 || payload[0] === 10) payload = payload.subarray(1);
  if (startAt(payload, 0, payload.length, true) !== 'sip') return undefined;
  const cut = missing > 0;
  return { number, at, protocol: 'sip', transport: 'udp', source, target, bytes: payload, cut };
}
