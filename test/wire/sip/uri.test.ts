/** URIs: parts, comparison, canonical addresses of record. */

import { describe, expect, test } from 'vitest';
import { canonicalAor, formatUri, parseUri, uriEquals } from '../../../src/wire/sip/uri.js';
import { codeOf } from './message.js';

describe('parts', () => {
  test('every part of a SIP URI', () => {
    const text = 'SIPS:a%20b;x=1?:se,cret@[2001:DB8::1]:5061;Transport=TLS;lr?to=b%40c&Subject=';
    expect(parseUri(text)).toEqual({
      scheme: 'sips',
      user: 'a%20b;x=1?',
      password: 'se,cret',
      host: '[2001:DB8::1]',
      port: 5061,
      params: new Map([
        ['transport', 'TLS'],
        ['lr', ''],
      ]),
      headers: [
        ['to', 'b%40c'],
        ['Subject', ''],
      ],
    });
  });

  test.each([
    'sip:h',
    'sip:a@h:5060;lr;x=%41?a=b&c=d',
    'sip:[::1]:5060',
    'sip:a;b@h',
    'sip:p@h;lr;cookie=YWI=',
    'sip:user;par=u%40example.net@example.com',
    'tel:+1-201-555-0123;ext=1',
    'tel:7042;phone-context=example.com',
    'urn:service:sos',
    'mailto:a@b',
  ])('%s is formatted as it was written', (text) => {
    expect(formatUri(parseUri(text))).toBe(text);
  });

  test.each([
    '',
    'sip:',
    'sip:@h',
    'sip:a@',
    'sip:a@h:',
    'sip:a@h:70000',
    'sip:a@h:5o60',
    'sip:a b@h',
    'sip:a%zz@h',
    'sip:a@b@c',
    'sip:a@h;=1',
    'sip:a@h;x=1;X=2',
    'sip:a@h?x',
    'sip:a@-h',
    'sip:a@[::1',
    'sip:a@[zz]',
    'tel:',
    'tel:+',
    'tel:+1a',
    'tel:7042',
    'tel:7042;phone-context',
    'no scheme',
    'http:a b',
    '1a:b',
  ])('%j is no URI', (text) => {
    expect(codeOf(() => parseUri(text))).toBe('SIP_URI');
  });
});

describe('TP-06: RFC 3261 19.1.4, the table of equal URIs', () => {
  test.each([
    ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtlanTa.CoM;Transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;security=on'],
    ['sip:carol@chicago.com;newparam=5', 'sip:carol@chicago.com;security=on'],
    [
      'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
      'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
    ],
    [
      'sip:alice@atlanta.com?subject=project%20x&priority=urgent',
      'sip:alice@atlanta.com?priority=urgent&subject=project%20x',
    ],
  ])('%s = %s', (a, b) => {
    expect([uriEquals(a, b), uriEquals(b, a)]).toEqual([true, true]);
  });
});

describe('TP-06: RFC 3261 19.1.4, the table of unequal URIs', () => {
  test.each([
    ['SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:6000;transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting'],
    ['sip:bob@phone21.boxesbybob.com', 'sip:bob@192.0.2.4'],
    // Not transitive: both equal the URI without the parameter.
    ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;security=off'],
  ])('%s ≠ %s', (a, b) => {
    expect([uriEquals(a, b), uriEquals(b, a)]).toEqual([false, false]);
  });
});

describe('TP-06: the rules one by one', () => {
  test.each([
    ['sip:deferred@h', 'sip:Deferred@h', false],
    ['sip:a@h', 'sips:a@h', false],
    ['sip:a@h', 'sip:a:b@h', false],
    ['sip:a@h', 'sip:h', false],
    ['sip:a@h;user=phone', 'sip:a@h', false],
    ['sip:a@h;ttl=1', 'sip:a@h', false],
    ['sip:a@h;method=INVITE', 'sip:a@h', false],
    ['sip:a@h;maddr=1.2.3.4', 'sip:a@h', false],
    ['sip:a@h;lr', 'sip:a@h', true],
    ['sip:a@h;x=%41', 'sip:a@h;x=a', true],
    ['sip:a%3Bb@h', 'sip:a;b@h', false],
    ['sip:a%3bb@h', 'sip:a%3Bb@h', true],
    ['sip:a@[2001:DB8::1]', 'sip:a@[2001:db8::1]', true],
    ['sip:a@h;__proto__=1', 'sip:a@h;__proto__=2', false],
    ['sip:a@h?a=b&a=c', 'sip:a@h?a=c&a=b', true],
    ['sip:a@h?a=b', 'sip:a@h?a=b&a=b', false],
    ['URN:service:sos', 'urn:service:sos', true],
    ['urn:service:sos', 'urn:service:SOS', false],
    ['no uri', 'no uri', false],
    ['tel:+1', 'sip:+1@h', false],
  ])('%s, %s: %s', (a, b, equal) => {
    expect([uriEquals(a, b), uriEquals(b, a)]).toEqual([equal, equal]);
  });
});

describe('TEL-01: RFC 3966 4', () => {
  test.each([
    ['tel:+1-201-555-0123', 'tel:+1(201)555.0123', true],
    ['tel:+12015550123', 'TEL:+12015550123', true],
    ['tel:+1201', 'tel:1201;phone-context=+1', false],
    ['tel:7042;phone-context=Example.COM', 'tel:70-42;phone-context=example.com', true],
    ['tel:7042;phone-context=+1-2', 'tel:7042;phone-context=+12', true],
    ['tel:7042;phone-context=+1', 'tel:7042;phone-context=example.com', false],
    ['tel:+1;ext=1-2', 'tel:+1;EXT=12', true],
    ['tel:+1;ext=1', 'tel:+1', false],
    ['tel:+1;a=1;b=2', 'tel:+1;b=2;a=1', true],
    ['tel:+1;a=1', 'tel:+1;b=1', false],
    ['tel:aB12;phone-context=x', 'tel:Ab12;phone-context=x', true],
  ])('%s, %s: %s', (a, b, equal) => {
    expect([uriEquals(a, b), uriEquals(b, a)]).toEqual([equal, equal]);
  });
});

describe('canonical addresses of record', () => {
  test.each([
    ['sip:Bob@Example.ORG:5060;transport=tcp', 'Bob@example.org'],
    ['sips:%62ob@example.org', 'bob@example.org'],
    ['sip:a%40b@h', 'a%40b@h'],
    ['sip:a%2fb@h', 'a%2Fb@h'],
    ['sip:__proto__@h', '__proto__@h'],
    ['tel:+1-201-555-0123;ext=4', '+12015550123'],
    ['tel:70-42;phone-context=Example.org', '7042;phone-context=example.org'],
    ['sip:example.org', undefined],
    ['urn:service:sos', undefined],
    ['nonsense', undefined],
  ])('%s is %s', (uri, aor) => {
    expect(canonicalAor(uri)).toBe(aor);
  });
});
