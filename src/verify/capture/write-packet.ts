/** IP packets in Ethernet frames as a host sends them, with their checksums. */

import { isIPv4, isIPv6 } from 'node:net';
import { VerifyError } from '../verify-error.js';

/** One side of a flow. */
export interface Endpoint {
  /** An IP address without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface Flow {
  readonly source: Endpoint;
  readonly target: Endpoint;
}

/** What a segment says besides its octets. */
export interface Segment {
  readonly sequence: number;
  readonly acknowledged: number;
  readonly flags: number;
}

const udp = 17;
const tcp = 6;
/** Octets of an IP packet in an Ethernet frame. */
const packetMax = 1_500;

/** `host:port`, an IPv6 host in brackets. */
export function endpointOf(text: string): Endpoint {
  const [, host = '', port = ''] = /^\[?([^\][]*)\]?:(\d{1,5})$/.exec(text) ?? [];
  if ((!isIPv4(host) && !isIPv6(host)) || Number(port) > 65_535) {
    throw new VerifyError('CAPTURE_ADDRESS', `${text} is no IP address with a port`);
  }
  return { host, port: Number(port) };
}

/** A datagram, in fragments when it is long. */
export function datagramFrames(flow: Flow, payload: Buffer, identification: number): Buffer[] {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(flow.source.port, 0);
  header.writeUInt16BE(flow.target.port, 2);
  const length = 8 + payload.length;
  if (length > 65_515) throw new VerifyError('CAPTURE_DATAGRAM', 'too long for a datagram');
  header.writeUInt16BE(length, 4);
  const whole = Buffer.concat([header, payload]);
  // RFC 768: a sum of 0 is sent as all ones.
  whole.writeUInt16BE(transportSum(flow, udp, whole) || 0xffff, 6);
  return packetFrames(flow, udp, whole, identification);
}

/** A segment that fits into one packet. */
export function segmentFrame(flow: Flow, segment: Segment, payload: Buffer): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt16BE(flow.source.port, 0);
  header.writeUInt16BE(flow.target.port, 2);
  header.writeUInt32BE(segment.sequence >>> 0, 4);
  header.writeUInt32BE(segment.acknowledged >>> 0, 8);
  header[12] = 5 << 4;
  header[13] = segment.flags;
  header.writeUInt16BE(65_535, 14);
  const whole = Buffer.concat([header, payload]);
  whole.writeUInt16BE(transportSum(flow, tcp, whole), 16);
  return packetFrames(flow, tcp, whole, 0)[0]!;
}

function packetFrames(
  flow: Flow,
  protocol: number,
  payload: Buffer,
  identification: number,
): Buffer[] {
  const { host } = flow.source;
  if (isIPv4(host) !== isIPv4(flow.target.host)) {
    throw new VerifyError('CAPTURE_ADDRESS', `${host} does not reach ${flow.target.host}`);
  }
  const encode = isIPv4(host) ? packet4 : packet6;
  const room = packetMax - (isIPv4(host) ? 20 : 40);
  if (payload.length <= room) return [encode(flow, protocol, payload, undefined)];
  // All fragments but the last hold a multiple of eight octets.
  const step = (room - 8) & ~7;
  const frames: Buffer[] = [];
  for (let offset = 0; offset < payload.length; offset += step) {
    const hasMore = offset + step < payload.length;
    const part = payload.subarray(offset, offset + step);
    frames.push(encode(flow, protocol, part, { identification, offset, hasMore }));
  }
  return frames;
}

interface Part {
  readonly identification: number;
  readonly offset: number;
  readonly hasMore: boolean;
}

function packet4(flow: Flow, protocol: number, payload: Buffer, part: Part | undefined): Buffer {
  const header = Buffer.alloc(20);
  header[0] = 0x45;
  header.writeUInt16BE(20 + payload.length, 2);
  header.writeUInt16BE((part?.identification ?? 0) & 0xffff, 4);
  const dontFragment = 0x4000;
  const hasMore = part?.hasMore === true ? 0x2000 : 0;
  header.writeUInt16BE(part === undefined ? dontFragment : hasMore | (part.offset >> 3), 6);
  header[8] = 64;
  header[9] = protocol;
  octetsOf(flow.source.host).copy(header, 12);
  octetsOf(flow.target.host).copy(header, 16);
  header.writeUInt16BE(sum([header]), 10);
  return ethernet(flow, 0x0800, [header, payload]);
}

function packet6(flow: Flow, protocol: number, payload: Buffer, part: Part | undefined): Buffer {
  const header = Buffer.alloc(part === undefined ? 40 : 48);
  header[0] = 0x60;
  header.writeUInt16BE(header.length - 40 + payload.length, 4);
  header[6] = part === undefined ? protocol : 44;
  header[7] = 64;
  octetsOf(flow.source.host).copy(header, 8);
  octetsOf(flow.target.host).copy(header, 24);
  if (part !== undefined) {
    header[40] = protocol;
    header.writeUInt16BE(part.offset | (part.hasMore ? 1 : 0), 42);
    header.writeUInt32BE(part.identification, 44);
  }
  return ethernet(flow, 0x86dd, [header, payload]);
}

/** Hosts have hardware addresses of the range that is administered locally. */
function ethernet({ source, target }: Flow, type: number, parts: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(14);
  hardwareOf(target).copy(header, 0);
  hardwareOf(source).copy(header, 6);
  header.writeUInt16BE(type, 12);
  return Buffer.concat([header, ...parts]);
}

function hardwareOf({ host }: Endpoint): Buffer {
  return Buffer.concat([Buffer.from([2, 0]), octetsOf(host).subarray(-4)]);
}

/** RFC 9293 3.1, RFC 8200 8.1: with a pseudo-header before it. */
function transportSum({ source, target }: Flow, protocol: number, bytes: Buffer): number {
  const about = Buffer.alloc(8);
  about.writeUInt32BE(bytes.length, 0);
  about[7] = protocol;
  return sum([octetsOf(source.host), octetsOf(target.host), about, bytes]);
}

/** RFC 1071; every part but the last has an even number of octets. */
function sum(parts: readonly Buffer[]): number {
  let total = 0;
  for (const part of parts) {
    for (let at = 0; at + 1 < part.length; at += 2) total += part.readUInt16BE(at);
    if (part.length % 2 === 1) total += part[part.length - 1]! << 8;
  }
  while (total > 0xffff) total = (total & 0xffff) + Math.floor(total / 0x10000);
  return ~total & 0xffff;
}

function octetsOf(host: string): Buffer {
  if (isIPv4(host)) return Buffer.from(host.split('.').map(Number));
  const [plain] = host.split('%');
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(plain!);
  const text = dotted === null ? plain! : dotted[1]! + hexPairs(dotted.slice(2).map(Number));
  const [before = '', after] = text.split('::');
  const head = before === '' ? [] : before.split(':');
  const tail = after === undefined || after === '' ? [] : after.split(':');
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  const bytes = Buffer.alloc(16);
  [...head, ...zeros, ...tail].forEach((group, at) => {
    bytes.writeUInt16BE(Number.parseInt(group, 16), 2 * at);
  });
  return bytes;
}

function hexPairs([a = 0, b = 0, c = 0, d = 0]: readonly number[]): string {
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}
