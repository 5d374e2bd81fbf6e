/** message/cpim, by vectors and properties. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cpimFacts, parseCpim, wrapCpim } from '../../src/wire/cpim.js';
import { codeOf, textOf, vector, vectors } from './vectors.js';

interface Expected {
  readonly contentType: string;
  readonly body: string | readonly string[];
  readonly facts: Readonly<Record<string, unknown>>;
}

describe.each(vectors<Expected>('cpim'))('$name', ({ bytes, expect: wanted, error }) => {
  test('whole, with trailing octets', () => {
    if (wanted === undefined) {
      expect(codeOf(() => parseCpim(bytes))).toBe(error);
      return;
    }
    const cpim = parseCpim(bytes);
    const facts = cpimFacts(cpim);
    const body = typeof wanted.body === 'string' ? wanted.body : textOf(wanted.body);
    expect({ ...facts, dispositions: [...facts.dispositions] }).toEqual(wanted.facts);
    expect(cpim.contentType).toBe(wanted.contentType);
    expect(cpim.body.toString()).toBe(body);
    const more = parseCpim(Buffer.concat([bytes, Buffer.from('\r\n\0')]));
    expect(more.body.toString()).toBe(`${body}\r\n\0`);
  });

  test('cut anywhere: data or a WireError', () => {
    for (let at = 0; at < Math.min(bytes.length, 2000); at++) {
      codeOf(() => cpimFacts(parseCpim(bytes.subarray(0, at))));
    }
  });
});

describe('wrapCpim', () => {
  test('CPIM-01: a pager message, octet by octet', () => {
    const bytes = wrapCpim({
      from: 'sip:nia@example.com',
      to: 'sip:tomas@example.net',
      dateTime: '2026-11-20T09:00:00Z',
      headers: [
        ['NS', 'imdn <urn:ietf:params:imdn>'],
        ['imdn.Message-ID', 'Qm8x2LrT0d9K'],
        ['imdn.Disposition-Notification', 'processing, positive-delivery, negative-delivery'],
      ],
      contentType: 'text/plain; charset=utf-8',
      body: Buffer.from('The spare keys are under the blue pot.'),
    });
    expect(bytes.toString()).toBe(vector('cpim', '5.1-pager').bytes.toString());
    expect(bytes).toHaveLength(318);
  });

  test('CPIM-01: the content is a view on what was parsed, and leaves as it came', () => {
    const { bytes } = vector('cpim', '5.1-pager');
    const { body } = parseCpim(bytes);
    expect(body.buffer).toBe(bytes.buffer);
    expect(body.byteOffset + body.length).toBe(bytes.byteOffset + bytes.length);
  });

  test('refuses a line end in a value, and a name that is none', () => {
    const fields = { from: 'sip:a@h', to: 'sip:b@h', contentType: 'a/b', body: Buffer.alloc(0) };
    expect(codeOf(() => wrapCpim(fields))).toBeUndefined();
    expect(codeOf(() => wrapCpim({ ...fields, from: 'a\r\nTo: x' }))).toBe('CPIM_FIELD');
    expect(codeOf(() => wrapCpim({ ...fields, headers: [['a b', 'c']] }))).toBe('CPIM_FIELD');
    expect(codeOf(() => wrapCpim({ ...fields, contentType: 'a\nb' }))).toBe('CPIM_FIELD');
  });

  test('bounds of headers', () => {
    const { bytes } = vector('cpim', '5.1-pager');
    expect(codeOf(() => parseCpim(bytes, { headers: 6 }))).toBe('CPIM_HEADERS_TOO_MANY');
    expect(codeOf(() => parseCpim(bytes, { headers: 7 }))).toBeUndefined();
    expect(codeOf(() => parseCpim(bytes, { headerSection: 100 }))).toBe('CPIM_HEADER_TOO_LONG');
  });
});

describe('properties', () => {
  const name = fc.stringMatching(/^[A-Za-z.-]{1,9}$/);
  const value = fc.stringMatching(/^[!-~]([ -~]{0,9}[!-~])?$/);

  test('what is wrapped is what is parsed, octet by octet', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), fc.uint8Array(), (headers, content) => {
        const bytes = wrapCpim({
          ...{ from: 'sip:a@h', to: 'sip:b@h', headers, contentType: 'a/b' },
          body: Buffer.from(content),
        });
        const cpim = parseCpim(bytes);
        expect(cpim.headers.slice(2)).toEqual(headers);
        expect(cpim.contentType).toBe('a/b');
        expect(cpim.body.equals(content)).toBe(true);
      }),
    );
  });

  test('any octets are data or a WireError', () => {
    const piece = fc.constantFrom('From: <a>', 'NS: i <urn:ietf:params:imdn>', 'i.', ':', '\r\n');
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string())), (pieces) => {
        codeOf(() => cpimFacts(parseCpim(Buffer.from(pieces.join('')))));
      }),
      { numRuns: 1000 },
    );
  });
});
