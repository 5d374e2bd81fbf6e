/** Whether the answers to our requests prove who gives them, over real sockets (RFC 7616 3.5). */

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { systemRandom } from '../../../src/system.js';
import { responseTo } from '../../../src/testing/sip-peer.js';
import type { SipArrival } from '../../../src/testing/sip-peer.js';
import { createAuthoriser } from '../../../src/transport/sip/credentials.js';
import type { RealmCredentials } from '../../../src/transport/sip/credentials.js';
import { parseCredentials } from '../../../src/wire/sip/digest.js';
import type { HeaderField, SipRequest } from '../../../src/wire/sip/message.js';
import { tagOf } from '../../../src/wire/sip/name-addr.js';
import { collect, toPeer, withScene } from './fixture.js';
import type { Scene } from './fixture.js';
import { contact, peerContact, sdp } from './session-scene.js';

const user = { realm: 'core.example.net', username: 'store', password: 'open sesame' };
const sha = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');

/** Every scene has an endpoint that has not met anybody. */
function scene(play: (scene: Scene) => Promise<void>, more: Partial<RealmCredentials> = {}) {
  return withScene(
    'udp',
    { authorise: createAuthoriser([{ ...user, ...more }], systemRandom) },
    play,
  );
}

function challenge(nonce = 'n1', qop = 'auth', realm = user.realm): HeaderField {
  const value = `Digest realm="${realm}", nonce="${nonce}", algorithm=SHA-256, qop="${qop}"`;
  return ['WWW-Authenticate', value];
}

const proxied = (field: HeaderField): HeaderField => ['Proxy-Authenticate', field[1]];

/** RFC 7616 3.5, written down once more: the proof for an answer with that body. */
function info(request: SipRequest, body = '', more: Record<string, string> = {}): HeaderField {
  const { nonce, nc, cnonce, uri, qop } = parseCredentials(request.header('Authorization')!)!;
  const first = sha(`${user.username}:${user.realm}:${user.password}`);
  const second = sha(qop === 'auth' ? `:${uri}` : `:${uri}:${sha(body)}`);
  const rspauth = sha(`${first}:${nonce}:${nc}:${cnonce}:${qop}:${second}`);
  const params = { rspauth: `"${rspauth}"`, qop: qop!, cnonce: `"${cnonce}"`, nc: nc!, ...more };
  const text = Object.entries(params).map(([name, value]) => `${name}=${value}`);
  return ['Authentication-Info', text.join(', ')];
}

interface Asked {
  readonly request: SipRequest;
  readonly arrival: SipArrival;
  answer(status: number, headers?: readonly HeaderField[], body?: string): void;
}

async function asked({ peer }: Scene): Promise<Asked> {
  const arrival = await peer.arrivals.next();
  const request = arrival.message as SipRequest;
  expect(request.kind).toBe('request');
  const answer: Asked['answer'] = (status, headers = [], body = '') => {
    const more = { tag: 'peer', headers, ...(body !== '' && { body: Buffer.from(body) }) };
    arrival.reply(responseTo(request, status, more));
  };
  return { request, arrival, answer };
}

function send(at: Scene, more: object = {}): void {
  const body = Buffer.from('hi');
  at.endpoint.request({ ...toPeer(at.peer), method: 'MESSAGE', headers: [text], body, ...more });
}

const text = ['Content-Type', 'text/plain'] as const;

/** A MESSAGE that was challenged and goes out with credentials. */
async function authorised(at: Scene, qop = 'auth'): Promise<Asked> {
  send(at);
  (await asked(at)).answer(401, [challenge('n1', qop)]);
  return asked(at);
}

const told = async (at: Scene) => (await at.handler.next('response')).response.status;
const unproven = ({ endpoint }: Scene): number => endpoint.counters()['unprovenAnswers']!;

test('AUTH-02: a 2xx with the proof of its sender counts, with auth and with auth-int', async () => {
  for (const [qop, body] of [
    ['auth', ''],
    ['auth-int', 'signed'],
  ] as const) {
    await scene(async (at) => {
      const { request, answer } = await authorised(at, qop);
      expect(parseCredentials(request.header('Authorization')!)!.qop).toBe(qop);
      answer(200, [info(request, body)], body);
      expect(await told(at)).toBe(200);
      expect(unproven(at)).toBe(0);
    });
  }
});

test.each([
  ['that is wrong', (request: SipRequest) => info(request, '', { rspauth: `"${sha('no')}"` })],
  ['for another request', (request: SipRequest) => info(request, '', { cnonce: '"other"' })],
  ['with another count', (request: SipRequest) => info(request, '', { nc: '00000009' })],
  ['of another protection', (request: SipRequest) => info(request, '', { qop: 'auth-int' })],
  ['that cannot be read', () => ['Authentication-Info', 'rspauth="not hex"'] as const],
])('AUTH-02: a 2xx with a proof %s is a failure, and a coded warning', (_what, field) =>
  scene(async (at) => {
    const { request, answer } = await authorised(at);
    answer(200, [field(request)]);
    expect(await at.handler.next('failure')).toMatchObject({ id: 'q', cause: 'transport' });
    expect(unproven(at)).toBe(1);
    const warning = at.lines.find(({ fields }) => fields['code'] === 'SIP_UNPROVEN');
    expect(warning).toMatchObject({ level: 'warn', fields: { method: 'MESSAGE' } });
    // Whoever that was gets no credentials unasked.
    send(at);
    expect((await asked(at)).request.header('Authorization')).toBeUndefined();
  }),
);

test('AUTH-02: with auth-int a body that was changed on its way is a failure', () =>
  scene(async (at) => {
    const { request, answer } = await authorised(at, 'auth-int');
    answer(200, [info(request, 'signed')], 'forged');
    expect((await at.handler.next('failure')).cause).toBe('transport');
  }));

test('AUTH-02: without a proof a 2xx counts, unless the realm has to prove itself', async () => {
  for (const proof of ['accept', 'require'] as const) {
    await scene(
      async (at) => {
        (await authorised(at)).answer(200);
        if (proof === 'accept') expect(await told(at)).toBe(200);
        else expect((await at.handler.next('failure')).cause).toBe('transport');
      },
      { proof },
    );
  }
});

test('AUTH-02: what somebody proves without being asked is not looked at', () =>
  scene(async (at) => {
    send(at);
    (await asked(at)).answer(200, [['Authentication-Info', 'rspauth="00"']]);
    expect(await told(at)).toBe(200);
  }));

test('AUTH-02: the next request to that place has its credentials at once, and counts on', () =>
  scene(async (at) => {
    const first = await authorised(at);
    first.answer(200, [info(first.request)]);
    await told(at);
    send(at, { id: 'second' });
    const second = await asked(at);
    expect(second.request.header('CSeq')).toBe('1 MESSAGE');
    const { nonce, nc } = parseCredentials(second.request.header('Authorization')!)!;
    expect([nonce, nc]).toEqual(['n1', '00000002']);
    second.answer(200, [info(second.request, '', { nextnonce: '"n2"' })]);
    await told(at);
    send(at, { id: 'third' });
    const third = await asked(at);
    const renewed = parseCredentials(third.request.header('Authorization')!)!;
    expect([renewed.nonce, renewed.nc]).toEqual(['n2', '00000001']);
    // A nonce that is not good any more is one challenge more.
    const [name, value] = challenge('n3');
    third.answer(401, [[name, `${value}, stale=true`]]);
    const fourth = await asked(at);
    expect(parseCredentials(fourth.request.header('Authorization')!)!.nonce).toBe('n3');
    fourth.answer(200, [info(fourth.request)]);
    expect(await told(at)).toBe(200);
  }));

test('AUTH-02: a request through a proxy and to a server has credentials for both', () =>
  scene(async (at) => {
    send(at);
    (await asked(at)).answer(407, [proxied(challenge('p1'))]);
    const second = await asked(at);
    expect(second.request.fields('Proxy-Authorization')).toHaveLength(1);
    second.answer(401, [challenge('s1')]);
    const third = await asked(at);
    const proxy = parseCredentials(third.request.header('Proxy-Authorization')!)!;
    // Signed anew: a count that was used is a replay.
    expect([proxy.nonce, proxy.nc]).toEqual(['p1', '00000002']);
    expect(parseCredentials(third.request.header('Authorization')!)!.nonce).toBe('s1');
    third.answer(200, [info(third.request)]);
    expect(await told(at)).toBe(200);
  }));

/** Our INVITE, challenged and sent again. */
async function inviting(at: Scene): Promise<Asked> {
  const described = [contact, ['Content-Type', 'application/sdp']] as const;
  send(at, { method: 'INVITE', headers: described, body: sdp });
  (await asked(at)).answer(401, [challenge()]);
  const ack = await at.peer.nextRequest();
  expect(ack.header('CSeq')).toBe('1 ACK');
  expect(ack.header('Authorization')).toBeUndefined();
  return asked(at);
}

test('AUTH-02: an INVITE accepted by somebody else is acknowledged, ended and a failure', () =>
  scene(async (at) => {
    const { request, answer } = await inviting(at);
    answer(200, [peerContact(at), info(request, '', { rspauth: `"${sha('no')}"` })]);
    const requests = [await asked(at), await asked(at)];
    expect(requests.map((one) => one.request.method).sort()).toEqual(['ACK', 'BYE']);
    expect(await at.handler.next('failure')).toMatchObject({ id: 'q', cause: 'transport' });
    expect(at.endpoint.counters()['dialogs']).toBe(0);
    // Its repetition is acknowledged, and nobody hears of it.
    answer(200, [peerContact(at)]);
    expect((await at.peer.nextRequest()).method).toBe('ACK');
    requests.find((one) => one.request.method === 'BYE')!.answer(200);
    expect(await collect(at)).toEqual([]);
  }));

const takesUpdate = [
  ['Session-Expires', '600;refresher=uac'],
  ['Allow', 'INVITE, ACK, BYE, CANCEL, UPDATE'],
] as const;

/** A session whose INVITE was not challenged. */
async function session(at: Scene, headers: readonly HeaderField[]): Promise<SipRequest> {
  const described = [contact, ['Content-Type', 'application/sdp']] as const;
  send(at, { method: 'INVITE', headers: described, body: sdp });
  const { request, answer } = await asked(at);
  answer(200, [peerContact(at), ...headers]);
  expect(await told(at)).toBe(200);
  expect((await at.peer.nextRequest()).method).toBe('ACK');
  return request;
}

test('SIP-22: a challenge to a refresh by UPDATE is answered, once, with the next CSeq', () =>
  scene(async (at) => {
    await session(at, takesUpdate);
    at.clock.advance(300_000);
    const first = await asked(at);
    expect(first.request.header('CSeq')).toBe('2 UPDATE');
    first.answer(401, [challenge()]);
    const second = await asked(at);
    expect(second.request.header('CSeq')).toBe('3 UPDATE');
    expect(second.request.header('Session-Expires')).toBe('600;refresher=uac');
    second.answer(200, [takesUpdate[0], info(second.request)]);
    expect(await collect(at)).toEqual([]);
    at.clock.advance(300_000);
    const third = await asked(at);
    // The refreshes go on, with credentials unasked.
    expect(third.request.header('CSeq')).toBe('4 UPDATE');
    expect(parseCredentials(third.request.header('Authorization')!)!.nc).toBe('00000002');
    third.answer(401, [challenge('n2')]);
    (await asked(at)).answer(401, [challenge('n3')]);
    // Refused: the session lasts until it expires.
    expect(await collect(at)).toEqual([]);
    at.clock.advance(268_000);
    expect((await asked(at)).request.header('CSeq')).toBe('6 BYE');
  }));

test('SIP-22: a challenge to a refresh by INVITE is answered; its ACKs have the credentials', () =>
  scene(async (at) => {
    await session(at, [takesUpdate[0]]);
    at.clock.advance(300_000);
    const first = await asked(at);
    expect(first.request.header('CSeq')).toBe('2 INVITE');
    first.answer(407, [proxied(challenge())]);
    expect((await at.peer.nextRequest()).header('CSeq')).toBe('2 ACK');
    const second = await asked(at);
    expect(second.request.header('CSeq')).toBe('3 INVITE');
    expect(second.request.body.toString()).toBe(sdp.toString());
    const given = second.request.header('Proxy-Authorization');
    expect(given).toBeDefined();
    second.answer(200, [peerContact(at), takesUpdate[0]]);
    const last = await at.peer.nextRequest();
    expect(last.header('CSeq')).toBe('3 ACK');
    expect(last.header('Proxy-Authorization')).toBe(given);
  }));

test('SIP-22: the ACK of a refusal has the credentials of its INVITE too (22.1)', () =>
  scene(async (at) => {
    const { request, answer } = await inviting(at);
    answer(486);
    expect(await told(at)).toBe(486);
    const ack = await at.peer.nextRequest();
    expect(ack.method).toBe('ACK');
    expect(ack.header('Authorization')).toBe(request.header('Authorization'));
  }));

test('AUTH-02: a refresh answered by somebody else ends the session', () =>
  scene(async (at) => {
    await session(at, takesUpdate);
    at.clock.advance(300_000);
    (await asked(at)).answer(401, [challenge()]);
    const second = await asked(at);
    second.answer(200, [takesUpdate[0], info(second.request, '', { cnonce: '"x"' })]);
    expect((await at.handler.next('expired')).owner).toBe('o');
    expect((await asked(at)).request.method).toBe('BYE');
    expect(unproven(at)).toBe(1);
  }));

test('SIP-22: a challenge to a BYE that nobody has asked for is answered, once', () =>
  scene(async (at) => {
    await session(at, [['Session-Expires', '300;refresher=uas']]);
    at.clock.advance(268_000);
    const first = await asked(at);
    expect(first.request.header('CSeq')).toBe('2 BYE');
    expect((await at.handler.next('expired')).owner).toBe('o');
    first.answer(407, [proxied(challenge())]);
    const second = await asked(at);
    expect(second.request.header('CSeq')).toBe('3 BYE');
    expect(second.request.header('Proxy-Authorization')).toBeDefined();
    second.answer(407, [proxied(challenge('n2'))]);
    expect(await collect(at)).toEqual([]);
    expect(at.endpoint.counters()['clientTransactions']).toBeLessThanOrEqual(2);
  }));

test('SIP-22: a BYE comes after every request of its dialog, those sent again included', () =>
  scene(async (at) => {
    const invite = await session(at, []);
    const dialog = {
      ...{ callId: invite.header('Call-ID')!, localTag: tagOf(invite.header('From'))! },
      ...{ remoteTag: 'peer', routeSet: [], localCseq: 1, remoteCseq: 0 },
      ...{ localUri: 'sip:us@example.org', remoteUri: invite.uri, remoteTarget: invite.uri },
    };
    at.endpoint.request({ ...toPeer(at.peer), id: 'n', method: 'NOTIFY', dialog });
    const first = await asked(at);
    expect(first.request.header('CSeq')).toBe('2 NOTIFY');
    first.answer(401, [challenge()]);
    const second = await asked(at);
    expect(second.request.header('CSeq')).toBe('3 NOTIFY');
    second.answer(200);
    await told(at);
    at.endpoint.bye('o', 'end', []);
    expect((await asked(at)).request.header('CSeq')).toBe('4 BYE');
  }));
