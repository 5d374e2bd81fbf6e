/** Writes messages as a capture of the packets that carried them, for other tools to read. */

import { VerifyError } from '../verify-error.js';
import type { Observed } from './observed.js';
import { datagramFrames, endpointOf, segmentFrame, type Flow } from './write-packet.js';

interface WrittenFrame {
  readonly at: number;
  readonly bytes: Buffer;
}

const ethernet = 1;
/** Octets of a segment, so that its packet fits into an Ethernet frame over IPv6 as well. */
const segmentMax = 1_440;
const fin = 1;
const syn = 2;
const push = 8;
const ack = 16;

/** A pcap file in nanoseconds. Connections are opened before their first message, closed last. */
export function writePcap(messages: readonly Observed[]): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b23c4d, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(262_144, 16);
  header.writeUInt32LE(ethernet, 20);
  const records = framesOf(messages).map(({ at, bytes }) => {
    const record = Buffer.alloc(16);
    const time = nanoseconds(at);
    record.writeUInt32LE(Number(time / 1_000_000_000n), 0);
    record.writeUInt32LE(Number(time % 1_000_000_000n), 4);
    record.writeUInt32LE(bytes.length, 8);
    record.writeUInt32LE(bytes.length, 12);
    return Buffer.concat([record, bytes]);
  });
  return Buffer.concat([header, ...records]);
}

/** The same as a pcapng file. */
export function writePcapng(messages: readonly Observed[]): Buffer {
  const section = Buffer.alloc(16);
  section.writeUInt32LE(0x1a2b3c4d, 0);
  section.writeUInt16LE(1, 4);
  section.writeBigInt64LE(-1n, 8);
  const about = Buffer.alloc(16);
  about.writeUInt16LE(ethernet, 0);
  // if_tsresol: nanoseconds; then the end of the options.
  about.writeUInt16LE(9, 8);
  about.writeUInt16LE(1, 10);
  about[12] = 9;
  const interfaceBlock = Buffer.concat([about, Buffer.alloc(4)]);
  const packets = framesOf(messages).map(({ at, bytes }) => {
    const packet = Buffer.alloc(20);
    const time = nanoseconds(at);
    packet.writeUInt32LE(Number(time >> 32n), 4);
    packet.writeUInt32LE(Number(time & 0xffffffffn), 8);
    packet.writeUInt32LE(bytes.length, 12);
    packet.writeUInt32LE(bytes.length, 16);
    return block(6, Buffer.concat([packet, bytes]));
  });
  return Buffer.concat([block(0x0a0d0d0a, section), block(1, interfaceBlock), ...packets]);
}

function block(type: number, body: Buffer): Buffer {
  const length = 12 + Math.ceil(body.length / 4) * 4;
  const bytes = Buffer.alloc(length);
  bytes.writeUInt32LE(type, 0);
  bytes.writeUInt32LE(length, 4);
  body.copy(bytes, 8);
  bytes.writeUInt32LE(length, length - 4);
  return bytes;
}

function nanoseconds(at: number): bigint {
  const whole = Math.floor(at);
  return BigInt(whole) * 1_000_000n + BigInt(Math.round((at - whole) * 1e6));
}

function framesOf(messages: readonly Observed[]): WrittenFrame[] {
  const frames: WrittenFrame[] = [];
  const connections = new Map<string, Connection>();
  let identification = 0;
  for (const message of messages) {
    const { at, transport, bytes } = message;
    const flow = { source: endpointOf(message.source), target: endpointOf(message.target) };
    if (transport === 'udp') {
      identification++;
      for (const frame of datagramFrames(flow, bytes, identification)) {
        frames.push({ at, bytes: frame });
      }
    } else if (transport === 'tcp') {
      const key = [message.source, message.target].sort().join(' ');
      const connection = connections.get(key) ?? new Connection(flow, at, frames);
      connections.set(key, connection);
      connection.send(flow, at, bytes);
    } else {
      throw new VerifyError('CAPTURE_TRANSPORT', `nothing is written over ${transport}`);
    }
  }
  for (const connection of connections.values()) connection.close();
  return frames;
}

/** One TCP connection, whose segments come into the frames as they are sent. */
class Connection {
  readonly #opener: Flow;
  readonly #frames: WrittenFrame[];
  /** Of the next octet of the opener, and of the other side. */
  readonly #next = [1_000, 2_000];
  #at: number;

  constructor(opener: Flow, at: number, frames: WrittenFrame[]) {
    this.#opener = opener;
    this.#frames = frames;
    this.#at = at;
    this.#segment(0, syn);
    this.#segment(1, syn | ack);
    this.#segment(0, ack);
  }

  /** A message, which the other side acknowledges. */
  send({ source }: Flow, at: number, bytes: Buffer): void {
    this.#at = at;
    const { host, port } = this.#opener.source;
    const side = source.host === host && source.port === port ? 0 : 1;
    for (let start = 0; start < bytes.length; start += segmentMax) {
      this.#segment(side, push | ack, bytes.subarray(start, start + segmentMax));
    }
    this.#segment(1 - side, ack);
  }

  close(): void {
    this.#segment(0, fin | ack);
    this.#segment(1, fin | ack);
    this.#segment(0, ack);
  }

  #segment(side: number, flags: number, payload: Buffer = Buffer.alloc(0)): void {
    const { source, target } = this.#opener;
    const flow = side === 0 ? this.#opener : { source: target, target: source };
    const acknowledged = (flags & ack) === 0 ? 0 : this.#next[1 - side]!;
    const segment = { sequence: this.#next[side]!, acknowledged, flags };
    this.#frames.push({ at: this.#at, bytes: segmentFrame(flow, segment, payload) });
    const isCounted = (flags & (syn | fin)) !== 0;
    this.#next[side] = (this.#next[side]! + payload.length + (isCounted ? 1 : 0)) >>> 0;
  }
}
