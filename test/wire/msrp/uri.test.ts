/** MSRP URIs, identifiers and lists of types. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { acceptsType, acceptsWrapped } from '../../../src/wire/msrp/accept-types.js';
import { isIdent, isMessageId, outerMessageId } from '../../../src/wire/msrp/ident.js';
import {
  formatMsrpUri,
  isMsrpUri,
  parseMsrpUri,
  sameMsrpUri,
  sessionIdOf,
} from '../../../src/wire/msrp/uri.js';
import { codeOf } from '../vectors.js';

describe('MSRP URI', () => {
  test('MSRP-10: its parts', () => {
    expect(parseMsrpUri('msrps://nia@[2001:db8::1]:2855/aB/=+;TCP;x=y;z')).toEqual({
      secure: true,
      userinfo: 'nia',
      host: '[2001:db8::1]',
      port: 2855,
      sessionId: 'aB/=+',
      transport: 'tcp',
      parameters: ['x=y', 'z'],
    });
    expect(parseMsrpUri('msrp://h;tcp')).toEqual({
      ...{ secure: false, host: 'h', transport: 'tcp', parameters: [] },
    });
  });

  test.each([
    '',
    'sip:a@h',
    'msrp://h',
    'msrp://h/s',
    'msrp:///s;tcp',
    'msrp://h:/s;tcp',
    'msrp://h:65536/s;tcp',
    'msrp://h:123456/s;tcp',
    'msrp://h:1/s s;tcp',
    'msrp://h:1/s;tcp;',
    'msrp://[::1/s;tcp',
    ' msrp://h:1/s;tcp',
    'msrp://h:1/s;tcp\r\n',
  ])('MSRP-10: %j is none', (text) => {
    expect(codeOf(() => parseMsrpUri(text))).toBe('MSRP_URI');
    expect(sessionIdOf(text)).toBeUndefined();
  });

  test.each<[string, string, boolean]>([
    ['msrp://h:1/s;tcp', 'MSRP://H:1/s;TCP', true],
    ['msrp://h:1/s;tcp', 'msrp://nia@h:1/s;tcp', true],
    ['msrp://h:1/s;tcp', 'msrp://h:1/s;tcp;x=y', true],
    ['msrp://h:1/s;tcp', 'msrp://h:1/S;tcp', false],
    ['msrp://h:1/s;tcp', 'msrp://h:2/s;tcp', false],
    ['msrp://h:2855/s;tcp', 'msrp://h/s;tcp', false],
    ['msrp://h:1/s;tcp', 'msrps://h:1/s;tcp', false],
    ['msrp://h:1/s;tcp', 'msrp://h:1/s;ws', false],
    ['msrp://h:1/s;tcp', 'msrp://h:1;tcp', false],
  ])('MSRP-10: %s and %s: %j', (a, b, same) => {
    expect(sameMsrpUri(parseMsrpUri(a), parseMsrpUri(b))).toBe(same);
  });

  test('SDP-09: the session-id', () => {
    expect(sessionIdOf('msrp://h:1/s-1;tcp')).toBe('s-1');
    expect(sessionIdOf('msrp://h:1;tcp')).toBeUndefined();
    expect(sessionIdOf('msrp://h:1/;tcp')).toBeUndefined();
  });

  test('what is written is what is parsed', () => {
    const uri = fc.record(
      {
        secure: fc.boolean(),
        userinfo: fc.stringMatching(/^[a-z.]{1,9}$/),
        host: fc.constantFrom('h', 'h.example.org', '192.0.2.1', '[2001:db8::1]'),
        port: fc.nat(65535),
        sessionId: fc.stringMatching(/^[A-Za-z0-9.~_+=/-]{1,9}$/),
        transport: fc.constantFrom('tcp', 'ws'),
        parameters: fc.array(fc.stringMatching(/^[a-z]{1,3}(=[a-z]{1,3})?$/)),
      },
      { requiredKeys: ['secure', 'host', 'transport', 'parameters'] },
    );
    fc.assert(
      fc.property(uri, (given) => {
        expect(parseMsrpUri(formatMsrpUri(given))).toEqual(given);
      }),
    );
  });

  test('any text is a URI or a WireError', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(codeOf(() => parseMsrpUri(`msrp://${text}`)) === undefined).toBe(
          isMsrpUri(`msrp://${text}`),
        );
      }),
    );
  });
});

describe('identifiers', () => {
  test('MSRP-02, MSRP-03: 4 to 32 characters', () => {
    expect(['abcd', 'a'.repeat(32), '1.-+%='].map(isIdent)).toEqual([true, true, true]);
    const others = ['abc', 'a'.repeat(33), '.abc', 'ab@cd', 'sip:7@h', 'ab cd', 'abcd\n'];
    expect(others.map(isIdent)).toEqual(others.map(() => false));
  });

  test('MSRP-03: of a peer’s Message-ID only the characters count', () => {
    expect(['m1', '.a', 'a'.repeat(64)].map(isMessageId)).toEqual([true, true, true]);
    expect(['', 'a'.repeat(65), 'sip:7@h', 'a b', 'a\n'].map(isMessageId)).toEqual(
      Array<boolean>(5).fill(false),
    );
  });

  test('D-05: the outer Message-ID is a token, the same every time, another for another id', () => {
    const serial = fc.nat(Number.MAX_SAFE_INTEGER);
    fc.assert(
      fc.property(serial, serial, fc.domain(), (a, b, host) => {
        expect(isIdent(outerMessageId(a, host))).toBe(true);
        expect(outerMessageId(a, host)).toBe(outerMessageId(a, host.toUpperCase()));
        expect(outerMessageId(a, host) === outerMessageId(b, host)).toBe(a === b);
      }),
    );
    expect(outerMessageId(70000001, 's07.poste.example.net')).toMatch(/^d70000001\.[a-z2-7]{7}$/);
    expect(outerMessageId(1, 's07.poste.example.net')).not.toBe(
      outerMessageId(1, 's08.poste.example.net'),
    );
  });
});

describe('accept-types', () => {
  test.each<[string, string, boolean]>([
    ['*', 'message/sip', true],
    ['message/*', 'message/sip;version=2.0', true],
    ['text/plain message/CPIM', 'Message/cpim', true],
    ['text/plain;charset=utf-8', 'text/plain', true],
    ['text/*', 'message/sip', false],
    ['text/plain', 'text/html', false],
    ['message/sip', 'message/sipfrag', false],
    ['', 'text/plain', false],
    ['*', 'nonsense', false],
    ['*', '/x', false],
  ])('MSRP-30: %j and %s: %j', (types, type, accepted) => {
    expect(acceptsType(types.split(' '), type)).toBe(accepted);
  });

  test('MSRP-30: wrapped types count inside a container that is accepted only', () => {
    const media = {
      acceptTypes: ['message/cpim', 'text/html'],
      acceptWrappedTypes: ['text/plain'],
    };
    expect(acceptsType(media.acceptTypes, 'text/plain')).toBe(false);
    expect(acceptsWrapped(media, 'message/cpim', 'text/plain')).toBe(true);
    expect(acceptsWrapped(media, 'message/cpim', 'text/html')).toBe(true);
    expect(acceptsWrapped(media, 'message/cpim', 'image/png')).toBe(false);
    expect(acceptsWrapped(media, 'multipart/mixed', 'text/plain')).toBe(false);
  });
});
