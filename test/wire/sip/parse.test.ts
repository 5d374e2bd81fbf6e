/** Reading one SIP message out of a datagram. */

import { describe, expect, test } from 'vitest';
import { WireError } from '../../../src/wire/error.js';
import { parseSip, salvageRequest } from '../../../src/wire/sip/parse.js';
import { codeOf, MANDATORY, messageBytes, request, response, withBody } from './message.js';

describe('TP-07: header fields', () => {
  test('compact forms are found by their long names', () => {
    const message = request(
      withBody([
        'MESSAGE sip:b@h SIP/2.0',
        'v: SIP/2.0/UDP a;branch=z9hG4bK1',
        'f: <sip:a@h>;tag=1',
        't: <sip:b@h>',
        'i: id',
        'CSeq: 1 MESSAGE',
        'c: text/plain',
        'm: <sip:a@x>',
        's: Keys',
        'k: timer',
        'e: gzip',
        'o: message-summary',
        'u: presence',
        'a: *;+g.oma.sip-im',
        'r: <sip:c@h>',
        'b: <sip:d@h>',
        'x: 1800',
      ]),
    );
    const names = ['Via', 'From', 'To', 'Call-ID', 'Content-Type', 'Contact', 'Subject'];
    expect(names.map((name) => message.header(name))).toEqual([
      'SIP/2.0/UDP a;branch=z9hG4bK1',
      '<sip:a@h>;tag=1',
      '<sip:b@h>',
      'id',
      'text/plain',
      '<sip:a@x>',
      'Keys',
    ]);
    expect(message.header('Supported')).toBe('timer');
    expect(message.header('Content-Encoding')).toBe('gzip');
    expect(message.header('Event')).toBe('message-summary');
    expect(message.header('Allow-Events')).toBe('presence');
    expect(message.header('Accept-Contact')).toBe('*;+g.oma.sip-im');
    expect(message.header('Refer-To')).toBe('<sip:c@h>');
    expect(message.header('Referred-By')).toBe('<sip:d@h>');
    expect(message.header('Session-Expires')).toBe('1800');
  });

  test('RFC 4475 wsinv style: folds, space around the colon, any case', () => {
    const message = request(
      messageBytes(['sUbJeCt \t :\r\n one\r\n\t  two  ', 'X-Own :value', 'x-OWN:', 'X-Own: \t']),
    );
    expect(message.header('SUBJECT')).toBe('one two');
    expect(message.fields('x-own')).toEqual(['value', '', '']);
  });

  test('lists run over lines and respect quotes and brackets', () => {
    const message = request(
      messageBytes([
        'Contact: "a, b" <sip:a@h;x=1>;q=1, <sip:b@h?Subject=1,2>',
        'Contact: "say \\"no, no\\"" <sip:c@h>,,<sip:d@h>',
      ]),
    );
    expect(message.list('contact')).toEqual([
      '"a, b" <sip:a@h;x=1>;q=1',
      '<sip:b@h?Subject=1,2>',
      '"say \\"no, no\\"" <sip:c@h>',
      '<sip:d@h>',
    ]);
    expect(message.fields('contact')).toHaveLength(2);
    expect(message.list('route')).toEqual([]);
  });

  test('names of properties are names like others', () => {
    const message = request(messageBytes(['__proto__: 1', 'constructor: 2']));
    expect(message.header('__proto__')).toBe('1');
    expect(message.header('constructor')).toBe('2');
    expect(message.header('toString')).toBeUndefined();
  });

  test('all() keeps names, order and UTF-8', () => {
    const message = request(messageBytes(['s: Schlüssel', 'X-a: 1']));
    expect(message.all().slice(5)).toEqual([
      ['s', 'Schlüssel'],
      ['X-a', '1'],
      ['Content-Length', '0'],
    ]);
  });

  test('a name that shares length and hash slot with a known one stays its own', () => {
    const message = request(messageBytes(['X-From: 1', 'Fromm: 2', 'Vib: 3']));
    expect(message.fields('from')).toEqual(['<sip:nia@example.com>;tag=n1a']);
    expect(message.header('vib')).toBe('3');
  });
});

describe('TP-03: the end of a datagram', () => {
  test('body is a view of exactly Content-Length octets', () => {
    const bytes = Buffer.concat([
      messageBytes([], Buffer.from([0, 255, 13, 10])),
      Buffer.from('x'),
    ]);
    const message = parseSip(bytes);
    expect([...message.body]).toEqual([0, 255, 13, 10]);
    expect(message.body.buffer).toBe(bytes.buffer);
    expect(message.bytes.length).toBe(bytes.length - 1);
  });

  test('a shorter datagram is 400 SIP_TRUNCATED and can be answered', () => {
    const bytes = messageBytes([], 'hello').subarray(0, -1);
    const error = errorOf(bytes);
    expect([error.code, error.status]).toEqual(['SIP_TRUNCATED', 400]);
    expect(salvageRequest(bytes)?.header('call-id')).toBe('c5d1f@ua.example.com');
  });

  test('without Content-Length the rest is the body', () => {
    const head = ['MESSAGE sip:b@h SIP/2.0', ...MANDATORY, 'CSeq: 3 MESSAGE', '', 'rest'];
    expect(parseSip(Buffer.from(head.join('\r\n'))).body.toString()).toBe('rest');
  });

  test('line ends before the start line are skipped', () => {
    const message = parseSip(Buffer.concat([Buffer.from('\r\n\r\n'), messageBytes([], 'x')]));
    expect(message.bytes.toString('latin1', 0, 7)).toBe('MESSAGE');
    expect(message.body.toString()).toBe('x');
  });
});

describe('start line', () => {
  test.each([
    ['MESSAGE sip:b@h SIP/3.0', 'SIP_VERSION', 505],
    ['MESSAGE sip:b@h SIP/2.01', 'SIP_VERSION', 505],
    ['MESSAGE sip:b@h SIP/x', 'SIP_START_LINE', 400],
    ['MESSAGE  sip:b@h SIP/2.0', 'SIP_START_LINE', 400],
    ['MESSAGE sip:b@h SIP/2.0 ', 'SIP_START_LINE', 400],
    ['MESSAGE sip:b@h', 'SIP_START_LINE', 400],
    ['MESSAGE b@h SIP/2.0', 'SIP_REQUEST_URI', 400],
    ['MESSAGE sip: SIP/2.0', 'SIP_REQUEST_URI', 400],
    ['ME(SSAGE sip:b@h SIP/2.0', 'SIP_START_LINE', 400],
  ])('%s is %s', (line, code, status) => {
    const error = errorOf(withBody([line, ...MANDATORY, 'CSeq: 3 MESSAGE']));
    expect([error.code, error.status]).toEqual([code, status]);
  });

  test.each([
    ['SIP/2.0 200 OK', 200, 'OK'],
    ['sip/2.0 603 Declined here', 603, 'Declined here'],
    ['SIP/2.0 100 ', 100, ''],
    ['SIP/2.0 100', 100, ''],
  ])('%s is a response', (line, status, reason) => {
    const message = response(withBody([line, ...MANDATORY, 'CSeq: 3 MESSAGE']));
    expect([message.status, message.reason]).toEqual([status, reason]);
  });

  test.each(['SIP/2.0 99 x', 'SIP/2.0 700 x', 'SIP/2.0 20 x', 'SIP/2.0 2000 x', 'SIP/2.0  200 x'])(
    '%s has no status code',
    (line) => {
      const bytes = withBody([line, ...MANDATORY, 'CSeq: 3 MESSAGE']);
      expect(errorOf(bytes).code).toBe('SIP_STATUS_CODE');
      expect(salvageRequest(bytes)).toBeUndefined();
    },
  );
});

test('a control character in the reason phrase is refused', () => {
  const bytes = withBody(['SIP/2.0 200 O\0K', ...MANDATORY, 'CSeq: 3 MESSAGE']);
  expect(errorOf(bytes).code).toBe('SIP_START_LINE');
});

describe('mandatory and single-value fields', () => {
  const lines = [...MANDATORY, 'CSeq: 3 MESSAGE'];

  test.each(lines)('without "%s": SIP_MISSING_HEADER', (missing) => {
    const kept = lines.filter((line) => line !== missing);
    const bytes = withBody(['MESSAGE sip:b@h SIP/2.0', ...kept]);
    expect(errorOf(bytes).code).toBe('SIP_MISSING_HEADER');
    expect(salvageRequest(bytes)).toBeUndefined();
  });

  test.each(['f: <sip:x@h>', 'To: <sip:x@h>', 'i: 2', 'CSeq: 3 MESSAGE', 'l: 0', 'Expires: 1'])(
    '"%s" a second time: SIP_DUPLICATE_HEADER',
    (line) => {
      const bytes = messageBytes(['Expires: 1', line]);
      expect(errorOf(bytes).code).toBe('SIP_DUPLICATE_HEADER');
      expect(salvageRequest(bytes)?.method).toBe('MESSAGE');
    },
  );

  test.each([
    ['1 INVITE', 'SIP_CSEQ'],
    ['1 message', 'SIP_CSEQ'],
    ['2147483648 MESSAGE', 'SIP_CSEQ'],
    ['2147483647 MESSAGE', 'no error'],
    ['0009 \t MESSAGE', 'no error'],
    ['MESSAGE', 'SIP_CSEQ'],
    ['1MESSAGE', 'SIP_CSEQ'],
    ['', 'SIP_CSEQ'],
  ])('CSeq "%s": %s', (value, code) => {
    const bytes = withBody(['MESSAGE sip:b@h SIP/2.0', ...MANDATORY, `CSeq: ${value}`]);
    expect(codeOf(() => parseSip(bytes))).toBe(code);
  });

  test('SIP-10: Max-Forwards may be missing, 0 to 255, nothing else', () => {
    const values = ['0', '255', '0070', '256', '-1', 'x', ''];
    const codes = values.map((value) =>
      codeOf(() => parseSip(messageBytes([`Max-Forwards: ${value}`]))),
    );
    const bad = 'SIP_MAX_FORWARDS';
    expect(codes).toEqual(['no error', 'no error', 'no error', bad, bad, bad, bad]);
    expect(codeOf(() => parseSip(messageBytes([])))).toBe('no error');
  });
});

describe('hostile octets', () => {
  test.each([
    ['a bare carriage return', 'Subject: a\rX: b', 'SIP_LINE_END'],
    ['a bare line feed', 'Subject: a\nX: b', 'SIP_LINE_END'],
    ['NUL', 'Subject: \0', 'SIP_HEADER'],
    ['DEL', 'Subject: \x7f', 'SIP_HEADER'],
    ['no colon', 'Subject', 'SIP_HEADER'],
    ['a space in the name', 'Sub ject: x', 'SIP_HEADER'],
    ['no name', ': x', 'SIP_HEADER'],
  ])('%s is refused', (_name, line, code) => {
    expect(errorOf(messageBytes([line])).code).toBe(code);
  });

  test('a fold before the first field is refused', () => {
    const lines = ['MESSAGE sip:b@h SIP/2.0', ' folded', ...MANDATORY, 'CSeq: 3 MESSAGE'];
    expect(errorOf(withBody(lines)).code).toBe('SIP_HEADER');
  });

  test('nothing is salvaged whose values would break the response', () => {
    const lines = ['MESSAGE sip:b@h SIP/2.0', ...MANDATORY, 'CSeq: 3 MESSAGE'];
    const bytes = withBody(lines.map((line) => line.replace('Call-ID: ', 'Call-ID: a\rX: y')));
    expect(errorOf(bytes).code).toBe('SIP_LINE_END');
    expect(salvageRequest(bytes)).toBeUndefined();
  });

  test('ACK is never answered', () => {
    const bytes = withBody(['ACK sip:b@h SIP/2.0', ...MANDATORY, 'CSeq: 3 INVITE']);
    expect(errorOf(bytes).code).toBe('SIP_CSEQ');
    expect(salvageRequest(bytes)).toBeUndefined();
  });
});

describe('bounds', () => {
  test('header section, number of fields and body are bounded by 513', () => {
    const long = messageBytes([`Subject: ${'x'.repeat(2_000)}`], 'body');
    const codes = [{ headerBytes: 1_000 }, { headerFields: 6 }, { bodyBytes: 3 }].map((limits) => {
      const error = errorOf(long, limits);
      return [error.code, error.status];
    });
    expect(codes).toEqual([
      ['SIP_HEADER_TOO_LONG', 513],
      ['SIP_TOO_MANY_FIELDS', 513],
      ['SIP_BODY_TOO_LARGE', 513],
    ]);
    const fits = { headerBytes: long.length - 4, headerFields: 7, bodyBytes: 4 };
    expect(parseSip(long, fits).body.toString()).toBe('body');
  });
});

function errorOf(bytes: Buffer, limits = {}): WireError {
  try {
    parseSip(bytes, limits);
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
  throw new Error('the message was accepted');
}
