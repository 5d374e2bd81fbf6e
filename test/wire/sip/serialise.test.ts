/** SIP messages made into octets. */

import { describe, expect, test } from 'vitest';
import { reasonPhrase } from '../../../src/wire/sip/reason.js';
import { serialiseRequest, serialiseResponse } from '../../../src/wire/sip/serialise.js';
import { codeOf } from './message.js';

test('a request is its line, its fields, Content-Length and the body', () => {
  const bytes = serialiseRequest({
    method: 'MESSAGE',
    uri: 'sip:b@h',
    headers: [['Subject', 'Schlüssel']],
    body: Buffer.from([0, 1, 255]),
  });
  const head = 'MESSAGE sip:b@h SIP/2.0\r\nSubject: Schlüssel\r\nContent-Length: 3\r\n\r\n';
  expect(bytes).toEqual(Buffer.concat([Buffer.from(head), Buffer.from([0, 1, 255])]));
});

test('Content-Length is not added when it is there, in either form', () => {
  for (const name of ['CONTENT-length', 'l']) {
    const bytes = serialiseResponse({ status: 200, headers: [[name, '0']] });
    expect(bytes.toString()).toBe(`SIP/2.0 200 OK\r\n${name}: 0\r\n\r\n`);
  }
});

test('D-11: 603 is Declined; unknown codes have the phrase of their class', () => {
  expect([603, 202, 299, 499, 699].map(reasonPhrase)).toEqual([
    'Declined',
    'Accepted',
    'OK',
    'Request Failure',
    'Failure',
  ]);
});

describe('nothing breaks out of its place', () => {
  const request = { method: 'MESSAGE', uri: 'sip:b@h', headers: [] };

  test.each(['a\r\nX: y', 'a\rb', 'a\nb', 'a\0b'])('header value %j', (value) => {
    const parts = { ...request, headers: [['Subject', value] as const] };
    expect(codeOf(() => serialiseRequest(parts))).toBe('SIP_BAD_HEADER_VALUE');
  });

  test.each(['', 'a b', 'a:', 'a\r\n', 'ä'])('header name %j', (name) => {
    const parts = { ...request, headers: [[name, 'x'] as const] };
    expect(codeOf(() => serialiseRequest(parts))).toBe('SIP_BAD_HEADER_NAME');
  });

  test.each(['', 'sip:b@h SIP/2.0\r\nX: y', 'sip:b h', 'sip:b\t'])('Request-URI %j', (uri) => {
    expect(codeOf(() => serialiseRequest({ ...request, uri }))).toBe('SIP_BAD_URI');
  });

  test.each(['', 'A B', 'A\r\n'])('method %j', (method) => {
    expect(codeOf(() => serialiseRequest({ ...request, method }))).toBe('SIP_BAD_METHOD');
  });

  test('reason and status', () => {
    const reason = 'OK\r\nX: y';
    const codes = [
      codeOf(() => serialiseResponse({ status: 200, reason, headers: [] })),
      codeOf(() => serialiseResponse({ status: 99, headers: [] })),
      codeOf(() => serialiseResponse({ status: 700, headers: [] })),
      codeOf(() => serialiseResponse({ status: 200.5, headers: [] })),
    ];
    expect(codes).toEqual(['SIP_BAD_REASON', 'SIP_BAD_STATUS', 'SIP_BAD_STATUS', 'SIP_BAD_STATUS']);
  });
});
