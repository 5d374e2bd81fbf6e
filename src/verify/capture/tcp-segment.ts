/** A TCP segment (RFC 9293 3.1). */

import type { Packet } from './internet.js';

export interface TcpSegment {
  readonly source: string;
  readonly target: string;
  readonly sequence: number;
  readonly acknowledged: number | undefined;
  readonly isSyn: boolean;
  readonly isFin: boolean;
  readonly isReset: boolean;
  readonly payload: Buffer;
  /** Octets of the payload that were not captured. */
  readonly missing: number;
}

export function segmentOf(packet: Packet): TcpSegment | undefined {
  const { payload } = packet;
  if (payload.length < 20) return undefined;
  const headerBytes = (payload[12]! >> 4) * 4;
  if (headerBytes < 20 || headerBytes > payload.length + packet.missing) return undefined;
  const flags = payload[13]!;
  return {
    source: `${packet.source}:${payload.readUInt16BE(0)}`,
    target: `${packet.target}:${payload.readUInt16BE(2)}`,
    sequence: payload.readUInt32BE(4),
    acknowledged: (flags & 16) === 0 ? undefined : payload.readUInt32BE(8),
    isSyn: (flags & 2) !== 0,
    isFin: (flags & 1) !== 0,
    isReset: (flags & 4) !== 0,
    payload: payload.subarray(headerBytes),
    missing: Math.max(0, packet.missing - Math.max(0, headerBytes - payload.length)),
  };
}
