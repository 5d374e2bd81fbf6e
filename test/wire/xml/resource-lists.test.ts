/** URI lists, by vectors and properties. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseUriList, writeUriList } from '../../../src/wire/xml/resource-lists.js';
import { codeOf, vectors } from '../vectors.js';

describe.each(vectors<string[]>('resource-lists'))('$name', ({ bytes, expect: uris, error }) => {
  test('whole, with trailing octets', () => {
    if (error !== undefined) {
      expect(codeOf(() => parseUriList(bytes))).toBe(error);
      return;
    }
    expect(parseUriList(bytes)).toEqual(uris);
    expect(codeOf(() => parseUriList(Buffer.concat([bytes, bytes])))).toBe('XML_NOT_WELL_FORMED');
  });
});

test('LIST-01: what is written is what is parsed, duplicates and all', () => {
  const uri = fc.stringMatching(/^sip:[!-~é]{1,20}$/u);
  fc.assert(
    fc.property(fc.array(uri), (uris) => {
      expect(parseUriList(writeUriList(uris))).toEqual(uris);
    }),
  );
});

test('LIST-06: a list has a bound', () => {
  const uris = Array<string>(20000).fill('sip:a@h');
  expect(codeOf(() => parseUriList(writeUriList(uris)))).toBe('XML_TOO_MANY');
  const [most, more] = [2048, 2049].map((count) => writeUriList(uris.slice(0, count)));
  expect(parseUriList(most!)).toHaveLength(2048);
  expect(codeOf(() => parseUriList(more!))).toBe('LIST_TOO_LONG');
  expect(parseUriList(more!, 2049)).toHaveLength(2049);
});
