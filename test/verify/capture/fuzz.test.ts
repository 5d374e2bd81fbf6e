/** Files that nobody has made on purpose: VerifyError with a code, or what was found in them. */

import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { captureLimits } from '../../../src/verify/capture/limits.js';
import { readCapture } from '../../../src/verify/capture/read.js';
import { writePcap, writePcapng } from '../../../src/verify/capture/write.js';
import { VerifyError } from '../../../src/verify/verify-error.js';
import { ackFlag, pcapOf, segment, sipMessage, synFlag, tcpMessages } from './scene.js';

const recorded = new URL('recorded/', import.meta.url);
const runs = Number(process.env['CAPTURE_RUNS'] ?? 300);
const line = { at: 1, source: 'a:1', target: 'b:2', transport: 'udp', message: 'x' };
const seeds = [
  ...readdirSync(recorded).map((name) => readFileSync(new URL(name, recorded))),
  writePcap(tcpMessages()),
  writePcapng(tcpMessages()),
  Buffer.from(`${JSON.stringify({ ...line, message: sipMessage('a').toString() })}\n`.repeat(5)),
  Buffer.concat([Buffer.from('HEP3'), Buffer.from('001800000002000711', 'hex'), Buffer.alloc(40)]),
];

const seed = fc.constantFrom(...seeds);
const places = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255)), {
  maxLength: 20,
});
const cut = fc.double({ min: 0, max: 1, noNaN: true });

test('octets that were changed, and ends that were torn, never do harm', () => {
  fc.assert(
    fc.property(seed, places, cut, (file, changes, part) => {
      const bytes = Buffer.from(file.subarray(0, Math.ceil(file.length * (0.2 + part))));
      for (const [place, octet] of changes) bytes[Math.floor(place * bytes.length)] = octet;
      isRead(bytes);
    }),
    { numRuns: runs },
  );
});

test('words that were changed to extremes never do harm', () => {
  const extremes = fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xffff);
  fc.assert(
    fc.property(seed, fc.nat(2_000), extremes, (file, at, value) => {
      const bytes = Buffer.from(file);
      bytes.writeUInt32LE(value, Math.min(at, bytes.length - 4));
      isRead(bytes);
    }),
    { numRuns: runs },
  );
});

test('anything behind the first octets of a form never does harm', () => {
  const starts = ['a1b2c3d40002000400000000000000000000ffff00000001', 'd4c3b2a1', '48455033'];
  const start = fc.constantFrom(...starts, '0a0d0d0a1c0000004d3c2b1a', '7b', '');
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 400 }), (begin, rest) => {
      isRead(Buffer.concat([Buffer.from(begin, 'hex'), rest]));
    }),
    { numRuns: runs },
  );
});

test('a stream cut into any segments, sent twice and in any order, gives the same messages', () => {
  const messages = ['one', 'two', 'three'].map((callId) => sipMessage(callId, `${callId}\r\n\r\n`));
  const stream = Buffer.concat(messages);
  const cuts = fc.array(fc.nat(stream.length), { maxLength: 30 });
  fc.assert(
    fc.property(cuts, fc.infiniteStream(fc.nat()), (places_, order) => {
      const marks = [...new Set([0, ...places_, stream.length])].sort((a, b) => a - b);
      const pieces = marks
        .slice(1)
        .flatMap((end, at) => Array(2).fill([marks[at]!, end] as const) as [number, number][])
        .map((piece) => ({ piece, rank: order.next().value as number }))
        .sort((one, other) => one.rank - other.rank);
      const frames = pieces.map(({ piece: [from, to] }) =>
        segment(1001 + from, stream.subarray(from, to)),
      );
      const opening = [
        segment(1000, Buffer.alloc(0), { flags: synFlag }),
        segment(2000, Buffer.alloc(0), { flags: synFlag | ackFlag, isBack: true }),
      ];
      const capture = readCapture(pcapOf([...opening, ...frames]));
      expect(capture.remarks).toEqual([]);
      expect(Buffer.concat(capture.messages.map(({ bytes }) => bytes)).equals(stream)).toBe(true);
      expect(capture.messages.every(({ cut: isCut }) => !isCut)).toBe(true);
    }),
    { numRuns: runs },
  );
});

test('what is lost of a stream is told, and never makes a message that was not there', () => {
  const messages = Array.from({ length: 8 }, (_, at) => sipMessage(`c${at}`, 'b'.repeat(at * 40)));
  const stream = Buffer.concat(messages);
  const lost = fc.tuple(fc.nat(stream.length - 1), fc.integer({ min: 1, max: 400 }));
  fc.assert(
    fc.property(lost, ([from, length]) => {
      const to = Math.min(stream.length, from + length);
      const rest = [stream.subarray(0, from), stream.subarray(to)] as const;
      const { messages: seen } = readCapture(
        pcapOf([
          segment(1000, Buffer.alloc(0), { flags: synFlag }),
          ...inSegments(1001, rest[0]),
          ...inSegments(1001 + to, rest[1]),
        ]),
      );
      for (const { bytes, cut: isCut } of seen) {
        const isKnown = messages.some((message) =>
          isCut ? message.subarray(0, bytes.length).equals(bytes) : message.equals(bytes),
        );
        expect(isKnown).toBe(true);
      }
      // Those that touch the gap at most are missing.
      expect(seen.filter(({ cut: isCut }) => !isCut).length).toBeGreaterThanOrEqual(4);
    }),
    { numRuns: runs },
  );
});

function inSegments(sequence: number, octets: Buffer) {
  const frames = [];
  for (let at = 0; at < octets.length; at += 1_000) {
    frames.push(segment(sequence + at, octets.subarray(at, at + 1_000)));
  }
  return frames;
}

/** Within its bounds, whatever it is. */
function isRead(bytes: Buffer): void {
  try {
    const { messages, remarks } = readCapture(bytes, { messages: 50, remarks: 20 });
    expect(messages.length).toBeLessThanOrEqual(50);
    expect(remarks.length).toBeLessThanOrEqual(41);
    for (const message of messages) {
      expect(message.bytes.length).toBeLessThanOrEqual(captureLimits.messageBytes);
      expect(Number.isFinite(message.at)).toBe(true);
    }
  } catch (error) {
    expect(error).toBeInstanceOf(VerifyError);
    expect((error as VerifyError).code).toMatch(/^CAPTURE_/);
  }
}
