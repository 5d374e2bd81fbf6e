/** The MSRP writer, octet by octet and against the parser. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MsrpFlag } from '../../../src/wire/msrp/frame.js';
import { endLine, report, requestHead, response } from '../../../src/wire/msrp/write.js';
import type { MsrpRequestFields } from '../../../src/wire/msrp/write.js';
import { codeOf, textOf, vector } from '../vectors.js';
import { parsePieces } from './events.js';

const ours = 'msrp://192.0.2.20:2855/aV7y0LmPp3x;tcp';
const theirs = 'msrp://192.0.2.30:9/t88Qe1;tcp';
const send: MsrpRequestFields = {
  transactionId: 's0kf83hA1z',
  method: 'SEND',
  toPath: [theirs],
  fromPath: [ours],
  messageId: 'd70000001',
};

describe('write', () => {
  test('MSRP-01: a SEND, octet by octet', () => {
    const { bytes } = vector('msrp', '5.5-sipfrag');
    const begin = bytes.indexOf('\r\n\r\n') + 4;
    const body = bytes.subarray(begin, begin + 579);
    const head = requestHead({
      ...send,
      successReport: true,
      byteRange: { start: 1, end: 579, total: 579 },
      headers: [['Content-Disposition', 'render;creation-date="Fri, 20 Nov 2026 09:00:01 +0000"']],
      contentType: 'message/sipfrag;version=2.0',
    });
    const frame = Buffer.concat([head, body, endLine('s0kf83hA1z', '$')]);
    expect(frame.toString()).toBe(bytes.toString());
  });

  test('MSRP-11: a SEND without body', () => {
    const head = requestHead({
      transactionId: 'x1Ab77Qe01',
      method: 'SEND',
      toPath: [ours],
      fromPath: [theirs],
      messageId: 'bind0001',
      byteRange: { start: 1, end: 0, total: 0 },
    });
    const frame = Buffer.concat([head, endLine('x1Ab77Qe01', '$')]);
    expect(frame.toString()).toBe(vector('msrp', '5.5-binding').bytes.toString());
  });

  test('MSRP-20, MSRP-21: a response and a REPORT', () => {
    const toPath = ['msrp://192.0.2.10:7394/w3LmT0a9;tcp'];
    const fromPath = ['msrp://192.0.2.20:2855/k3Zp9vQw1nH;tcp'];
    const answer = response({ transactionId: 'q8W1zz0a7d', status: 200, toPath, fromPath });
    const told = report({
      ...{ transactionId: 'r0000a1b2c', toPath, fromPath, messageId: 'm4Pq77sA' },
      ...{ byteRange: { start: 1, end: 5000, total: 5000 }, status: 200, comment: 'Stored' },
    });
    const example = vector('msrp', '5.2-answer-and-report').bytes.toString();
    expect(Buffer.concat([answer, told]).toString()).toBe(example);
  });

  test('MSRP-05: unknown ends and totals are stars', () => {
    const byteRange = { start: 2049, end: undefined, total: undefined };
    expect(requestHead({ ...send, byteRange }).toString()).toContain('\r\nByte-Range: 2049-*/*');
  });

  test('MSRP-25: a status without comment of its own', () => {
    const fields = { transactionId: 'abcd', toPath: [ours], fromPath: [theirs] };
    expect(response({ ...fields, status: 413 }).toString()).toMatch(
      /^MSRP abcd 413 Stop Sending\r/,
    );
    expect(response({ ...fields, status: 499 }).toString()).toMatch(/^MSRP abcd 499\r/);
  });

  test.each<[string, Partial<MsrpRequestFields>]>([
    ['transaction id', { transactionId: 'a\r\nb' }],
    ['short transaction id', { transactionId: 'abc' }],
    ['To-Path', { toPath: [`${ours}\r\nX: y`] }],
    ['empty To-Path', { toPath: [] }],
    ['From-Path with a blank', { fromPath: [`${ours} x`] }],
    ['Message-ID', { messageId: 'a b' }],
    ['Content-Type', { contentType: 'a/b\r\n\r\nevil' }],
    ['header value', { headers: [['X', 'a\nb']] }],
    ['header value with NUL', { headers: [['X', 'a\0b']] }],
    ['header name', { headers: [['X: y\r\nZ', 'a']] }],
  ])('refuses a line end in the %s', (_, fields) => {
    expect(codeOf(() => requestHead({ ...send, ...fields }))).toBe('MSRP_FIELD');
  });

  test('refuses a line end in a comment', () => {
    const fields = { transactionId: 'abcd', toPath: [ours], fromPath: [theirs], status: 400 };
    expect(codeOf(() => response({ ...fields, comment: 'a\r\nb' }))).toBe('MSRP_FIELD');
    const byteRange = { start: 1, end: 1, total: 1 };
    const told = { ...fields, messageId: 'm0001', byteRange, comment: 'a\r\nb' };
    expect(codeOf(() => report(told))).toBe('MSRP_FIELD');
  });
});

describe('properties', () => {
  const ident = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9.\-+%=]{3,31}$/);
  const uri = fc.stringMatching(/^msrps?:\/\/[a-z]{1,8}:[1-9][0-9]{0,3}\/[A-Za-z0-9]{1,9};tcp$/);
  const path = fc.array(uri, { minLength: 1, maxLength: 3 });
  const range = fc
    .record({ start: fc.integer({ min: 1, max: 2 ** 40 }), length: fc.nat(), more: fc.nat() })
    .chain(({ start, length, more }) =>
      fc.record({
        start: fc.constant(start),
        end: fc.constantFrom(undefined, start + length),
        total: fc.constantFrom(undefined, start + length + more),
      }),
    );
  const request = fc.record(
    {
      transactionId: ident,
      method: fc.constant('SEND' as const),
      toPath: path,
      fromPath: path,
      messageId: ident,
      byteRange: range,
      successReport: fc.boolean(),
      failureReport: fc.constantFrom('yes', 'no', 'partial'),
      contentType: fc.stringMatching(/^[a-z]{1,5}\/[a-z]{1,5}$/),
    },
    { requiredKeys: ['transactionId', 'method', 'toPath', 'fromPath', 'messageId', 'contentType'] },
  );
  const flag = fc.constantFrom<MsrpFlag>('$', '+', '#');
  /** Bodies that come close to an end-line, cut into pieces of any size. */
  const pieces = (id: string) =>
    fc.array(
      fc.constantFrom(
        '\r',
        '\n',
        '-',
        '-------',
        '\r\n-------',
        `\r\n-------${id}`,
        id,
        '$',
        '\0x',
      ),
    );

  test('MSRP-02, MSRP-07: frames come out as they went in, however they are cut', () => {
    const given = request.chain((fields) =>
      fc.tuple(fc.constant(fields), pieces(fields.transactionId), flag, fc.array(fc.nat(60))),
    );
    fc.assert(
      fc.property(given, ([fields, parts, end, cuts]) => {
        const body = parts.join('');
        const line = endLine(fields.transactionId, end);
        // The CRLF of the end-line may complete one that the body ends with.
        fc.pre(!/[$+#]\r\n/.test(`${body}\r\n`));
        const frame = Buffer.concat([requestHead(fields), Buffer.from(body, 'latin1'), line]);
        const told = parsePieces(cut(Buffer.concat([frame, frame]), cuts));
        const { successReport, failureReport, ...same } = fields;
        const head = {
          ...same,
          successReport: successReport ?? false,
          failureReport: failureReport ?? 'yes',
          hasBody: true,
        };
        const wanted = [{ head }, ...(body === '' ? [] : [{ body }]), { end }];
        expect(told).toHaveLength(2 * wanted.length);
        expect(told).toMatchObject([...wanted, ...wanted]);
      }),
      { numRuns: 1000 },
    );
  });

  test('any octets are frames or faults, the same however they are cut', () => {
    const line = fc.constantFrom(
      ...['MSRP abcd SEND', 'MSRP abcd REPORT', 'MSRP abcd 200 OK', `To-Path: ${ours}`, '', 'X'],
      ...[`From-Path: ${theirs}`, 'Message-ID: m0001', 'Status: 000 200', '-------abcd$', '-'],
    );
    const text = fc.array(fc.oneof({ weight: 9, arbitrary: line }, fc.string()));
    fc.assert(
      fc.property(text, fc.array(fc.nat(40)), (lines, cuts) => {
        const bytes = Buffer.from(textOf(lines));
        expect(parsePieces(cut(bytes, cuts))).toEqual(parsePieces([bytes]));
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.uint8Array(), fc.array(fc.nat(9)), (bytes, cuts) => {
        const all = Buffer.from(bytes);
        expect(parsePieces(cut(all, cuts))).toEqual(parsePieces([all]));
      }),
    );
  });
});

function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const length of lengths) {
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return [...pieces, bytes.subarray(at)];
}
