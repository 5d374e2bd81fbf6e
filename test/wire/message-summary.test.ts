/** Message summaries, by vectors and properties. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseMessageSummary, writeMessageSummary } from '../../src/wire/message-summary.js';
import type { MessageSummary } from '../../src/wire/message-summary.js';
import { codeOf, vector, vectors } from './vectors.js';

describe.each(vectors<MessageSummary>('message-summary'))('$name', (given) => {
  const { bytes, expect: summary, error } = given;

  test('whole', () => {
    if (error !== undefined) expect(codeOf(() => parseMessageSummary(bytes))).toBe(error);
    else expect(parseMessageSummary(bytes)).toEqual(summary);
  });

  test('cut anywhere, with trailing octets: data or a WireError', () => {
    for (let at = 0; at < Math.min(bytes.length, 2000); at++) {
      codeOf(() => parseMessageSummary(bytes.subarray(0, at)));
    }
    const trailing = Buffer.concat([bytes, Buffer.from('\r\n\r\nno header')]);
    expect(codeOf(() => parseMessageSummary(trailing))).toMatch(/^MWI_/);
  });
});

describe('writeMessageSummary', () => {
  test.each(['5.3-initial', '5.3-later'])('MWI-02, MWI-03: %s, octet by octet', (name) => {
    const { bytes, expect: summary } = vector<MessageSummary>('message-summary', name);
    expect(writeMessageSummary(summary!).toString()).toBe(bytes.toString());
  });

  test('MWI-02: counters end at 2^32-1', () => {
    const classes = [{ name: 'Pager-Message', new: 2 ** 40, old: 0 }];
    const bytes = writeMessageSummary({ waiting: true, classes, headers: [] });
    expect(bytes.toString()).toBe('Messages-Waiting: yes\r\nPager-Message: 4294967295/0\r\n');
  });

  test('refuses a line end in a value', () => {
    const summary = { waiting: true, classes: [], headers: [] };
    const block = (name: string, value: string) =>
      codeOf(() => writeMessageSummary({ ...summary, headers: [[[name, value]]] }));
    expect(block('Subject', 'a')).toBeUndefined();
    expect(block('Subject', 'a\r\nb')).toBe('MWI_FIELD');
    expect(block('Sub ject', 'a')).toBe('MWI_FIELD');
    expect(codeOf(() => writeMessageSummary({ ...summary, account: 'a\nb' }))).toBe('MWI_FIELD');
  });

  test('bounds of the body', () => {
    const { bytes } = vector('message-summary', '5.3-later');
    expect(codeOf(() => parseMessageSummary(bytes, { size: 306 }))).toBe('MWI_TOO_LONG');
    expect(codeOf(() => parseMessageSummary(bytes, { lines: 11 }))).toBe('MWI_TOO_LONG');
    expect(codeOf(() => parseMessageSummary(bytes, { size: 307, lines: 12 }))).toBeUndefined();
  });
});

describe('properties', () => {
  const counter = fc.integer({ min: 0, max: 4_294_967_295 });
  const name = fc
    .stringMatching(/^[A-Za-z-]{1,12}$/)
    .filter((text) => text.toLowerCase() !== 'message-account');
  const value = fc.stringMatching(/^([!-~é]([ -~é]{0,9}[!-~é])?)?$/u);
  const summary = fc.record(
    {
      waiting: fc.boolean(),
      account: fc.stringMatching(/^sip:[a-z]{1,5}@h$/),
      classes: fc.array(
        fc.oneof(
          fc.record({ name, new: counter, old: counter }),
          fc.record({ name, new: counter, old: counter, newUrgent: counter, oldUrgent: counter }),
        ),
      ),
      headers: fc.array(fc.array(fc.tuple(name, value), { minLength: 1 })),
    },
    { requiredKeys: ['waiting', 'classes', 'headers'] },
  );

  test('what is written is what is parsed', () => {
    fc.assert(
      fc.property(summary, (given) => {
        expect(parseMessageSummary(writeMessageSummary(given))).toEqual(given);
      }),
    );
  });

  test('any octets are data or a WireError', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom('\r\n', '1/2', ': ', '\n '), fc.string())),
        (t) => {
          codeOf(() => parseMessageSummary(Buffer.from(`Messages-Waiting: yes\r\n${t.join('')}`)));
        },
      ),
      { numRuns: 1000 },
    );
  });
});
