/** Values of single header fields. */

import { describe, expect, test } from 'vitest';
import { acceptsType, parseContentType } from '../../../src/wire/sip/content-type.js';
import { parseCseq } from '../../../src/wire/sip/cseq.js';
import { formatSipDate, parseSipDate } from '../../../src/wire/sip/date.js';
import { splitList } from '../../../src/wire/sip/list.js';
import { formatNameAddr, parseNameAddr, tagOf, uriOf } from '../../../src/wire/sip/name-addr.js';
import { parseDigits } from '../../../src/wire/sip/number.js';
import { parseVia, viaWithSource } from '../../../src/wire/sip/via.js';
import { formatWarning, parseWarning } from '../../../src/wire/sip/warning.js';
import { codeOf } from './message.js';

describe('addresses', () => {
  test.each([
    ['<sip:a@h>', undefined, 'sip:a@h', {}],
    ['sip:a@h;tag=1', undefined, 'sip:a@h', { tag: '1' }],
    ['<sip:a@h;x=1>;TAG=1', undefined, 'sip:a@h;x=1', { tag: '1' }],
    ['"A \\"B\\" <c>"<sip:a@h>', 'A "B" <c>', 'sip:a@h', {}],
    ['Bell, Alexander <sip:a@h> ; tag = 43', 'Bell, Alexander', 'sip:a@h', { tag: '43' }],
    ['"Watson" < sip:a@h >', 'Watson', 'sip:a@h', {}],
    ['"" <sip:a@h>', '', 'sip:a@h', {}],
    ['<sip:a@h>;x="a;b>c"', undefined, 'sip:a@h', { x: 'a;b>c' }],
    ['sip:a@h;x="<y>"', undefined, 'sip:a@h', { x: '<y>' }],
    ['<tel:+1>;__proto__=2;;x', undefined, 'tel:+1', { ['__proto__']: '2', x: '' }],
  ])('%s', (value, displayName, uri, params) => {
    const address = parseNameAddr(value);
    expect(address.displayName).toBe(displayName);
    expect(address.uri).toBe(uri);
    expect([...address.params]).toEqual(Object.entries(params));
  });

  test.each([
    '',
    '*',
    '<>',
    '<sip:a@h',
    '"a <sip:a@h>',
    '"a" sip:a@h',
    'nonsense',
    '<a b>',
    'sip:a@h?x=y',
    'sip:a@h, sip:b@h',
  ])('%j is no address', (value) => {
    expect(codeOf(() => parseNameAddr(value))).toBe('SIP_ADDRESS');
  });

  test.each(['<sip:a@h>x', '<sip:a@h>;x="y', '<sip:a@h>;x y'])('%j has bad parameters', (value) => {
    expect(codeOf(() => parseNameAddr(value))).toBe('SIP_PARAMETER');
  });

  test('tag and URI of what may be unreadable', () => {
    expect(tagOf('<sip:a@h>;tag=x')).toBe('x');
    expect([tagOf('<sip:a@h>;tag='), tagOf('*'), tagOf(undefined)]).toEqual(
      Array(3).fill(undefined),
    );
    expect([uriOf('<sip:a@h>'), uriOf('"'), uriOf(undefined)]).toEqual([
      'sip:a@h',
      undefined,
      undefined,
    ]);
  });

  test('what was formatted is read again', () => {
    const params = new Map([
      ['lr', ''],
      ['x', 'a "b"; \\c'],
    ]);
    const address = { displayName: 'Q "q" \\', uri: 'sip:a@h;lr', params };
    expect(parseNameAddr(formatNameAddr(address))).toEqual(address);
    expect(formatNameAddr({ uri: 'sip:a@h' })).toBe('<sip:a@h>');
  });
});

test('lists: unbalanced quotes and brackets end at the end', () => {
  expect(splitList('"a, b')).toEqual(['"a, b']);
  expect(splitList('<a, b')).toEqual(['<a, b']);
  expect(splitList(' , a ,, b\\, ')).toEqual(['a', 'b\\']);
  expect(splitList('')).toEqual([]);
});

describe('Via', () => {
  test('all parts, with space where the grammar allows it', () => {
    const via = parseVia('sip / 2.0 / tcp  [2001:db8::1] : 5061 ; branch = z9hG4bK1;rport;alias');
    expect(via).toMatchObject({
      transport: 'TCP',
      host: '[2001:db8::1]',
      port: 5061,
      branch: 'z9hG4bK1',
      received: undefined,
      rport: true,
    });
    expect(via.params.get('alias')).toBe('');
  });

  test('RFC 5118: received with and without brackets', () => {
    const values = ['2001:db8::9:255', '[2001:db8::9:255]'];
    const received = values.map((value) => parseVia(`SIP/2.0/UDP h;received=${value}`).received);
    expect(received).toEqual(['2001:db8::9:255', '2001:db8::9:255']);
    expect(parseVia('SIP/2.0/UDP h;rport=5061').rport).toBe(5061);
  });

  test.each([
    '',
    'SIP/2.0/UDP',
    'SIP/2.0 h',
    'SIP/1.0/UDP h',
    'SIP/2.0/UDP h:0',
    'SIP/2.0/UDP h x',
  ])('%j is no Via', (value) => {
    expect(codeOf(() => parseVia(value))).toBe('SIP_VIA');
  });

  test.each([
    ['SIP/2.0/UDP 192.0.2.1;branch=b', 'SIP/2.0/UDP 192.0.2.1;branch=b'],
    ['SIP/2.0/UDP [2001:DB8::1];branch=b', 'SIP/2.0/UDP [2001:DB8::1];branch=b;received=192.0.2.1'],
    ['SIP/2.0/UDP h;branch=b', 'SIP/2.0/UDP h;branch=b;received=192.0.2.1'],
    [
      'SIP/2.0/UDP 192.0.2.1;rport;branch=b',
      'SIP/2.0/UDP 192.0.2.1;branch=b;received=192.0.2.1;rport=9',
    ],
    [
      'SIP/2.0/UDP 192.0.2.1 ;x="a;received=1" ;received=6.6.6.6',
      'SIP/2.0/UDP 192.0.2.1 ;x="a;received=1" ;received=192.0.2.1',
    ],
  ])('TP-02: %s from 192.0.2.1:9', (value, expected) => {
    const marked = viaWithSource(value, { address: '192.0.2.1', port: 9 });
    expect(marked.replace(/ ;/g, ';')).toBe(expected.replace(/ ;/g, ';'));
    expect(parseVia(marked).host).toBe(parseVia(value).host);
  });
});

test('CSeq', () => {
  expect(parseCseq(' 0009 \t INVITE')).toEqual({ number: 9, method: 'INVITE' });
  const bad = ['', '1', '-1 A', '2147483648 A', '1 A B', '1 (', '1A'];
  expect(bad.map((value) => codeOf(() => parseCseq(value)))).toEqual(bad.map(() => 'SIP_CSEQ'));
});

describe('media types', () => {
  test('type in lower case, parameters unquoted', () => {
    const { type, params } = parseContentType('Multipart/Mixed ; Boundary="a;b"');
    expect([type, params.get('boundary')]).toEqual(['multipart/mixed', 'a;b']);
    const bad = ['', 'text', 'text/', '/plain', 'a b/c', 'text/plain x'];
    expect(bad.map((value) => codeOf(() => parseContentType(value)))).toEqual(
      bad.map(() => 'SIP_CONTENT_TYPE'),
    );
  });

  test.each([
    [['text/plain'], true],
    [['TEXT/*, message/cpim'], true],
    [['*/*'], true],
    [['message/cpim'], false],
    [['*/*, text/plain;q=0'], false],
    [['text/*;q=0.0', 'text/plain;q=0.1'], true],
    [['nonsense', 'text/plain'], true],
    [[], false],
  ])('Accept %j admits text/plain: %s', (values, expected) => {
    expect(acceptsType(values, 'text/plain')).toBe(expected);
  });
});

describe('Date', () => {
  test('is read and written as RFC 1123', () => {
    const at = Date.UTC(2026, 10, 20, 9, 0, 5);
    expect(formatSipDate(at)).toBe('Fri, 20 Nov 2026 09:00:05 GMT');
    expect(parseSipDate('Fri, 20 Nov 2026 09:00:05 GMT')).toBe(at);
    expect(parseSipDate(' Thu, 29 Feb 2024 23:59:59 GMT ')).toBe(Date.UTC(2024, 1, 29, 23, 59, 59));
  });

  test.each([
    '',
    'Fri, 20 Nov 2026 09:00:05 UTC',
    'Fri, 20 Nov 2026 09:00:05 +0100',
    'Fri, 31 Jun 2026 09:00:05 GMT',
    'Fri, 00 Jun 2026 09:00:05 GMT',
    'Fri, 20 Xyz 2026 09:00:05 GMT',
    'Fri, 20 Nov 2026 24:00:05 GMT',
    'Fri, 20 Nov 0026 09:00:05 GMT',
    '2026-11-20T09:00:05Z',
    '9',
  ])('%j is no date', (value) => {
    expect(parseSipDate(value)).toBeUndefined();
  });
});

test('digits', () => {
  const values = ['0', '0070', '4294967295', '4294967296', '-1', '1.5', '', 'x', '9'.repeat(400)];
  expect(values.map((value) => parseDigits(value))).toEqual([
    0,
    70,
    4294967295,
    ...Array<undefined>(6).fill(undefined),
  ]);
  expect(parseDigits(undefined)).toBeUndefined();
  expect([parseDigits('255', 255), parseDigits('256', 255)]).toEqual([255, undefined]);
});

test('Warning', () => {
  const warning = { code: 399, agent: 'h.example', text: 'say "no" \\ 127' };
  expect(formatWarning(warning)).toBe('399 h.example "say \\"no\\" \\\\ 127"');
  expect(parseWarning(formatWarning(warning))).toEqual(warning);
  expect(['', '1812 h "x"', '399 h x', '399 "x"'].map(parseWarning)).toEqual(
    Array<undefined>(4).fill(undefined),
  );
});
