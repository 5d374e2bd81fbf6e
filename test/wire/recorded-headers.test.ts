import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatRecordedHeaders, parseRecordedHeaders } from '../../src/wire/recorded-headers.js';
import { WireError } from '../../src/wire/error.js';

const fields = fc.array(fc.tuple(fc.string(), fc.string()));

test('D-14: header sets come back as they were', () => {
  const headers = fc.record(
    {
      invite: fields,
      answer: fields,
      sends: fc.array(fields),
      chunks: fc.nat(),
      transactionId: fc.string(),
      token: fc.string(),
    },
    { requiredKeys: ['invite', 'answer', 'sends', 'chunks', 'token'] },
  );
  fc.assert(
    fc.property(headers, (given) => {
      expect(parseRecordedHeaders(formatRecordedHeaders(given))).toEqual(given);
    }),
  );
});

test.each([
  '',
  '{}',
  'null',
  '[2,[],[],[],1,"t"]',
  '[1,[],[],[],1]',
  '[1,[["From"]],[],[],1,"t"]',
  '[1,[["From",1]],[],[],1,"t"]',
  '[1,[],{},[],1,"t"]',
  '[1,[],[],[[1]],1,"t"]',
  '[1,[],[],7,1,"t"]',
  '[1,[],[],[],"1","t"]',
  '[1,[],[],[],1,"t"',
])('RECORDED_HEADERS: %s is no such thing', (text) => {
  expect(() => parseRecordedHeaders(Buffer.from(text))).toThrow(WireError);
});
