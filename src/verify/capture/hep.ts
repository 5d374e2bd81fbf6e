/** HEP version 3, in which capture agents send what they have seen (EEP, Homer). */

import { inflateSync } from 'node:zlib';
import type { Findings } from './conversation.js';
import { address4, address6 } from './internet.js';
import type { Observed } from './observed.js';
import type { OctetSource } from './octet-source.js';
import { startAt } from './start.js';

const magic = 'HEP3';
const headerBytes = 6;
const chunkHeaderBytes = 6;

/** Kinds of chunks of vendor 0. */
const kinds = {
  ipProtocol: 2,
  source4: 3,
  target4: 4,
  source6: 5,
  target6: 6,
  sourcePort: 7,
  targetPort: 8,
  seconds: 9,
  microseconds: 10,
  payload: 15,
  compressed: 16,
} as const;

/** As IP numbers them; what agents write for TLS and WebSocket stands for nothing else. */
const transports = new Map<number, Observed['transport']>([
  [6, 'tcp'],
  [17, 'udp'],
  [22, 'tls'],
  [50, 'ws'],
  [51, 'wss'],
]);

export function isHep(bytes: Buffer): boolean {
  return bytes.length >= headerBytes && bytes.toString('latin1', 0, 4) === magic;
}

/** Packets of HEP one after the other. */
export function readHep(source: OctetSource, findings: Findings): void {
  for (let number = 1; source.peek(1).length > 0; number++) {
    const header = source.peek(headerBytes);
    const length = isHep(header) ? header.readUInt16BE(4) : 0;
    const packet = length < headerBytes ? undefined : source.take(length);
    if (packet === undefined) {
      findings.remarks.add(`torn: HEP packet ${number} is not whole`);
      return;
    }
    const message = hepMessage(packet, number, findings);
    if (message !== undefined) findings.messages.add(message);
  }
}

/** The message in a packet; undefined when there is none, which is told if it should not be so. */
export function hepMessage(
  packet: Buffer,
  number: number,
  { limits, remarks }: Findings,
): Observed | undefined {
  const chunks = chunksOf(packet);
  const source = hostOf(chunks, kinds.source4, kinds.source6);
  const target = hostOf(chunks, kinds.target4, kinds.target6);
  const bytes = payloadOf(chunks, limits.messageBytes);
  if (bytes === undefined || source === undefined || target === undefined) {
    remarks.count('broken HEP packets', number);
    return undefined;
  }
  const protocol = startAt(bytes, 0, bytes.length, true);
  if (protocol !== 'sip' && protocol !== 'msrp') return undefined;
  const seconds = wordOf(chunks.get(kinds.seconds));
  return {
    number,
    at: seconds * 1e3 + wordOf(chunks.get(kinds.microseconds)) / 1e3,
    protocol,
    transport: transports.get(chunks.get(kinds.ipProtocol)?.[0] ?? 17) ?? 'udp',
    source: `${source}:${wordOf(chunks.get(kinds.sourcePort))}`,
    target: `${target}:${wordOf(chunks.get(kinds.targetPort))}`,
    bytes,
    cut: false,
  };
}

/** The first of each kind, as far as they are whole. */
function chunksOf(packet: Buffer): Map<number, Buffer> {
  const chunks = new Map<number, Buffer>();
  const end = Math.min(packet.length, packet.readUInt16BE(4));
  for (let at = headerBytes; at + chunkHeaderBytes <= end;) {
    const length = packet.readUInt16BE(at + 4);
    if (length < chunkHeaderBytes || at + length > end) break;
    const kind = packet.readUInt16BE(at + 2);
    const isKnown = packet.readUInt16BE(at) === 0 && !chunks.has(kind);
    if (isKnown) chunks.set(kind, packet.subarray(at + chunkHeaderBytes, at + length));
    at += length;
  }
  return chunks;
}

function hostOf(
  chunks: ReadonlyMap<number, Buffer>,
  kind4: number,
  kind6: number,
): string | undefined {
  const octets4 = chunks.get(kind4);
  if (octets4?.length === 4) return address4(octets4, 0);
  const octets6 = chunks.get(kind6);
  return octets6?.length === 16 ? address6(octets6, 0) : undefined;
}

function wordOf(octets: Buffer | undefined): number {
  return octets === undefined || octets.length === 0 || octets.length > 4
    ? 0
    : octets.readUIntBE(0, octets.length);
}

function payloadOf(chunks: ReadonlyMap<number, Buffer>, max: number): Buffer | undefined {
  const compressed = chunks.get(kinds.compressed);
  if (compressed === undefined) return chunks.get(kinds.payload);
  try {
    return inflateSync(compressed, { maxOutputLength: max });
  } catch {
    return undefined; // damaged, or a bomb
  }
}
