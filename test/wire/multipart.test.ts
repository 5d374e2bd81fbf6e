/** Multipart bodies, by vectors and properties. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isMultipart,
  leafParts,
  parseMultipart,
  partHeader,
  writeMultipart,
} from '../../src/wire/multipart.js';
import { codeOf, textOf, vectors } from './vectors.js';

interface Expected {
  readonly headers: readonly (readonly [string, string])[];
  readonly body: readonly string[];
}

const type = 'multipart/mixed;boundary=b';

describe.each(vectors<Expected[]>('multipart'))('$name', (given) => {
  const { bytes, contentType, error } = given;
  const parse = (body: Buffer) => parseMultipart(body, contentType!);

  test('whole', () => {
    if (error !== undefined) {
      expect(codeOf(() => parse(bytes))).toBe(error);
      return;
    }
    const parts = parse(bytes).map(({ headers, body }) => ({ headers, body: body.toString() }));
    const wanted = given.expect!.map((part) => ({ ...part, body: textOf(part.body) }));
    expect(parts).toEqual(wanted);
  });

  test('cut anywhere, with trailing octets: data or a WireError', () => {
    for (let at = 0; at < Math.min(bytes.length, 2000); at++) {
      codeOf(() => parse(bytes.subarray(0, at)));
    }
    const epilogue = Buffer.concat([bytes, Buffer.from('\r\nepilogue')]);
    expect(codeOf(() => parse(epilogue))).toBe(error);
  });
});

describe('multipart', () => {
  test('SIP-09: what is multipart', () => {
    expect(isMultipart('multipart/mixed;boundary=b')).toBe(true);
    expect(isMultipart(' Multipart/Alternative')).toBe(true);
    expect(isMultipart('message/cpim')).toBe(false);
  });

  test('headers are found in any case, the first one counts', () => {
    const [part] = parseMultipart(Buffer.from('--b\r\nA: 1\r\na: 2\r\n\r\n\r\n--b--'), type);
    expect(partHeader(part!, 'a')).toBe('1');
    expect(partHeader(part!, 'constructor')).toBeUndefined();
  });

  test('bodies are views', () => {
    const body = Buffer.from('--b\r\n\r\nx\r\n--b--');
    expect(parseMultipart(body, type)[0]!.body.buffer).toBe(body.buffer);
  });

  test('bounds of parts and of header sections', () => {
    const body = Buffer.from('--b\r\nA: 1\r\n\r\n1\r\n--b\r\n\r\n2\r\n--b--');
    expect(parseMultipart(body, type, { parts: 2 })).toHaveLength(2);
    expect(codeOf(() => parseMultipart(body, type, { parts: 1 }))).toBe('MULTIPART_PARTS');
    expect(codeOf(() => parseMultipart(body, type, { headerSection: 3 }))).toBe('MULTIPART_HEADER');
  });

  test('SIP-09: nested multiparts are opened in their place, up to a depth', () => {
    let body = writeMultipart([leaf('deepest')], 'b0');
    for (let depth = 1; depth < 4; depth++) {
      const inner = { headers: [mixed(`b${depth - 1}`)], body };
      body = writeMultipart([leaf(`before ${depth}`), inner, leaf(`after ${depth}`)], `b${depth}`);
    }
    const contentType = 'multipart/mixed;boundary=b3';
    expect(leafParts(body, contentType).map((part) => part.body.toString())).toEqual([
      ...['before 3', 'before 2', 'before 1', 'deepest', 'after 1', 'after 2', 'after 3'],
    ]);
    expect(codeOf(() => leafParts(body, contentType, { depth: 3 }))).toBe('MULTIPART_DEPTH');
    expect(codeOf(() => leafParts(body, contentType, { parts: 6 }))).toBe('MULTIPART_PARTS');
  });

  test('refuses what cannot be written', () => {
    const write = (boundary: string, name = 'A', value = '1') =>
      codeOf(() =>
        writeMultipart([{ headers: [[name, value]], body: Buffer.from('x--b') }], boundary),
      );
    expect(write('c')).toBeUndefined();
    expect(write('b')).toBe('MULTIPART_BOUNDARY');
    expect(write('b ')).toBe('MULTIPART_BOUNDARY');
    expect(write('c', 'A', '1\r\nB: 2')).toBe('MULTIPART_HEADER');
    expect(write('c', 'A B')).toBe('MULTIPART_HEADER');
  });
});

const leaf = (text: string) => ({ headers: [], body: Buffer.from(text) });
const mixed = (boundary: string): [string, string] => [
  'Content-Type',
  `multipart/mixed;boundary=${boundary}`,
];

describe('properties', () => {
  test('FRAG-02: what is written is what is parsed, octet by octet', () => {
    const part = fc.record({
      headers: fc.array(
        fc.tuple(fc.stringMatching(/^[A-Za-z-]{1,9}$/), fc.stringMatching(/^[!-~]{0,9}$/)),
      ),
      body: fc
        .array(fc.constantFrom('\r', '\n', '-', 'b', '\r\n', '--', '\0'))
        .map((pieces) => Buffer.from(pieces.join(''))),
    });
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
        const bytes = writeMultipart(parts, 'unlikely-b');
        const parsed = parseMultipart(bytes, 'multipart/mixed;boundary="unlikely-b"');
        expect(parsed.map((seen) => [seen.headers, seen.body.toString('latin1')])).toEqual(
          parts.map((given) => [given.headers, given.body.toString('latin1')]),
        );
      }),
    );
  });

  test('any octets are data or a WireError', () => {
    const pieces = fc.array(fc.constantFrom('--b', '\r\n', '\n', '--', ':', ' ', 'A', '--b--'));
    fc.assert(
      fc.property(pieces, (text) => {
        codeOf(() => leafParts(Buffer.from(text.join('')), type));
      }),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(fc.uint8Array(), fc.string(), (bytes, contentType) => {
        codeOf(() => parseMultipart(Buffer.from(bytes), `multipart/${contentType}`));
      }),
    );
  });
});
