import { expect, test } from 'vitest';
import { readCapture } from '../../../src/verify/capture/read.js';
import { datagramFrames, endpointOf } from '../../../src/verify/capture/write-packet.js';
import { sipMessage } from './scene.js';

const flow = { source: endpointOf('192.0.2.1:5060'), target: endpointOf('192.0.2.2:5062') };
const frame = datagramFrames(flow, sipMessage('call'), 1)[0]!;

/** Writes blocks in one of the two orders of octets. */
class Blocks {
  readonly #isLittle: boolean;

  constructor(isLittle: boolean) {
    this.#isLittle = isLittle;
  }

  section(): Buffer {
    const body = Buffer.concat([this.words(0x1a2b3c4d), this.halves(1, 0), Buffer.alloc(8, 255)]);
    return this.block(0x0a0d0d0a, body);
  }

  interface(linkType: number, snap = 0, ...options: readonly [number, Buffer][]): Buffer {
    const written = options.map(([kind, value]) =>
      Buffer.concat([this.halves(kind, value.length), padded(value)]),
    );
    const body = [this.halves(linkType, 0), this.words(snap), ...written, this.words(0)];
    return this.block(1, Buffer.concat(body));
  }

  packet(id: number, time: bigint, bytes = frame, options: Buffer = Buffer.alloc(0)): Buffer {
    const high = Number(time >> 32n);
    const low = Number(time & 0xffffffffn);
    const head = this.words(id, high, low, bytes.length, bytes.length);
    return this.block(6, Buffer.concat([head, padded(bytes), options]));
  }

  oldPacket(id: number, time: bigint): Buffer {
    const words = this.words(Number(time >> 32n), Number(time & 0xffffffffn), frame.length);
    const body = [this.halves(id, 3), words, this.words(frame.length), padded(frame)];
    return this.block(2, Buffer.concat(body));
  }

  simple(bytes = frame, length = bytes.length): Buffer {
    return this.block(3, Buffer.concat([this.words(length), padded(bytes)]));
  }

  block(type: number, body: Buffer): Buffer {
    const length = body.length + 12;
    return Buffer.concat([this.words(type, length), body, this.words(length)]);
  }

  words(...values: readonly number[]): Buffer {
    const bytes = Buffer.alloc(4 * values.length);
    values.forEach((value, at) => {
      if (this.#isLittle) bytes.writeUInt32LE(value, 4 * at);
      else bytes.writeUInt32BE(value, 4 * at);
    });
    return bytes;
  }

  halves(...values: readonly number[]): Buffer {
    const bytes = Buffer.alloc(2 * values.length);
    values.forEach((value, at) => {
      if (this.#isLittle) bytes.writeUInt16LE(value, 2 * at);
      else bytes.writeUInt16BE(value, 2 * at);
    });
    return bytes;
  }
}

test.each([true, false])('every block that has frames is read (little: %s)', (isLittle) => {
  const blocks = new Blocks(isLittle);
  const offset = Buffer.alloc(8);
  if (isLittle) offset.writeBigInt64LE(100n);
  else offset.writeBigInt64BE(100n);
  const file = Buffer.concat([
    blocks.section(),
    blocks.interface(1),
    blocks.interface(101, 0, [2, Buffer.from('lo')], [9, Buffer.from([9])], [14, offset]),
    blocks.interface(1, 0, [9, Buffer.from([0x8a])]),
    blocks.block(0x0bad0000, Buffer.alloc(40)),
    blocks.packet(0, 5_000_250n, frame, blocks.words(0)),
    blocks.packet(1, 7_000_000_500n, frame.subarray(14)),
    blocks.packet(2, 2_560n),
    blocks.oldPacket(0, 9_000_000n),
    blocks.simple(),
    blocks.block(5, Buffer.alloc(12)),
  ]);
  const { messages, remarks } = readCapture(file);
  expect(messages.map(({ number, at }) => [number, at])).toEqual([
    [1, 5_000.25],
    [2, 107_000.0005],
    [3, 2_500],
    [4, 9_000],
    [5, 9_000],
  ]);
  expect(messages.every(({ bytes }) => bytes.equals(sipMessage('call')))).toBe(true);
  expect(remarks).toEqual(['frames without a time have that before them: 1, the first at 5']);
});

test('sections have interfaces, and an order of octets, of their own', () => {
  const [little, big] = [new Blocks(true), new Blocks(false)];
  const file = Buffer.concat([
    ...[little.section(), little.interface(1), little.packet(0, 1_000n)],
    ...[big.section(), big.interface(101), big.packet(0, 2_000n, frame.subarray(14))],
  ]);
  expect(readCapture(file).messages.map(({ number, at }) => [number, at])).toEqual([
    [1, 1],
    [2, 2],
  ]);
});

test('a frame that was shortened where it was captured is cut', () => {
  const blocks = new Blocks(true);
  const bytes = frame.subarray(0, 100);
  const start = [blocks.section(), blocks.interface(1, 100)];
  const file = Buffer.concat([...start, blocks.simple(bytes, frame.length)]);
  expect(readCapture(file).messages).toMatchObject([{ cut: true }]);
});

test('what is broken or torn is told, and what stands before it is read', () => {
  const blocks = new Blocks(true);
  const start = Buffer.concat([blocks.section(), blocks.interface(1)]);
  const good = blocks.packet(0, 1_000n);
  const unknown = readCapture(Buffer.concat([start, blocks.packet(7, 1n), good]));
  expect(unknown.messages).toMatchObject([{ number: 2 }]);
  expect(unknown.remarks).toEqual(['broken blocks of packets: 1, the first at 1']);
  const at = start.length + good.length;
  const torn = [`torn: the block at octet ${at}, behind frame 1`];
  const huge = Buffer.concat([blocks.words(6, 0x7ffffffc), good.subarray(8)]);
  const otherEnd = Buffer.concat([good.subarray(0, -4), blocks.words(3)]);
  for (const bad of [good.subarray(0, 50), huge, otherEnd, blocks.words(6, 4), Buffer.alloc(9)]) {
    const { messages, remarks } = readCapture(Buffer.concat([start, good, bad]));
    expect(messages).toHaveLength(1);
    expect(remarks).toEqual(torn);
  }
  expect(() => readCapture(start.subarray(0, 9))).toThrow(/^CAPTURE_TORN/);
  expect(() => readCapture(Buffer.from('0a0d0d0a1c00000000000000', 'hex'))).toThrow(
    /^CAPTURE_TORN/,
  );
});

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
