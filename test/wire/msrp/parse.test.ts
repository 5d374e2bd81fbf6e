/** The MSRP parser, by vectors, however the octets are split. */

import { describe, expect, test } from 'vitest';
import { MsrpParser } from '../../../src/wire/msrp/parse.js';
import type { MsrpFault } from '../../../src/wire/msrp/parse.js';
import { memoryInUse } from '../../fuzz/duration.js';
import { textOf, vector, vectors } from '../vectors.js';
import type { Vector } from '../vectors.js';
import { parsePieces } from './events.js';
import type { MsrpTold } from './events.js';

/** As in the files: of a head only what the case is about; a body may be lines. */
interface Expected {
  readonly head?: Readonly<Record<string, unknown>>;
  readonly body?: string | readonly string[];
  readonly end?: string;
  readonly fault?: unknown;
}

const cases = vectors<Expected[]>('msrp');
const follower = Buffer.from(
  [
    'MSRP next0001 SEND',
    'To-Path: msrp://192.0.2.20:2855/k3Zp9vQw1nH;tcp',
    'From-Path: msrp://192.0.2.10:7394/w3LmT0a9;tcp',
    'Message-ID: next',
    '-------next0001$',
    '',
  ].join('\r\n'),
);

describe.each(cases)('$name', (given) => {
  const { bytes } = given;

  test('whole', () => {
    check(given, parsePieces([bytes]));
  });

  test('split at every octet', () => {
    const whole = printed(given, parsePieces([bytes]));
    const differing = splitsOf(bytes).filter(
      (at) => printed(given, parsePieces([bytes.subarray(0, at), bytes.subarray(at)])) !== whole,
    );
    expect(differing).toEqual([]);
  });

  test('octet by octet', () => {
    const long = bytes.length > 20000;
    check(given, parsePieces(piecesOf(bytes, long ? 1021 : 1)));
  });

  test('with trailing octets', () => {
    if (given.open === true) {
      check(given, parsePieces([bytes]));
      return;
    }
    const told = parsePieces([Buffer.concat([bytes, follower])]);
    if (endsStream(given)) {
      check(given, told);
      return;
    }
    check(given, told.slice(0, -2));
    expect(told.slice(-2)).toMatchObject([{ head: { transactionId: 'next0001' } }, { end: '$' }]);
  });
});

describe('MsrpParser', () => {
  test('says whom to answer', () => {
    const faults: MsrpFault[] = [];
    const parser = new MsrpParser({
      head: () => undefined,
      body: () => undefined,
      end: () => undefined,
      fault: (fault) => faults.push(fault),
    });
    parser.push(vector('msrp', 'own-method-unknown').bytes);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatchObject({
      fatal: false,
      error: { code: 'MSRP_METHOD_UNKNOWN', status: 501 },
      answer: {
        transactionId: 'tx00001',
        method: 'FOO',
        toPath: ['msrp://192.0.2.20:2855/k3Zp9vQw1nH;tcp'],
        fromPath: ['msrp://192.0.2.10:7394/w3LmT0a9;tcp'],
      },
    });
  });

  test('is idle between frames only', () => {
    const parser = new MsrpParser({
      head: () => undefined,
      body: () => undefined,
      end: () => undefined,
      fault: () => undefined,
    });
    const { bytes } = vector('msrp', 'own-good-one');
    expect(parser.idle).toBe(true);
    for (let at = 0; at < bytes.length; at++) {
      parser.push(bytes.subarray(at, at + 1));
      expect(parser.idle).toBe(at === bytes.length - 1);
    }
  });

  test('parses nothing after stop, not even the rest of the chunk', () => {
    const told: string[] = [];
    const parser = new MsrpParser({
      head: () => {
        told.push('head');
        parser.stop();
      },
      body: () => told.push('body'),
      end: () => told.push('end'),
      fault: () => told.push('fault'),
    });
    parser.push(vector('msrp', 'own-good-two-chunks').bytes);
    parser.push(follower);
    expect(told).toEqual(['head']);
  });

  test('passes a body on at once, as views on the chunk', () => {
    const pieces: Buffer[] = [];
    const parser = new MsrpParser({
      head: () => undefined,
      body: (bytes) => pieces.push(bytes),
      end: () => undefined,
      fault: () => undefined,
    });
    const [head] = textOf(['MSRP tx00001 SEND', ...paths, 'Message-ID: m0001', '', '']).split('|');
    const chunk = Buffer.alloc(65536, 'x');
    parser.push(Buffer.from(head!));
    parser.push(chunk);
    expect(pieces.map((piece) => piece.length)).toEqual([65536]);
    expect(pieces[0]!.buffer).toBe(chunk.buffer);
  });

  test.each([
    ['a long start line', { startLine: 10 }, 'MSRP_START_LINE_TOO_LONG', 0],
    ['a long header line', { headerLine: 40 }, 'MSRP_HEADER_TOO_LONG', 0],
    ['a long header section', { headerSection: 100 }, 'MSRP_HEADER_TOO_LONG', 0],
    ['many headers', { headers: 2 }, 'MSRP_HEADERS_TOO_MANY', 0],
    ['many URIs in a path', { paths: 0 }, 'MSRP_PATH', 2],
  ])('has a bound for %s', (_, limits, code, more) => {
    const bytes = Buffer.concat([vector('msrp', 'own-good-one').bytes, follower]);
    const told = parsePieces([bytes], limits);
    expect(told[0]).toMatchObject({ fault: { code, status: 400, fatal: more === 0 } });
    expect(told).toHaveLength(more === 0 ? 1 : more);
  });

  test('keeps nothing of a body: 64 MiB pass with little memory', () => {
    let octets = 0;
    const ends: string[] = [];
    const parser = new MsrpParser({
      head: () => undefined,
      body: (bytes) => {
        octets += bytes.length;
      },
      end: (flag) => ends.push(flag),
      fault: () => undefined,
    });
    parser.push(Buffer.from(textOf(['MSRP tx00001 SEND', ...paths, 'Message-ID: m0001', '', ''])));
    const chunk = Buffer.alloc(65536, '\r\n-------tx0000');
    const before = memoryInUse().outside;
    for (let i = 0; i < 1024; i++) parser.push(chunk);
    expect(memoryInUse().outside - before).toBeLessThan(8 * 1048576);
    parser.push(Buffer.from('\r\n-------tx00001#\r\n'));
    expect(octets).toBe(1024 * 65536);
    expect(ends).toEqual(['#']);
  });
});

const paths = [
  'To-Path: msrp://192.0.2.20:2855/k3Zp9vQw1nH;tcp',
  'From-Path: msrp://192.0.2.10:7394/w3LmT0a9;tcp',
];

/** Every offset; of a long case those of its beginning and its end: between them nothing changes. */
function splitsOf(bytes: Buffer): number[] {
  const all = bytes.length < 20000;
  return Array.from({ length: all ? bytes.length : 600 }, (_, at) =>
    all || at < 400 ? at : bytes.length - 600 + at,
  );
}

function printed(given: Vector<Expected[]>, told: readonly MsrpTold[]): string {
  return JSON.stringify(eventsOf(given, told));
}

/** How much of a body comes before its bound is noticed depends on the pieces. */
function eventsOf(given: Vector<Expected[]>, told: readonly MsrpTold[]): readonly MsrpTold[] {
  return given.partial === true ? told.filter((event) => !('body' in event)) : told;
}

function piecesOf(bytes: Buffer, length: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += length) pieces.push(bytes.subarray(at, at + length));
  return pieces;
}

function endsStream(given: Vector<Expected[]>): boolean {
  const last = given.expect?.at(-1)?.fault;
  return typeof last === 'object' && last !== null && 'fatal' in last && last.fatal === true;
}

function check(given: Vector<Expected[]>, told: readonly MsrpTold[]): void {
  const wanted = given.expect!;
  const events = eventsOf(given, told);
  expect(events).toHaveLength(wanted.length);
  wanted.forEach((want, at) => {
    const event = events[at]!;
    if (want.head !== undefined) {
      const head = 'head' in event ? (event.head as unknown as Record<string, unknown>) : {};
      const seen = Object.keys(want.head).map((key) => [key, head[key]]);
      expect(Object.fromEntries(seen)).toEqual(want.head);
    } else if (want.body !== undefined) {
      const lines = typeof want.body === 'string' ? [want.body] : want.body;
      expect(event).toEqual({ body: textOf(lines) });
    } else {
      expect(event).toEqual(want);
    }
  });
}
