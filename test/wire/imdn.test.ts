/** Disposition notifications, by vectors and properties. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cpimFacts, parseCpim } from '../../src/wire/cpim.js';
import { parseImdn, writeImdn, writeImdnMessage } from '../../src/wire/imdn.js';
import type { Imdn } from '../../src/wire/imdn.js';
import { codeOf, vector, vectors } from './vectors.js';

describe.each(vectors<Imdn>('imdn'))('$name', ({ bytes, expect: imdn, error }) => {
  test('whole, with trailing octets', () => {
    if (error !== undefined) {
      expect(codeOf(() => parseImdn(bytes))).toBe(error);
      return;
    }
    expect(parseImdn(bytes)).toEqual(imdn);
    const trailing = Buffer.concat([bytes, Buffer.from('x')]);
    expect(codeOf(() => parseImdn(trailing))).toBe('XML_NOT_WELL_FORMED');
  });

  test('cut anywhere: a WireError', () => {
    for (let at = 0; at < bytes.length; at++) {
      expect(codeOf(() => parseImdn(bytes.subarray(0, at)))).toBeDefined();
    }
  });
});

const failed: Imdn = {
  messageId: 'Qm8x2LrT0d9K',
  dateTime: '2026-11-20T09:00:00Z',
  recipientUri: 'sip:tomas@example.net',
  originalRecipientUri: 'sip:tomas@example.net',
  notification: 'delivery',
  status: 'failed',
};
const message = {
  from: 'sip:tomas@example.net',
  to: 'sip:nia@example.com',
  dateTime: '2026-11-21T09:00:00Z',
  messageId: 'F7c0Zk44a',
  imdn: failed,
};

describe('writeImdnMessage', () => {
  test('IMDN-03: the report of an expiry says what the example says', () => {
    const written = parseCpim(writeImdnMessage(message));
    const example = parseCpim(vector('cpim', '5.7-report').bytes);
    expect(written.headers).toEqual(example.headers);
    const [type, disposition, length] = written.contentHeaders;
    expect([type, disposition]).toEqual(example.contentHeaders.slice(0, 2));
    expect(length).toEqual(['Content-Length', String(written.body.length)]);
    expect(parseImdn(written.body)).toEqual(parseImdn(example.body));
  });

  test('IMDN-03: it asks for no report, and is no longer than the example', () => {
    const bytes = writeImdnMessage(message);
    expect(cpimFacts(parseCpim(bytes)).dispositions.size).toBe(0);
    expect(bytes.length).toBeLessThanOrEqual(627);
  });

  test('IMDN-03: original-recipient-uri iff Original-To was there', () => {
    const { originalRecipientUri, ...without } = failed;
    expect(writeImdn(failed).toString()).toContain(
      `<original-recipient-uri>${originalRecipientUri!}</original-recipient-uri>`,
    );
    expect(writeImdn(without).toString()).not.toContain('original-recipient-uri');
  });

  test('IMDN-04: the record route becomes the route, in order', () => {
    const cpim = parseCpim(writeImdnMessage({ ...message, route: ['sip:r1@h', 'sip:r2@h'] }));
    expect(cpim.headers.slice(-2)).toEqual([
      ['imdn.IMDN-Route', '<sip:r1@h>'],
      ['imdn.IMDN-Route', '<sip:r2@h>'],
    ]);
  });

  test('refuses what neither CPIM nor XML can hold', () => {
    expect(codeOf(() => writeImdnMessage({ ...message, messageId: 'a\r\nb' }))).toBe('CPIM_FIELD');
    const imdn = { ...failed, messageId: 'a\0b' };
    expect(codeOf(() => writeImdnMessage({ ...message, imdn }))).toBe('XML_CHARACTER');
  });
});

test('what is written is what is parsed', () => {
  const text = fc.stringMatching(/^[!-~é€]([ -~é€]{0,9}[!-~é€])?$/u);
  const given = fc.record(
    {
      messageId: text,
      dateTime: text,
      recipientUri: text,
      originalRecipientUri: text,
      subject: text,
      notification: fc.constantFrom('delivery', 'processing', 'display'),
      status: fc.constantFrom('delivered', 'failed', 'forbidden', 'error', 'processed', 'stored'),
    },
    { requiredKeys: ['messageId', 'dateTime', 'notification', 'status'] },
  );
  fc.assert(
    fc.property(given, (imdn) => {
      expect(parseImdn(writeImdn(imdn))).toEqual(imdn);
    }),
  );
});
