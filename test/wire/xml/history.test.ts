/** Metadata of deferred messages, by vectors and properties. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  parseHistory,
  parseHistoryList,
  writeHistory,
  writeHistoryList,
} from '../../../src/wire/xml/history.js';
import type { History } from '../../../src/wire/xml/history.js';
import { parseXml } from '../../../src/wire/xml/tree.js';
import { codeOf, vector, vectors } from '../vectors.js';

describe.each(vectors<History[]>('history'))('$name', ({ bytes, expect: histories, error }) => {
  test('whole, with trailing octets', () => {
    if (error !== undefined) {
      expect(codeOf(() => parseHistoryList(bytes))).toBe(error);
      return;
    }
    expect(parseHistoryList(bytes)).toEqual(histories);
    const twice = Buffer.concat([bytes, bytes]);
    expect(codeOf(() => parseHistoryList(twice))).toBe('XML_NOT_WELL_FORMED');
  });
});

describe('writeHistory', () => {
  const [history] = vector<History[]>('history', '5.8-history').expect!;

  test('S1-META-ADD: one element by itself, in the order of the schema', () => {
    const text = writeHistory(history!);
    expect(parseHistory(Buffer.from(text))).toEqual(history);
    const { children } = parseXml(Buffer.from(text));
    expect(children.map((child) => (typeof child === 'string' ? child : child.name))).toEqual([
      ...['size', 'expiry', 'subject', 'pager', 'date'],
    ]);
    expect(text).toMatch(
      /^<history xmlns="urn:oma:xml:im:history-list" history-reference="sip:70000001@s07\./,
    );
  });

  test('a document by itself is no list, and a list no element', () => {
    const list = writeHistoryList([history!]);
    expect(codeOf(() => parseHistory(list))).toBe('HISTORY_ROOT');
    expect(codeOf(() => parseHistoryList(Buffer.from(writeHistory(history!))))).toBe(
      'HISTORY_ROOT',
    );
  });

  test('what is written is what is parsed', () => {
    const text = fc.stringMatching(/^([!-~é]([ -~é]{0,9}[!-~é])?)?$/u);
    const given = fc.record(
      {
        reference: text,
        size: fc.nat(),
        expiry: text,
        subject: text,
        pager: fc.record(
          { timeStamp: text, from: text, to: text, authId: text },
          { requiredKeys: ['timeStamp', 'from', 'to'] },
        ),
        date: text,
      },
      { requiredKeys: ['reference', 'size', 'pager'] },
    );
    fc.assert(
      fc.property(fc.array(given), (histories) => {
        expect(parseHistoryList(writeHistoryList(histories))).toEqual(histories);
      }),
    );
  });

  test('a subject that XML cannot hold is refused', () => {
    expect(codeOf(() => writeHistory({ ...history!, subject: '\0' }))).toBe('XML_CHARACTER');
  });
});
