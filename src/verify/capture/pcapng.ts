/** The frames of a pcapng file (draft-ietf-opsawg-pcapng): any number of sections, interfaces. */

import { VerifyError } from '../verify-error.js';
import type { Frame } from './frame.js';
import type { CaptureLimits } from './limits.js';
import type { OctetSource } from './octet-source.js';
import type { Remarks } from './remarks.js';

const sectionBlock = 0x0a0d0d0a;
const interfaceBlock = 1;
const oldPacketBlock = 2;
const simplePacketBlock = 3;
const packetBlock = 6;
/** Blocks that have frames, by what stands before these. */
const packetHeaderBytes = new Map([
  [oldPacketBlock, 20],
  [simplePacketBlock, 4],
  [packetBlock, 20],
]);
const interfacesMax = 65_536;

interface Interface {
  readonly linkType: number;
  readonly snapBytes: number;
  /** Units of its times in a second. */
  readonly perSecond: bigint;
  readonly offsetSeconds: number;
}

export function isPcapng(start: Buffer): boolean {
  return start.length >= 4 && start.readUInt32BE(0) === sectionBlock;
}

export function* pcapngFrames(
  source: OctetSource,
  limits: CaptureLimits,
  remarks: Remarks,
): Generator<Frame> {
  const section = new Section(limits, remarks);
  while (source.peek(1).length > 0) {
    const block = section.next(source);
    if (block === undefined) return;
    const frame = section.read(block);
    if (frame !== undefined) yield frame;
  }
}

interface Block {
  readonly type: number;
  readonly body: Buffer;
}

const nothing = Buffer.alloc(0);

/** What was said so far of the section that is read. */
class Section {
  readonly #limits: CaptureLimits;
  readonly #remarks: Remarks;
  #isLittle = true;
  #interfaces: Interface[] = [];
  #number = 0;
  #at = 0;

  constructor(limits: CaptureLimits, remarks: Remarks) {
    this.#limits = limits;
    this.#remarks = remarks;
  }

  /** Undefined when there is none that is whole: behind it nothing can be found. */
  next(source: OctetSource): Block | undefined {
    const at = source.offset;
    const block = this.#whole(source);
    // The beginning of the file is nothing without it.
    if (block === undefined && at === 0) {
      throw new VerifyError('CAPTURE_TORN', 'the header of the file is torn');
    }
    if (block === undefined) {
      this.#remarks.add(`torn: the block at octet ${at}, behind frame ${this.#number}`);
    }
    return block;
  }

  /** Blocks that have no frames are told without their body. */
  #whole(source: OctetSource): Block | undefined {
    const header = source.peek(12);
    if (header.length < 12) return undefined;
    if (header.readUInt32BE(0) === sectionBlock && !this.#begin(header)) return undefined;
    const type = this.#word(header, 0);
    const length = this.#word(header, 4);
    if (length < 12 || length % 4 !== 0) return undefined;
    const isKept = type === interfaceBlock || packetHeaderBytes.has(type);
    if (!isKept) return source.pass(length) ? { type, body: nothing } : undefined;
    const bytes = length > this.#limits.blockBytes ? undefined : source.take(length);
    if (bytes === undefined || this.#word(bytes, length - 4) !== length) return undefined;
    return { type, body: bytes.subarray(8, length - 4) };
  }

  read({ type, body }: Block): Frame | undefined {
    if (type === interfaceBlock) this.#addInterface(body);
    const headerBytes = packetHeaderBytes.get(type);
    if (headerBytes === undefined) return undefined;
    this.#number++;
    const frame = body.length < headerBytes ? undefined : this.#frame(type, body, headerBytes);
    if (frame === undefined) this.#remarks.count('broken blocks of packets', this.#number);
    return frame;
  }

  /** Whether its order of octets can be told. */
  #begin(header: Buffer): boolean {
    const magic = header.readUInt32BE(8);
    this.#isLittle = magic === 0x4d3c2b1a;
    this.#interfaces = [];
    return this.#isLittle || magic === 0x1a2b3c4d;
  }

  #frame(type: number, body: Buffer, headerBytes: number): Frame | undefined {
    const isSimple = type === simplePacketBlock;
    const id = isSimple ? 0 : type === packetBlock ? this.#word(body, 0) : this.#half(body, 0);
    const captured = this.#interfaces[id];
    if (captured === undefined) return undefined;
    const length = this.#word(body, isSimple ? 0 : 16);
    const kept = isSimple ? Math.min(length, captured.snapBytes || length) : this.#word(body, 12);
    if (kept > Math.min(this.#limits.frameBytes, body.length - headerBytes)) return undefined;
    if (isSimple) this.#remarks.count('frames without a time have that before them', this.#number);
    else this.#at = timeOf(captured, this.#word(body, 4), this.#word(body, 8));
    return {
      number: this.#number,
      at: this.#at,
      linkType: captured.linkType,
      bytes: body.subarray(headerBytes, headerBytes + kept),
      length: Math.max(length, kept),
    };
  }

  #addInterface(body: Buffer): void {
    if (body.length < 8 || this.#interfaces.length >= interfacesMax) {
      this.#remarks.count('broken blocks of interfaces', this.#number);
      return;
    }
    const options = this.#options(body, 8);
    const resolution = options.get(9)?.[0] ?? 6;
    const exponent = BigInt(resolution & 0x7f);
    const offset = options.get(14);
    const isOffset = offset?.length === 8;
    const seconds =
      isOffset && (this.#isLittle ? offset.readBigInt64LE() : offset.readBigInt64BE());
    this.#interfaces.push({
      linkType: this.#half(body, 0),
      snapBytes: this.#word(body, 4),
      perSecond: (resolution & 0x80) === 0 ? 10n ** exponent : 2n ** exponent,
      offsetSeconds: seconds === false ? 0 : Number(seconds),
    });
  }

  /** The first of each kind. */
  #options(body: Buffer, from: number): Map<number, Buffer> {
    const options = new Map<number, Buffer>();
    for (let at = from; at + 4 <= body.length;) {
      const kind = this.#half(body, at);
      const length = this.#half(body, at + 2);
      if (kind === 0 || at + 4 + length > body.length) break;
      if (!options.has(kind)) options.set(kind, body.subarray(at + 4, at + 4 + length));
      at += 4 + Math.ceil(length / 4) * 4;
    }
    return options;
  }

  #word(bytes: Buffer, at: number): number {
    return this.#isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
  }

  #half(bytes: Buffer, at: number): number {
    return this.#isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
  }
}

function timeOf({ perSecond, offsetSeconds }: Interface, high: number, low: number): number {
  const time = (BigInt(high) << 32n) | BigInt(low);
  const part = Number(time % perSecond) / Number(perSecond);
  return (Number(time / perSecond) + offsetSeconds) * 1e3 + part * 1e3;
}
