import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  digestAlgorithm,
  digestHa1,
  digestResponse,
  digestUserhash,
} from '../../../src/wire/sip/digest-response.js';
import type { DigestHash, Hash } from '../../../src/wire/sip/digest-response.js';

const names = { 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256', MD5: 'md5' } as const;
const hash: Hash = (algorithm, data) => createHash(names[algorithm]).update(data).digest('hex');
const nothing = Buffer.alloc(0);

function responseOf(example: {
  readonly algorithm: string;
  readonly user: { readonly username: string; readonly realm: string; readonly password: string };
  readonly method: string;
  readonly uri: string;
  readonly nonce: string;
  readonly qop?: string;
  readonly nc?: string;
  readonly cnonce?: string;
  readonly body?: Buffer;
}): string {
  const algorithm = digestAlgorithm(example.algorithm)!;
  const ha1 = digestHa1(hash, algorithm.hash, example.user);
  return digestResponse(hash, { ...example, ...algorithm, ha1, body: example.body ?? nothing });
}

const mufasa = {
  user: { username: 'Mufasa', realm: 'http-auth@example.org', password: 'Circle of Life' },
  method: 'GET',
  uri: '/dir/index.html',
  nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
  nc: '00000001',
  cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
  qop: 'auth',
};

test.each([
  ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
])('AUTH-02: the example of RFC 7616 3.9.1 with %s', (algorithm, response) => {
  expect(responseOf({ ...mufasa, algorithm })).toBe(response);
});

test('AUTH-02: the example of RFC 7616 3.9.2 with SHA-512-256 (erratum 4897) and userhash', () => {
  const user = { username: 'Jäsøn Doe', realm: 'api@example.org', password: 'Secret, or not?' };
  expect(digestUserhash(hash, 'SHA-512-256', user)).toBe(
    '793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b',
  );
  const response = responseOf({
    algorithm: 'SHA-512-256',
    user,
    method: 'GET',
    uri: '/doe.json',
    nonce: '5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK',
    nc: '00000001',
    cnonce: 'NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v',
    qop: 'auth',
  });
  expect(response).toBe('3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5');
});

test('AUTH-02: the example of RFC 2617 3.5', () => {
  const response = responseOf({
    algorithm: 'MD5',
    user: { username: 'Mufasa', realm: 'testrealm@host.com', password: 'Circle Of Life' },
    method: 'GET',
    uri: '/dir/index.html',
    nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
    nc: '00000001',
    cnonce: '0a4f113b',
    qop: 'auth',
  });
  expect(response).toBe('6629fae49393a05397450978507c4ef1');
});

const description = Buffer.from(
  [
    'v=0',
    'o=bob 2890844526 2890844526 IN IP4 media.biloxi.com',
    's=-',
    'c=IN IP4 media.biloxi.com',
    't=0 0',
    'm=audio 49170 RTP/AVP 0',
    'a=rtpmap:0 PCMU/8000',
    'm=video 51372 RTP/AVP 31',
    'a=rtpmap:31 H261/90000',
    'm=video 53000 RTP/AVP 32',
    'a=rtpmap:32 MPV/90000',
    '',
  ].join('\r\n'),
);

const bob = {
  user: { username: 'bob', realm: 'biloxi.com', password: 'zanzibar' },
  method: 'INVITE',
  uri: 'sip:bob@biloxi.com',
  nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
  body: description,
};
const counted = { nc: '00000001', cnonce: '0a4f113b' };

test.each([
  ['3.1', 'MD5', {}, 'bf57e4e0d0bffc0fbaedce64d59add5e'],
  ['3.3', 'MD5', { ...counted, qop: 'auth' }, '89eb0059246c02b2f6ee02c7961d5ea3'],
  ['3.4', 'MD5-sess', { ...counted, qop: 'auth' }, 'e4e4ea61d186d07a92c9e1f6919902e9'],
  ['3.5', 'MD5', { ...counted, qop: 'auth-int' }, 'bdbeebb2da6adb6bca02599c2239e192'],
  ['3.6', 'MD5-sess', { ...counted, qop: 'auth-int' }, '91984da2d8663716e91554859c22ca70'],
])(
  'AUTH-02: the SIP example of draft-smith-sipping-auth-examples %s with %s',
  (_section, algorithm, protection, response) => {
    expect(responseOf({ ...bob, ...protection, algorithm })).toBe(response);
  },
);

test.each(['SHA-256', 'SHA-512-256'] as const satisfies readonly DigestHash[])(
  'AUTH-02: with auth-int and %s an empty body has the hash of nothing',
  (algorithm) => {
    const { user, method, uri, nonce } = bob;
    const ha1 = hash(algorithm, 'bob:biloxi.com:zanzibar');
    const ha2 = hash(algorithm, `INVITE:${uri}:${hash(algorithm, '')}`);
    const expected = hash(algorithm, `${ha1}:${nonce}:00000001:0a4f113b:auth-int:${ha2}`);
    const what = { algorithm, user, method, uri, nonce, ...counted, qop: 'auth-int' };
    expect(responseOf(what)).toBe(expected);
    expect(expected).toMatch(/^[0-9a-f]{64}$/);
  },
);

test('AUTH-01: algorithms are named in any case, and others are not known', () => {
  expect(digestAlgorithm('sha-256')).toEqual({ hash: 'SHA-256', session: false });
  expect(digestAlgorithm('MD5-Sess')).toEqual({ hash: 'MD5', session: true });
  for (const name of ['SHA-1', 'SHA-512', '', '__proto__', 'constructor']) {
    expect(digestAlgorithm(name)).toBeUndefined();
  }
});
