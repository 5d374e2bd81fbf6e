/** message/sipfrag and message/sip. */

import { describe, expect, test } from 'vitest';
import { parseSip } from '../../../src/wire/sip/parse.js';
import { maskedSip, parseSipfrag, sipfragOf } from '../../../src/wire/sip/sipfrag.js';
import { codeOf, messageBytes, request } from './message.js';

const body = Buffer.from([0x68, 0xff, 0x00, 0x0d, 0x0a]);
const stored = request(
  messageBytes(
    [
      'Route: <sip:as;lr>,',
      ' <sip:scscf;lr>',
      'Authorization: Digest username="nia",',
      '  response="secret"',
      'P-Asserted-Identity: <sip:nia@example.com>',
      'P-Asserted-Identity: <tel:+1>',
      'Privacy: id;critical',
      'Record-Route: <sip:scscf;lr>',
      's : Schlüssel',
      'c: text/plain; charset=utf-8',
      'Content-Disposition: render',
      'X-Odd :   kept\t ',
    ],
    body,
  ),
);
const date = 'Fri, 20 Nov 2026 09:00:00 GMT';

describe('FRAG-01, D-48: message/sipfrag', () => {
  test('the pertinent fields in order, the empty line, the body octet for octet', () => {
    const fragment = sipfragOf(stored, { privacy: false, date });
    const head = [
      'From: <sip:nia@example.com>;tag=n1a',
      'To: <sip:tomas@example.net>',
      'Call-ID: c5d1f@ua.example.com',
      'CSeq: 3 MESSAGE',
      'P-Asserted-Identity: <sip:nia@example.com>',
      'P-Asserted-Identity: <tel:+1>',
      `Date: ${date}`,
      'Subject: Schlüssel',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Disposition: render',
      'Content-Length: 5',
      '',
      '',
    ].join('\r\n');
    expect(fragment).toEqual(Buffer.concat([Buffer.from(head), body]));
  });

  test('PAI-03: Privacy: id takes the asserted identity out', () => {
    expect(sipfragOf(stored, { privacy: true }).includes('P-Asserted')).toBe(false);
    const open = request(messageBytes(['P-Asserted-Identity: <sip:a@h>', 'Privacy: none']));
    expect(sipfragOf(open, { privacy: true }).includes('P-Asserted')).toBe(true);
  });

  test('the Date of the sender is kept', () => {
    const dated = request(messageBytes([`Date: ${date}`]));
    const text = sipfragOf(dated, { privacy: true, date: 'x' }).toString();
    expect(text.match(/^Date: .*$/gm)).toEqual([`Date: ${date}`]);
  });
});

describe('D-13: message/sip', () => {
  test('credentials masked, routes out, everything else octet for octet', () => {
    const expected = stored.bytes
      .toString('latin1')
      .replace('Route: <sip:as;lr>,\r\n <sip:scscf;lr>\r\n', '')
      .replace('Record-Route: <sip:scscf;lr>\r\n', '')
      .replace(/Digest[^]*?secret"/, 'Masked credentials="removed"');
    expect(maskedSip(stored).toString('latin1')).toBe(expected);
    expect(parseSip(maskedSip(stored)).body).toEqual(body);
  });

  test('the stored octets are not touched', () => {
    const before = Buffer.from(stored.bytes);
    maskedSip(stored, { privacy: true, date });
    expect(stored.bytes).toEqual(before);
  });

  test('Proxy-Authorization in any case is masked, privacy and Date as asked', () => {
    const message = request(
      messageBytes([
        'PROXY-authorization:Digest x',
        'Privacy: id',
        'P-Asserted-Identity: <sip:a@h>',
      ]),
    );
    const text = maskedSip(message, { privacy: true, date }).toString();
    expect(text).toContain('PROXY-authorization:Masked credentials="removed"\r\n');
    expect(text).not.toContain('P-Asserted-Identity');
    expect(text.endsWith(`Content-Length: 0\r\nDate: ${date}\r\n\r\n`)).toBe(true);
    expect(maskedSip(message).includes('P-Asserted-Identity')).toBe(true);
  });

  test('an empty credential field is masked as well, and nothing shifts', () => {
    const message = request(messageBytes(['Authorization:', 'X-A: 1'], 'b'));
    const masked = parseSip(maskedSip(message));
    expect(masked.header('authorization')).toBe('Masked credentials="removed"');
    expect([masked.header('x-a'), masked.body.toString()]).toEqual(['1', 'b']);
  });
});

describe('FRAG-01: reading a fragment', () => {
  test('what was written is read, body included', () => {
    const fragment = parseSipfrag(sipfragOf(stored, { privacy: false, date }));
    expect(fragment.startLine).toBeUndefined();
    expect(fragment.header('subject')).toBe('Schlüssel');
    expect(fragment.list('p-asserted-identity')).toEqual(['<sip:nia@example.com>', '<tel:+1>']);
    expect(fragment.body).toEqual(body);
  });

  test('a complete message is a fragment too', () => {
    const fragment = parseSipfrag(stored.bytes);
    expect(fragment.startLine).toBe('MESSAGE sip:tomas@example.net SIP/2.0');
    expect(fragment.header('call-id')).toBe('c5d1f@ua.example.com');
    expect(fragment.body).toEqual(body);
  });

  test.each([
    ['SIP/2.0 603 Declined', 'SIP/2.0 603 Declined', undefined, ''],
    ['SIP/2.0 200 OK\r\nTo: x', 'SIP/2.0 200 OK', 'x', ''],
    ['To: x', undefined, 'x', ''],
    ['To: x\n\nbody', undefined, 'x', 'body'],
    ['To: x\r\n\r\n', undefined, 'x', ''],
    ['t: x\r\nFrom: sip:a@b SIP/2.0\r\n', undefined, 'x', ''],
  ])('FRAG-02: %j, with or without its last line end', (text, startLine, to, rest) => {
    const fragment = parseSipfrag(Buffer.from(text));
    expect([fragment.startLine, fragment.header('to')]).toEqual([startLine, to]);
    expect(fragment.body.toString()).toBe(rest);
  });

  test('the number of fields is bounded', () => {
    const fragment = Buffer.from('X: y\r\n'.repeat(1_001));
    expect(codeOf(() => parseSipfrag(fragment))).toBe('SIP_TOO_MANY_FIELDS');
  });

  test.each(['', '\r\n', 'nonsense', '\r\nbody'])('%j is no fragment', (text) => {
    expect(codeOf(() => parseSipfrag(Buffer.from(text)))).toBe('SIP_FRAGMENT');
  });
});
