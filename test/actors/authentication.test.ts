import { describe, expect, test } from 'vitest';
import { Authentication, cryptoHash } from '../../src/actors/authentication.js';
import type { AuthenticationOptions, Verdict } from '../../src/actors/authentication.js';
import { configuredCredentials } from '../../src/actors/authentication-credentials.js';
import type {
  CredentialsQuery,
  UserCredentials,
} from '../../src/actors/authentication-credentials.js';
import { CountingRandom, ManualClock } from '../../src/testing/clock.js';
import { digestHa1, digestUserhash } from '../../src/wire/sip/digest-response.js';
import {
  authorization,
  challengesOf,
  requestOf,
  stranger,
  type Answer,
  type RequestParts,
} from './authentication-world.js';

const realm = 'example.net';
const password = 'zanzibar';
const users = { 'sip:bob@example.net': { password } };
const register = { username: 'bob', password, method: 'REGISTER', uri: 'sip:example.net' };

function setUp(options: Partial<AuthenticationOptions> = {}, clock = new ManualClock()) {
  const warnings: object[] = [];
  const quiet = (): void => undefined;
  const warn = (fields: object): void => void warnings.push(fields);
  const log = { debug: quiet, info: quiet, warn, error: warn };
  const credentials = configuredCredentials(users, cryptoHash);
  const world = { clock, random: new CountingRandom(), log };
  const authentication = new Authentication({ realm, credentials, ...options }, world);
  const challenge = (peer = stranger) => challengesOf(authentication.challenges(peer, false));
  /** Judges a REGISTER that answers the first challenge, or that given. */
  const judge = (
    answer: Partial<Answer> = {},
    more: {
      readonly challenge?: ReturnType<typeof challenge>[0];
      readonly peer?: typeof stranger;
    } & RequestParts = {},
  ): Verdict | Promise<Verdict> => {
    const { peer = stranger, ...parts } = more;
    const field = authorization(more.challenge ?? challenge(peer)[0]!, { ...register, ...answer });
    return authentication.judge(requestOf({ ...parts, headers: [field] }), peer);
  };
  return { authentication, challenge, judge, warnings, clock };
}

const bob = {
  ...{ kind: 'authenticated', identity: 'sip:bob@example.net' },
  proof: expect.any(Function) as unknown,
};
const unproven = (cause: string) => ({ kind: 'unproven', cause });

describe('challenges', () => {
  test('AUTH-01: one for each algorithm in order of preference, each with qop', () => {
    const offered = setUp().challenge();
    expect(offered.map(({ algorithm }) => algorithm)).toEqual(['SHA-256', 'SHA-512-256']);
    for (const one of offered) expect(one).toMatchObject({ realm, qop: ['auth', 'auth-int'] });
    expect(offered[0]!.nonce).toBe(offered[1]!.nonce);
  });

  test('AUTH-01: MD5 is neither offered nor taken unless told so', () => {
    const { judge, challenge } = setUp();
    const asked = { ...challenge()[0]!, algorithm: 'MD5' };
    expect(judge({}, { challenge: asked })).toEqual(unproven('absent'));
    const old = setUp({ algorithms: ['SHA-256', 'MD5'] });
    expect(old.challenge().map(({ algorithm }) => algorithm)).toEqual(['SHA-256', 'MD5']);
    expect(old.judge({}, { challenge: old.challenge()[1]! })).toEqual(bob);
  });

  test('AUTH-02: a stale nonce is said to be one', () => {
    const { authentication } = setUp();
    expect(challengesOf(authentication.challenges(stranger, true))[0]).toMatchObject({
      stale: true,
    });
  });
});

describe('a digest', () => {
  test.each(['SHA-256', 'SHA-512-256'])(
    'AUTH-02: that is right with %s proves who it is',
    (name) => {
      const { judge, challenge } = setUp();
      const chosen = challenge().find(({ algorithm }) => algorithm === name)!;
      expect(judge({}, { challenge: chosen })).toEqual(bob);
    },
  );

  test('AUTH-02: of auth-int covers the body', () => {
    const { judge } = setUp();
    const body = Buffer.from('<list/>');
    const answer = { qop: 'auth-int', body };
    expect(judge(answer, { body })).toEqual(bob);
    expect(judge(answer, { body: Buffer.from('<lost/>') })).toEqual(unproven('wrong'));
    expect(judge({ qop: 'auth-int' })).toEqual(bob);
  });

  test.each<[string, Partial<Answer>]>([
    ['a wrong password', { password: 'wrong' }],
    ['an unknown user', { username: 'eve' }],
    ['the empty password', { password: '' }],
    ['another method', { method: 'INVITE' }],
    ['another cnonce', { more: { cnonce: 'other' } }],
    ['another count', { more: { nc: '00000002' } }],
    ['a cut response', { more: { response: 'ab' } }],
    ['__proto__', { username: '__proto__' }],
  ])('AUTH-02: with %s is wrong', (_name, answer) => {
    expect(setUp().judge(answer)).toEqual(unproven('wrong'));
  });

  test('AUTH-02: without qop or with an unknown one is none, for it could be replayed', () => {
    const { challenge, authentication } = setUp();
    const field = authorization(challenge()[0]!, register)[1];
    const without = field.replace(/qop=auth, cnonce="cnonce", nc=00000001/, 'x=y');
    for (const value of [without, field.replace('qop=auth', 'qop=token')]) {
      const request = requestOf({ headers: [['Authorization', value]] });
      expect(authentication.judge(request, stranger)).toEqual(unproven('absent'));
    }
  });

  test('AUTH-02: for another Request-URI is malformed', () => {
    const { judge } = setUp();
    const malformed = expect.objectContaining({ code: 'SIP_DIGEST', status: 400 }) as Error;
    expect(() => judge({ uri: 'sip:example.com' })).toThrow(malformed);
    expect(() => judge({ uri: 'sip:eve@example.net' })).toThrow(malformed);
    expect(() => judge({ more: { uri: '*' } })).toThrow(malformed);
    expect(judge({ uri: 'sip:EXAMPLE.NET:5060;transport=udp' })).toEqual(bob);
  });

  test('AUTH-01: of another realm or scheme is none for us', () => {
    const { authentication, challenge } = setUp();
    const other = authorization({ ...challenge()[0]!, realm: 'elsewhere' }, register);
    const headers = [['Authorization', 'Basic Ym9iOnphbnppYmFy'] as const, other];
    expect(authentication.judge(requestOf({ headers }), stranger)).toEqual(unproven('absent'));
    expect(authentication.judge(requestOf(), stranger)).toEqual(unproven('absent'));
    const ours = authorization(challenge()[0]!, register);
    expect(authentication.judge(requestOf({ headers: [...headers, ours] }), stranger)).toEqual(bob);
  });
});

describe('nonces', () => {
  test('AUTH-02: a count is good once; counts may overtake each other within a window', () => {
    const { judge, challenge } = setUp();
    const one = { challenge: challenge()[0]! };
    expect(judge({ count: 1 }, one)).toEqual(bob);
    expect(judge({ count: 1 }, one)).toEqual(unproven('replayed'));
    expect(judge({ count: 40 }, one)).toEqual(bob);
    expect(judge({ count: 39 }, one)).toEqual(bob);
    expect(judge({ count: 9 }, one)).toEqual(bob);
    for (const count of [40, 39, 9, 8, 2, 0]) {
      expect(judge({ count }, one)).toEqual(unproven('replayed'));
    }
    expect(judge({ count: 0xffffffff }, one)).toEqual(bob);
    expect(judge({ count: 41 }, one)).toEqual(unproven('replayed'));
  });

  test('AUTH-02: a wrong digest uses no count up', () => {
    const { judge, challenge } = setUp();
    const one = { challenge: challenge()[0]! };
    expect(judge({ password: 'wrong' }, one)).toEqual(unproven('wrong'));
    expect(judge({}, one)).toEqual(bob);
  });

  test('AUTH-02: after its time a nonce is stale, whatever the digest', () => {
    const { judge, challenge, clock } = setUp({ bounds: { nonceMs: 1_000 } });
    const one = { challenge: challenge()[0]! };
    clock.advance(999);
    expect(judge({ count: 1 }, one)).toEqual(bob);
    clock.advance(1);
    expect(judge({ count: 2 }, one)).toEqual(unproven('stale'));
    expect(judge({ count: 2, password: 'wrong' }, one)).toEqual(unproven('stale'));
  });

  test('AUTH-02: a nonce of another address, process or forger is foreign', () => {
    const { judge, challenge } = setUp();
    const peer = { ...stranger, address: '198.51.100.8' };
    expect(judge({}, { challenge: challenge(peer)[0]! })).toEqual(unproven('foreign'));
    const { nonce } = challenge()[0]!;
    const forged = [nonce.replace(/^./, 'z'), `${nonce}x`, nonce.slice(0, -1), '', 'a.b.c'];
    for (const value of [...forged, setUp({ secret: 'another' }).challenge()[0]!.nonce]) {
      const one = { challenge: { ...challenge()[0]!, nonce: value } };
      expect(judge({}, one)).toEqual(unproven('foreign'));
    }
  });

  test('AUTH-02: nodes with one secret take the nonces of each other', () => {
    const clock = new ManualClock();
    const other = setUp({ secret: 'shared' }, clock).challenge()[0]!;
    expect(setUp({ secret: 'shared' }, clock).judge({}, { challenge: other })).toEqual(bob);
  });

  test('AUTH-02: where the bound makes a used nonce forgotten, it is stale and not fresh', () => {
    const { judge, challenge, clock } = setUp({ bounds: { nonces: 2 } });
    const first = { challenge: challenge()[0]! };
    expect(judge({ count: 1 }, first)).toEqual(bob);
    for (let n = 0; n < 2; n++) {
      clock.advance(1);
      expect(judge()).toEqual(bob);
    }
    expect(judge({ count: 1 }, first)).toEqual(unproven('stale'));
    expect(judge({ count: 2 }, first)).toEqual(unproven('stale'));
    clock.advance(1);
    expect(judge()).toEqual(bob);
  });
});

describe('guessing', () => {
  test('AUTH-02: an address is refused after so many failures, for so long, and alone', () => {
    const bounds = { failures: 3, failureMs: 10_000 };
    const { judge, warnings, clock } = setUp({ bounds });
    for (let n = 0; n < 3; n++) expect(judge({ password: `${n}` })).toEqual(unproven('wrong'));
    expect(judge({ password: '3' })).toEqual({ kind: 'blocked' });
    expect(judge()).toEqual({ kind: 'blocked' });
    expect(warnings).toEqual([{ code: 'AUTH_BLOCKED', address: stranger.address }]);
    expect(judge({}, { peer: { ...stranger, address: '198.51.100.8' } })).toEqual(bob);
    clock.advance(10_000);
    expect(judge()).toEqual(bob);
  });

  test('AUTH-02: success in between takes no failure back', () => {
    const { judge } = setUp({ bounds: { failures: 2 } });
    expect(judge({ password: '1' })).toEqual(unproven('wrong'));
    expect(judge()).toEqual(bob);
    expect(judge({ password: '2' })).toEqual(unproven('wrong'));
    expect(judge()).toEqual({ kind: 'blocked' });
  });

  test('AUTH-02: the addresses of one IPv6 network are one', () => {
    const { judge } = setUp({ bounds: { failures: 2 } });
    const at = (address: string) => ({ peer: { ...stranger, address } });
    expect(judge({ password: '1' }, at('2001:db8:0:1::1'))).toEqual(unproven('wrong'));
    expect(judge({ password: '2' }, at('2001:0db8::1:0:0:0:ffff'))).toEqual(unproven('wrong'));
    expect(judge({}, at('2001:db8:0:1:a:b:c:d'))).toEqual({ kind: 'blocked' });
    expect(judge({}, at('2001:db8:0:2::1'))).toEqual(bob);
    expect(judge({}, at('::1'))).toEqual(bob);
  });

  test('AUTH-02: failures are remembered for a bounded number of addresses', () => {
    const { judge } = setUp({ bounds: { failures: 1, addresses: 2 } });
    const at = (n: number) => ({ peer: { ...stranger, address: `198.51.100.${n}` } });
    for (const n of [1, 2, 3]) expect(judge({ password: '?' }, at(n))).toEqual(unproven('wrong'));
    expect(judge({}, at(1))).toEqual(bob);
    expect(judge({}, at(2))).toEqual({ kind: 'blocked' });
    expect(judge({}, at(3))).toEqual({ kind: 'blocked' });
  });
});

describe('credentials', () => {
  const told = (credentials: UserCredentials | undefined) => credentials?.identity;
  const query = (username: string): CredentialsQuery => ({
    ...{ username, userhash: false, realm, algorithm: 'SHA-256' },
  });

  test('AUTH-03: a user is named by user part, AoR, or the name given', () => {
    const port = configuredCredentials(
      { 'bob@example.net': { password }, 'sip:Al%69ce@Example.NET': { password, username: 'al' } },
      cryptoHash,
    );
    const found = (name: string) => told(port(query(name)) as UserCredentials);
    expect(found('bob')).toBe('sip:bob@example.net');
    expect(found('bob@example.net')).toBe('sip:bob@example.net');
    for (const name of ['al', 'Alice', 'Alice@example.net']) {
      expect(found(name)).toBe('sip:Al%69ce@Example.NET');
    }
    for (const name of ['', 'eve', 'bob@example.com', 'constructor']) {
      expect(found(name)).toBeUndefined();
    }
  });

  test('AUTH-03: a user part of two AoRs names neither of them', () => {
    const two = { 'sip:bob@a.example': { password }, 'sip:bob@b.example': { password } };
    const port = configuredCredentials(two, cryptoHash);
    expect(port(query('bob'))).toBeUndefined();
    expect(told(port(query('bob@b.example')) as UserCredentials)).toBe('sip:bob@b.example');
  });

  test('RFC 7616 3.4.2: HA1 serves in place of the password', () => {
    const ha1 = digestHa1(cryptoHash, 'SHA-256', { username: 'bob', realm, password });
    const kept = { 'sip:bob@example.net': { ha1: { 'SHA-256': ha1.toUpperCase() } } };
    const { judge, challenge } = setUp({ credentials: configuredCredentials(kept, cryptoHash) });
    expect(judge()).toEqual(bob);
    expect(judge({}, { challenge: challenge()[1]! })).toEqual(unproven('wrong'));
  });

  test('RFC 7616 3.4.4: a hashed name is found', () => {
    const { judge, challenge } = setUp({ userhash: true });
    expect(challenge()[0]!.userhash).toBe(true);
    const username = digestUserhash(cryptoHash, 'SHA-256', { username: 'bob', realm });
    expect(judge({ more: { username, userhash: true } })).toEqual(bob);
    expect(judge({ more: { username: 'bob', userhash: true } })).toEqual(unproven('wrong'));
  });

  test('AUTH-03: they may come later', async () => {
    const credentials = (): Promise<UserCredentials> =>
      Promise.resolve({ identity: 'sip:bob@example.net', username: 'bob', password });
    const { judge } = setUp({ credentials });
    expect(await judge()).toEqual(bob);
    expect(await judge({ password: 'wrong' })).toEqual(unproven('wrong'));
  });

  test('AUTH-03: of two requests that wait with one count only one is taken', async () => {
    const credentials = (): Promise<UserCredentials> =>
      Promise.resolve({ identity: 'sip:bob@example.net', username: 'bob', password });
    const { judge, challenge } = setUp({ credentials });
    const one = { challenge: challenge()[0]! };
    const verdicts = await Promise.all([judge({}, one), judge({}, one)]);
    expect(verdicts).toEqual([bob, unproven('replayed')]);
  });

  test('AUTH-03: that cannot be looked up, or too many at a time, are not available', async () => {
    const failing = setUp({ credentials: () => Promise.reject(new Error('down')) });
    expect(await failing.judge()).toEqual({ kind: 'unavailable' });
    expect(failing.warnings).toMatchObject([{ code: 'AUTH_CREDENTIALS' }]);
    const waiting: ((user: undefined) => void)[] = [];
    const credentials = () => new Promise<undefined>((resolve) => waiting.push(resolve));
    const { judge } = setUp({ credentials, bounds: { lookups: 1 } });
    const first = judge();
    expect(judge()).toEqual({ kind: 'unavailable' });
    for (const resolve of waiting) resolve(undefined);
    expect(await first).toEqual(unproven('wrong'));
  });
});
