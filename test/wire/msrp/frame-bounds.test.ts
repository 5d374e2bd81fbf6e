/** Frames told apart without being read, however the octets are split. */

import { describe, expect, test } from 'vitest';
import { FrameBounds } from '../../../src/wire/msrp/frame-bounds.js';
import { vectors } from '../vectors.js';
import { parsePieces } from './events.js';

interface Told {
  /** To-Path of the frames, `+` for each of their ends. */
  readonly marks: string[];
  readonly octets: Buffer;
  readonly isBroken: boolean;
}

const limits = { startLine: 512, headBytes: 32_768 };

function told(pieces: readonly Buffer[], of = limits): Told {
  const marks: string[] = [];
  const octets: Buffer[] = [];
  let isBroken = false;
  const bounds = new FrameBounds(
    {
      head: (bytes, toPath) => {
        marks.push(toPath ?? '?');
        octets.push(Buffer.from(bytes));
      },
      body: (bytes) => octets.push(Buffer.from(bytes)),
      end: (bytes) => {
        marks.push('+');
        octets.push(Buffer.from(bytes));
      },
      broken: (bytes) => {
        isBroken = true;
        octets.push(Buffer.from(bytes));
      },
    },
    of,
  );
  for (const piece of pieces) bounds.push(piece);
  return { marks, octets: Buffer.concat(octets), isBroken };
}

const cases = vectors('msrp');

describe.each(cases)('$name', ({ bytes }) => {
  test('MSRP-01: split anywhere it is the same, and what is passed on is parsed to the same', () => {
    const whole = told([bytes]);
    const singles = told([...bytes].map((octet) => Buffer.of(octet)));
    expect(singles.marks).toEqual(whole.marks);
    if (!whole.isBroken) expect(singles.octets).toEqual(whole.octets);
    for (let at = 1; at < Math.min(bytes.length, 200); at++) {
      const split = told([bytes.subarray(0, at), bytes.subarray(at)]);
      expect(split.marks).toEqual(whole.marks);
    }
    // A parser behind it tells what it would have told alone.
    const unfinished = (events: readonly object[]) => events.filter((event) => !('body' in event));
    expect(unfinished(parsePieces([whole.octets]))).toEqual(unfinished(parsePieces([bytes])));
  });
});

test('MSRP-02: an open body has an end that fits, and only then', () => {
  const bounds = new FrameBounds(
    {
      head: () => undefined,
      body: () => undefined,
      end: () => undefined,
      broken: () => undefined,
    },
    limits,
  );
  bounds.push(Buffer.from('MSRP abcd SEND\r\nTo-Path: x\r\n'));
  expect(bounds.interruption).toBeUndefined();
  expect(bounds.isIdle).toBe(false);
  bounds.push(Buffer.from('\r\nbody'));
  expect(String(bounds.interruption)).toBe('\r\n-------abcd#\r\n');
  bounds.push(Buffer.from('\r\n-------abcd+\r\n'));
  expect(bounds.interruption).toBeUndefined();
  expect(bounds.isIdle).toBe(true);
});

test('MSRP-20: of a head no more is kept than its bound', () => {
  const line = Buffer.from('MSRP abcd SEND\r\n');
  const field = Buffer.from('X: y\r\n');
  const small = { startLine: 64, headBytes: 1_000 };
  expect(told([line, ...Array.from({ length: 164 }, () => field)], small).isBroken).toBe(false);
  expect(told([line, ...Array.from({ length: 165 }, () => field)], small).isBroken).toBe(true);
  expect(told([line, Buffer.alloc(1_002, 'x')], small).isBroken).toBe(false);
  expect(told([line, Buffer.alloc(1_003, 'x')], small).isBroken).toBe(true);
  expect(told([Buffer.from(`MSRP ${'a'.repeat(70)}`)], small).isBroken).toBe(true);
});
