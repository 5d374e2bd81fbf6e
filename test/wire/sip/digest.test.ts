import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WireError } from '../../../src/wire/error.js';
import {
  formatAuthenticationInfo,
  formatChallenge,
  formatCredentials,
  parseAuthenticationInfo,
  parseChallenge,
  parseCredentials,
} from '../../../src/wire/sip/digest.js';

describe('WWW-Authenticate and Proxy-Authenticate', () => {
  test('RFC 3261 20.27: a challenge of RFC 2617 is read', () => {
    const value =
      'Digest realm="atlanta.com", domain="sip:boxesbybob.com", qop="auth", ' +
      'nonce="f84f1cec41e6cbe5aea9c8e88d359", opaque="", stale=FALSE, algorithm=MD5';
    expect(parseChallenge(value)).toEqual({
      realm: 'atlanta.com',
      nonce: 'f84f1cec41e6cbe5aea9c8e88d359',
      algorithm: 'MD5',
      qop: ['auth'],
      opaque: '',
    });
  });

  test('AUTH-01: without algorithm it is MD5, without qop it is of RFC 2069', () => {
    const value = 'digest  nonce="n" ,REALM = "a \\"quoted\\" realm",, Stale = true';
    expect(parseChallenge(value)).toEqual({
      realm: 'a "quoted" realm',
      nonce: 'n',
      algorithm: 'MD5',
      qop: [],
      stale: true,
    });
  });

  test('AUTH-01: an unknown qop option is kept beside those we know', () => {
    const value = 'Digest realm="r", nonce="n", qop="auth, Auth-Int ,token", userhash=true';
    expect(parseChallenge(value)).toMatchObject({
      qop: ['auth', 'auth-int', 'token'],
      userhash: true,
    });
  });

  test('AUTH-01: another scheme is no challenge of ours', () => {
    expect(parseChallenge('Basic realm="r"')).toBeUndefined();
    expect(parseChallenge('Digestive realm="r"')).toBeUndefined();
    expect(parseCredentials('Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==')).toBeUndefined();
  });

  test('AUTH-02: what has to be quoted is, what must not be is not', () => {
    const text = formatChallenge({
      realm: 'poste.example.org',
      nonce: 'abc',
      algorithm: 'SHA-256',
      qop: ['auth', 'auth-int'],
      stale: true,
    });
    expect(text).toBe(
      'Digest realm="poste.example.org", nonce="abc", algorithm=SHA-256, ' +
        'qop="auth,auth-int", stale=true',
    );
  });
});

describe('Authorization and Proxy-Authorization', () => {
  const value =
    'Digest username="bob", realm="biloxi.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", ' +
    'uri="sip:bob@biloxi.com", qop=auth, nc=0000000A, cnonce="0a4f113b", ' +
    'response="6629FAE49393A05397450978507C4EF1", opaque="5ccc069c403ebaf9f0171e9517f40e41"';

  test('RFC 3261 22.4: credentials are read', () => {
    expect(parseCredentials(value)).toEqual({
      username: 'bob',
      realm: 'biloxi.com',
      nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
      uri: 'sip:bob@biloxi.com',
      response: '6629fae49393a05397450978507c4ef1',
      algorithm: 'MD5',
      qop: 'auth',
      nc: '0000000a',
      cnonce: '0a4f113b',
      opaque: '5ccc069c403ebaf9f0171e9517f40e41',
    });
  });

  test('AUTH-02: uri is quoted; qop, nc and algorithm are not', () => {
    const text = formatCredentials({
      username: 'bob',
      realm: 'biloxi.com',
      nonce: 'n',
      uri: 'sip:biloxi.com',
      response: 'ab',
      algorithm: 'SHA-256',
      qop: 'auth',
      nc: '00000001',
      cnonce: 'c',
    });
    expect(text).toBe(
      'Digest username="bob", realm="biloxi.com", nonce="n", uri="sip:biloxi.com", ' +
        'response="ab", algorithm=SHA-256, qop=auth, cnonce="c", nc=00000001',
    );
  });

  test('RFC 7616 3.9.2: username* is read', () => {
    const text =
      "Digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, realm=r, nonce=n, uri=u, response=a";
    expect(parseCredentials(text)?.username).toBe('Jäsøn Doe');
  });

  const rest = 'realm="r", nonce="n", uri="sip:r", response="ab"';
  test.each([
    ['no username', `Digest ${rest}`],
    ['no realm', 'Digest username="u", nonce="n", uri="sip:r", response="ab"'],
    ['no nonce', 'Digest username="u", realm="r", uri="sip:r", response="ab"'],
    ['no uri', 'Digest username="u", realm="r", nonce="n", response="ab"'],
    ['no response', 'Digest username="u", realm="r", nonce="n", uri="sip:r"'],
    [
      'a response that is not hexadecimal',
      'Digest username=u, realm=r, nonce=n, uri=u, response=x',
    ],
    ['nothing but the scheme', 'Digest'],
    ['a parameter twice', `Digest username="u", username="v", ${rest}`],
    ['two names', `Digest username="u", username*=UTF-8''v, ${rest}`],
    ['a hashed username*', `Digest username*=UTF-8''v, userhash=true, ${rest}`],
    ['username* in another charset', `Digest username*=ISO-8859-1''v, ${rest}`],
    ['username* cut off', `Digest username*=UTF-8''%C3%, ${rest}`],
    ['username* that is no UTF-8', `Digest username*=UTF-8''%C3, ${rest}`],
    ['qop without nc', `Digest username="u", qop=auth, cnonce="c", ${rest}`],
    ['qop without cnonce', `Digest username="u", qop=auth, nc=00000001, ${rest}`],
    ['a short nc', `Digest username="u", qop=auth, nc=1, cnonce="c", ${rest}`],
    ['an open quote', `Digest ${rest}, username="u`],
    ['a missing comma', `Digest username="u" ${rest}`],
    ['a name without value', `Digest username, ${rest}`],
    ['an empty value', `Digest username=, ${rest}`],
    ['a value without name', `Digest ="u", ${rest}`],
  ])('AUTH-02: %s is refused', (_name, text) => {
    expect(() => parseCredentials(text)).toThrow(
      expect.objectContaining({ code: 'SIP_DIGEST', status: 400 }),
    );
  });
});

describe('Authentication-Info', () => {
  test('RFC 7616 3.5: is read and written', () => {
    const value = 'nextnonce="next", qop=auth, rspauth="ab01", cnonce="c", nc=00000002';
    const info = { nextnonce: 'next', qop: 'auth', rspauth: 'ab01', cnonce: 'c', nc: '00000002' };
    expect(parseAuthenticationInfo(value)).toEqual(info);
    expect(formatAuthenticationInfo(info)).toBe(value);
    expect(parseAuthenticationInfo('nextnonce="n"')).toEqual({ nextnonce: 'n' });
    expect(() => parseAuthenticationInfo('rspauth="no"')).toThrow(WireError);
  });
});

describe('properties', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 24 });
  const option = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
  const present = (record: object): object =>
    Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));

  test('AUTH-02: what is written is read as the same credentials', () => {
    const credentials = fc.record({
      username: text,
      realm: text,
      nonce: text,
      uri: text,
      response: fc.stringMatching(/^[0-9a-f]{32}$/),
      algorithm: fc.constantFrom('MD5', 'SHA-256', 'SHA-512-256-sess'),
      opaque: option(text),
      userhash: option(fc.constant(true as const)),
      protection: option(fc.record({ cnonce: text, nc: fc.stringMatching(/^[0-9a-f]{8}$/) })),
    });
    fc.assert(
      fc.property(credentials, ({ protection, ...rest }) => {
        const made = present({ ...rest, ...(protection && { ...protection, qop: 'auth' }) });
        const written = formatCredentials(made as Parameters<typeof formatCredentials>[0]);
        expect(parseCredentials(written)).toEqual(made);
      }),
    );
  });

  test('AUTH-02: any text is read or refused with a code', () => {
    const tokens = fc.constantFrom('realm', '=', '"', '\\', ',', ' ', 'nonce', 'n', '=n', '*');
    const anything = fc.oneof(
      fc.string(),
      fc.array(tokens).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(anything, (value) => {
        for (const read of [parseChallenge, parseCredentials, parseAuthenticationInfo]) {
          try {
            read(`Digest ${value}`);
          } catch (error) {
            expect(error).toBeInstanceOf(WireError);
          }
        }
      }),
    );
  });

  test('AUTH-02: the time to read grows with the length and no faster', () => {
    const time = (size: number): number => {
      const value = `Digest ${'a="\\"",'.repeat(size)}${', '.repeat(size)}`;
      const before = performance.now();
      expect(() => parseCredentials(value)).toThrow(WireError);
      const many = `Digest ${Array.from({ length: size }, (_, n) => `p${n}=v`).join(',')}`;
      expect(() => parseCredentials(many)).toThrow(WireError);
      return performance.now() - before;
    };
    time(2_000);
    // Quadratic work takes 256 times as long in every attempt; a busy machine does not disturb all.
    let least = Infinity;
    for (let attempt = 0; attempt < 12 && least >= 64; attempt++) {
      least = Math.min(least, time(64_000) / Math.max(time(4_000), 2));
    }
    expect(least).toBeLessThan(64);
  });
});
