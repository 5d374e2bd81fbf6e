import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { AuthenticatingSip } from '../../src/client/authentication.js';
import type { ClientCredentials } from '../../src/client/realms.js';
import type { SipHandler, SipOutgoing } from '../../src/ports.js';
import { CountingRandom } from '../../src/testing/clock.js';
import { SimulatedSip } from '../../src/testing/simulated-ports.js';
import type { PortCall } from '../../src/testing/simulated-ports.js';
import { parseCredentials } from '../../src/wire/sip/digest.js';
import type { DigestCredentials } from '../../src/wire/sip/digest.js';
import { digestAlgorithm, digestHa1, digestResponse } from '../../src/wire/sip/digest-response.js';
import type { Hash } from '../../src/wire/sip/digest-response.js';
import type { HeaderField } from '../../src/wire/sip/message.js';

const names = { 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256', MD5: 'md5' } as const;
const hash: Hash = (algorithm, data) => createHash(names[algorithm]).update(data).digest('hex');

const bob: ClientCredentials = { username: 'bob', password: 'zanzibar' };
const sha256 = 'algorithm=SHA-256, qop="auth,auth-int"';

function setUp(credentials: ClientCredentials = bob) {
  const sent: SipOutgoing[] = [];
  const told: string[] = [];
  const calls: PortCall[] = [];
  const simulated = new SimulatedSip({
    host: 'client.example.net',
    watch: (call) => {
      calls.push(call);
      if (call.call === 'request') sent.push(call.request);
    },
  });
  const given = {
    ...{ username: 'bob', realm: undefined, md5: false, proof: 'accept' as const },
    ...credentials,
  };
  const random = new CountingRandom();
  const sip = new AuthenticatingSip({
    ...{ port: () => simulated, random, credentials: given },
    unproven: (method) => void told.push(`unproven ${method}`),
  });
  const handler: SipHandler = {
    request: () => undefined,
    response: (_owner, id, { status }) => void told.push(`${id} ${status}`),
    failure: (_owner, id, cause) => void told.push(`${id} ${cause}`),
    cancelled: () => undefined,
    acknowledged: () => undefined,
    unacknowledged: () => undefined,
  };
  void sip.start(handler);
  const request = (method: string, more: Partial<SipOutgoing> = {}): void =>
    sip.request({
      ...{ owner: 'o', id: '1', method, uri: 'sip:example.net', from: 'sip:bob@example.net' },
      ...{ to: 'sip:bob@example.net', route: ['<sip:192.0.2.1;lr>'], headers: [], ...more },
    });
  const challenge = (id: string, status: number, ...values: string[]): void => {
    const name = status === 407 ? 'Proxy-Authenticate' : 'WWW-Authenticate';
    simulated.answer('o', id, status, { headers: values.map((value) => [name, value]) });
  };
  return { sip, simulated, sent, told, calls, request, challenge };
}

function digest(realm: string, nonce: string, rest = sha256): string {
  return `Digest realm="${realm}", nonce="${nonce}", ${rest}`;
}

/** The credentials of a request, each with whether its digest is right. */
function proofs(request: SipOutgoing | undefined, password = bob.password) {
  const fields = (request?.headers ?? []).filter(([name]) => /authorization$/i.test(name));
  return fields.map(([name, value]) => {
    const credentials = parseCredentials(value)!;
    return { name, ...credentials, isRight: isRight(credentials, request!, password) };
  });
}

function isRight(credentials: DigestCredentials, request: SipOutgoing, password: string): boolean {
  const algorithm = digestAlgorithm(credentials.algorithm)!;
  const { realm, username, response, userhash } = credentials;
  const user = { username: userhash === true ? 'bob' : username, realm, password };
  const ha1 = digestHa1(hash, algorithm.hash, user);
  const { method, body = Buffer.alloc(0) } = request;
  return response === digestResponse(hash, { ...credentials, ...algorithm, ha1, method, body });
}

describe('a challenge', () => {
  test('SIP-22: is answered with the same Call-ID and From tag and the next CSeq', () => {
    const { request, sent, challenge, simulated, told } = setUp();
    request('REGISTER', { callId: 'c', localTag: 't', cseq: 7 });
    expect(proofs(sent[0])).toEqual([]);
    challenge('1', 401, digest('example.net', 'n1'));
    expect(sent[1]).toMatchObject({ owner: 'o', id: '1', callId: 'c', localTag: 't', cseq: 8 });
    expect(proofs(sent[1])).toMatchObject([
      {
        ...{ name: 'Authorization', username: 'bob', realm: 'example.net', nonce: 'n1' },
        ...{ uri: 'sip:example.net', algorithm: 'SHA-256', qop: 'auth', nc: '00000001' },
        isRight: true,
      },
    ]);
    expect(told).toEqual([]);
    simulated.answer('o', '1', 200);
    expect(told).toEqual(['1 200']);
  });

  test('SIP-22: of a request without Call-ID keeps the one that was drawn', () => {
    const { request, sent, challenge } = setUp();
    request('INVITE', { body: Buffer.from('v=0') });
    challenge('1', 401, digest('example.net', 'n'));
    const [first, second] = sent;
    expect(first!.callId).toBeTruthy();
    expect(second).toMatchObject({ callId: first!.callId, localTag: first!.localTag });
    expect([first!.cseq, second!.cseq]).toEqual([1, 2]);
  });

  test.each(['REGISTER', 'SUBSCRIBE', 'INVITE', 'MESSAGE', 'REFER', 'PUBLISH'])(
    'SIP-22: is answered for %s',
    (method) => {
      const { request, sent, challenge } = setUp();
      request(method);
      challenge('1', 401, digest('example.net', 'n'));
      expect(proofs(sent[1])).toMatchObject([{ isRight: true }]);
    },
  );

  test('SIP-22: that comes again is a refusal', () => {
    const { request, sent, challenge, told } = setUp();
    request('REGISTER');
    challenge('1', 401, digest('example.net', 'n1'));
    challenge('1', 401, digest('example.net', 'n2'));
    expect(sent).toHaveLength(2);
    expect(told).toEqual(['1 401']);
  });

  test('SIP-22: of which the answer was refused is not answered unasked', () => {
    const { request, sent, challenge } = setUp();
    request('REGISTER');
    challenge('1', 401, digest('example.net', 'n1'));
    challenge('1', 401, digest('example.net', 'n2'));
    request('REGISTER');
    expect(proofs(sent[2])).toEqual([]);
  });

  test('AUTH-02: to a stale nonce is answered once more, and not for ever', () => {
    const { request, sent, challenge, told } = setUp();
    request('REGISTER', { callId: 'c', cseq: 1 });
    for (const nonce of ['n1', 'n2', 'n3']) {
      challenge('1', 401, `${digest('example.net', nonce)}, stale=true`);
    }
    expect(sent.map(({ cseq }) => cseq)).toEqual([1, 2, 3]);
    expect(proofs(sent[2])).toMatchObject([{ nonce: 'n2', nc: '00000001', isRight: true }]);
    expect(told).toEqual(['1 401']);
  });

  test('RFC 3261 22.3: of a proxy and of a server behind it are both answered', () => {
    const { request, sent, challenge, told } = setUp();
    request('MESSAGE');
    challenge('1', 407, digest('proxy', 'p'));
    challenge('1', 401, digest('example.net', 'n'));
    expect(proofs(sent[1])).toMatchObject([{ name: 'Proxy-Authorization', realm: 'proxy' }]);
    expect(proofs(sent[2])).toMatchObject([
      { name: 'Proxy-Authorization', realm: 'proxy', nc: '00000002', isRight: true },
      { name: 'Authorization', realm: 'example.net', nc: '00000001', isRight: true },
    ]);
    expect(sent.map(({ cseq }) => cseq)).toEqual([1, 2, 3]);
    expect(told).toEqual([]);
  });

  test('RFC 3261 22.3: of several realms in one response are all answered', () => {
    const { request, sent, challenge } = setUp();
    request('MESSAGE');
    challenge('1', 401, digest('a', 'n'), digest('b', 'm'));
    expect(proofs(sent[1]).map(({ realm, isRight: right }) => [realm, right])).toEqual([
      ['a', true],
      ['b', true],
    ]);
  });

  test('SIP-22: to an INVITE that is being ended is not answered', () => {
    const { request, sent, sip, challenge, told } = setUp();
    request('INVITE', { id: 'x' });
    sip.bye('o', 'bye', []);
    challenge('x', 401, digest('example.net', 'n'));
    expect(sent).toHaveLength(1);
    expect(told).toContain('x 401');
  });
});

describe('what is offered', () => {
  const answered = (credentials: ClientCredentials, ...values: string[]) => {
    const { request, sent, challenge, told } = setUp(credentials);
    request('REGISTER', { body: Buffer.from('body') });
    challenge('1', 401, ...values);
    return { proofs: proofs(sent[1]), told };
  };

  test('RFC 8760 2.4: the topmost algorithm that is known is taken, MD5 last', () => {
    const offers = ['MD5', 'SHA-1', 'SHA-512-256', 'SHA-256'].map((algorithm) =>
      digest('r', algorithm, `algorithm=${algorithm}, qop="auth"`),
    );
    expect(answered({ ...bob, md5: true }, ...offers).proofs).toMatchObject([
      { algorithm: 'SHA-512-256', nonce: 'SHA-512-256', isRight: true },
    ]);
  });

  test('AUTH-01: MD5 is answered only when told so', () => {
    const md5 = digest('r', 'n', 'qop="auth"');
    expect(answered(bob, md5)).toEqual({ proofs: [], told: ['1 401'] });
    expect(answered({ ...bob, md5: true }, md5).proofs).toMatchObject([
      { algorithm: 'MD5', isRight: true },
    ]);
    const rfc2069 = digest('r', 'n', 'algorithm=MD5');
    const [proof] = answered({ ...bob, md5: true }, rfc2069).proofs;
    expect(proof).toMatchObject({ isRight: true });
    expect(proof).not.toHaveProperty('qop');
  });

  test.each([
    ['auth-int', 'algorithm=SHA-256, qop="auth-int"', { qop: 'auth-int', isRight: true }],
    ['auth beside it', 'algorithm=SHA-256, qop="auth-int,auth"', { qop: 'auth', isRight: true }],
    ['a -sess algorithm', 'algorithm=SHA-256-sess, qop="auth"', { isRight: true }],
    ['userhash', `${sha256}, userhash=true`, { userhash: true, isRight: true }],
    ['opaque', `${sha256}, opaque="o\\"p"`, { opaque: 'o"p', isRight: true }],
  ])('AUTH-02: %s is used', (_name, rest, expected) => {
    expect(answered(bob, digest('r', 'n', rest)).proofs).toMatchObject([expected]);
  });

  test.each([
    ['Basic', 'Basic realm="r"'],
    ['an unknown algorithm', digest('r', 'n', 'algorithm=AKAv1-MD5, qop="auth"')],
    ['an unknown qop', digest('r', 'n', 'algorithm=SHA-256, qop="token"')],
    ['something malformed', 'Digest realm="r'],
    ['another realm', digest('elsewhere', 'n')],
  ])('AUTH-01: %s is not answered', (_name, value) => {
    expect(answered({ ...bob, realm: 'r' }, value)).toEqual({ proofs: [], told: ['1 401'] });
  });
});

describe('afterwards', () => {
  test('RFC 7616 3.6: further requests carry credentials, with the next count', () => {
    const { request, sent, challenge, simulated } = setUp();
    request('REGISTER');
    challenge('1', 401, digest('example.net', 'n'));
    simulated.answer('o', '1', 200);
    request('MESSAGE', { body: Buffer.from('hello') });
    expect(proofs(sent[2])).toMatchObject([{ nonce: 'n', nc: '00000002', isRight: true }]);
    simulated.answer('o', '1', 200);
    request('MESSAGE');
    challenge('1', 401, digest('example.net', 'm'));
    expect(proofs(sent[4])).toMatchObject([{ nonce: 'm', nc: '00000001', isRight: true }]);
    expect(sent.map(({ cseq }) => cseq)).toEqual([1, 2, 1, 1, 2]);
  });

  test('RFC 7616 3.5: with the nonce that the server named', () => {
    const { request, sent, challenge, simulated } = setUp();
    request('REGISTER');
    challenge('1', 401, digest('example.net', 'n'));
    const named = (value: string): { headers: HeaderField[] } => ({
      headers: [['Authentication-Info', value]],
    });
    simulated.answer('o', '1', 200, named('nextnonce="m"'));
    request('MESSAGE');
    expect(proofs(sent[2])).toMatchObject([{ nonce: 'm', nc: '00000001', isRight: true }]);
    simulated.answer('o', '1', 200);
    request('MESSAGE');
    expect(proofs(sent[3])).toMatchObject([{ nonce: 'm', nc: '00000002' }]);
  });

  test('RFC 7616 3.5: the nonce goes to the realm whose credentials the server repeats', () => {
    const { request, sent, challenge, simulated } = setUp();
    request('REGISTER');
    challenge('1', 401, digest('a', 'n'), digest('b', 'm'));
    const { cnonce, nc } = proofs(sent[1])[1]!;
    const value = `nextnonce="next", qop=auth, cnonce="${cnonce}", nc=${nc}`;
    simulated.answer('o', '1', 200, { headers: [['Authentication-Info', value]] });
    request('MESSAGE');
    const known = proofs(sent[2]).map(
      ({ realm, nonce, nc: count }) => `${realm} ${nonce} ${count}`,
    );
    expect(known.sort()).toEqual(['a n 00000002', 'b next 00000001']);
  });

  test('SIP-22: requests of a registration and a subscription count on', () => {
    const { request, sent, challenge, simulated } = setUp();
    request('REGISTER', { callId: 'c', cseq: 1 });
    challenge('1', 401, digest('example.net', 'n'));
    simulated.answer('o', '1', 200);
    request('REGISTER', { callId: 'c', cseq: 2 });
    simulated.answer('o', '1', 200);
    const dialog = {
      ...{ callId: 's', localTag: 'a', remoteTag: 'b', localUri: 'sip:bob@example.net' },
      ...{ remoteUri: 'sip:bob@example.net', remoteTarget: 'sip:as@192.0.2.1', routeSet: [] },
      ...{ localCseq: 2, remoteCseq: 0 },
    };
    request('SUBSCRIBE', { callId: 's', cseq: 1 });
    challenge('1', 401, digest('example.net', 'm'));
    simulated.answer('o', '1', 200);
    request('SUBSCRIBE', { dialog });
    simulated.answer('o', '1', 200);
    expect(sent.map(({ cseq }) => cseq).slice(0, 5)).toEqual([1, 2, 3, 1, 2]);
    expect(sent[5]!.dialog!.localCseq).toBe(3);
    expect(proofs(sent[5])).toMatchObject([{ uri: 'sip:as@192.0.2.1', isRight: true }]);
  });

  test('SIP-22: a failure is told and nothing of the request is kept', () => {
    const { request, simulated, told, sent } = setUp();
    request('MESSAGE');
    simulated.fail('o', '1', 'timeout');
    request('MESSAGE');
    simulated.answer('o', '1', 403);
    expect(told).toEqual(['1 timeout', '1 403']);
    expect(sent).toHaveLength(2);
  });

  test('AUTH-02: the first of too many realms is forgotten', () => {
    const { request, sent, challenge, simulated } = setUp();
    for (let n = 0; n < 9; n++) {
      request('MESSAGE');
      challenge('1', 401, digest(`r${n}`, 'n'));
      simulated.answer('o', '1', 200);
    }
    const realms = proofs(sent.at(-1)).map(({ realm }) => realm);
    expect(realms).toEqual(['r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7', 'r8']);
  });
});

describe('whoever answers', () => {
  /** The proof of RFC 7616 3.5 for a request, with that password. */
  const info = (request: SipOutgoing | undefined, password = bob.password): HeaderField => {
    const { isRight: _isRight, name: _name, ...given } = proofs(request)[0]!;
    const algorithm = digestAlgorithm(given.algorithm)!;
    const { realm, username, qop, cnonce, nc } = given;
    const ha1 = digestHa1(hash, algorithm.hash, { username, realm, password });
    const input = { ...given, ...algorithm, ha1, method: '', body: Buffer.alloc(0) };
    const rspauth = digestResponse(hash, input);
    return [
      'Authentication-Info',
      `rspauth="${rspauth}", qop=${qop!}, cnonce="${cnonce!}", nc=${nc!}`,
    ];
  };

  function challenged(method: string, credentials: ClientCredentials = bob) {
    const scene = setUp(credentials);
    scene.request(method);
    scene.challenge('1', 401, digest('example.net', 'n'));
    return scene;
  }

  test('AUTH-02: proves that it knows the password', () => {
    const { sent, simulated, told } = challenged('MESSAGE', { ...bob, proof: 'require' });
    simulated.answer('o', '1', 200, { headers: [info(sent[1])] });
    expect(told).toEqual(['1 200']);
  });

  test.each(['MESSAGE', 'REGISTER', 'SUBSCRIBE'])(
    'AUTH-02: a 2xx to %s with a wrong proof is a failure; credentials are for others',
    (method) => {
      const { sent, simulated, told, request } = challenged(method);
      simulated.answer('o', '1', 200, { headers: [info(sent[1], 'guessed')] });
      expect(told).toEqual([`unproven ${method}`, '1 transport']);
      request('MESSAGE');
      expect(proofs(sent[2])).toEqual([]);
    },
  );

  test('AUTH-02: without a proof counts, unless it has to give one', () => {
    const lenient = challenged('MESSAGE');
    lenient.simulated.answer('o', '1', 200);
    expect(lenient.told).toEqual(['1 200']);
    const strict = challenged('MESSAGE', { ...bob, proof: 'require' });
    strict.simulated.answer('o', '1', 200);
    expect(strict.told).toEqual(['unproven MESSAGE', '1 transport']);
  });

  test('AUTH-02: with what cannot be read in place of a proof is somebody else', () => {
    const { simulated, told } = challenged('MESSAGE');
    simulated.answer('o', '1', 200, { headers: [['Authentication-Info', 'nextnonce="']] });
    expect(told).toEqual(['unproven MESSAGE', '1 transport']);
  });

  test('AUTH-02: a session that somebody else has accepted is ended', () => {
    const { sent, simulated, told, calls } = challenged('INVITE');
    simulated.answer('o', '1', 200, { headers: [info(sent[1], 'guessed')] });
    expect(told).toEqual(['unproven INVITE', '1 transport']);
    const bye = calls.find(({ call }) => call === 'bye');
    expect(bye).toMatchObject({ owner: 'o' });
    // Its outcome is nobody's.
    if (bye?.call === 'bye') simulated.fail('o', bye.id, 'timeout');
    expect(told).toEqual(['unproven INVITE', '1 transport']);
  });
});
