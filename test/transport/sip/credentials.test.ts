/** Challenges to requests of ours, inside dialogs and outside, over real sockets (22.2, 22.3). */

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { systemRandom } from '../../../src/system.js';
import { createAuthoriser } from '../../../src/transport/sip/credentials.js';
import { parseCredentials } from '../../../src/wire/sip/digest.js';
import type { HeaderField, SipRequest } from '../../../src/wire/sip/message.js';
import { toPeer, withScene } from './fixture.js';
import type { Scene } from './fixture.js';
import { asked } from './session-scene.js';

const known = { realm: 'core.example.net', username: 'store', password: 'open sesame' };
const authorise = createAuthoriser([known], systemRandom);

const challenge = (more = '', realm = known.realm): HeaderField => [
  'WWW-Authenticate',
  `Digest realm="${realm}", nonce="n1", qop="auth"${more}`,
];

const sha = (text: string): string => createHash('sha256').update(text).digest('hex');

/** RFC 7616 3.4.1, written down once more. */
function expectRight(request: SipRequest, name = 'Authorization'): void {
  const given = parseCredentials(request.header(name)!)!;
  const { username, realm, nonce, nc, cnonce, uri } = given;
  expect([username, realm, uri]).toEqual([known.username, known.realm, request.uri]);
  const first = sha(`${known.username}:${known.realm}:${known.password}`);
  const second = sha(`${request.method}:${request.uri}`);
  expect(given.response).toBe(sha(`${first}:${nonce}:${nc}:${cnonce}:auth:${second}`));
}

const sha256 = ', algorithm=SHA-256';

function notify({ endpoint, peer }: Scene, localCseq: number): void {
  endpoint.request({
    ...{ owner: 'o', id: `n${localCseq}`, method: 'NOTIFY', uri: '', from: '', to: '', route: [] },
    headers: [['Event', 'message-summary']],
    dialog: {
      ...{ callId: 'c1', localTag: 'l', remoteTag: 'r', routeSet: [], localCseq, remoteCseq: 1 },
      ...{ localUri: 'sip:store@example.org', remoteUri: 'sip:bob@example.org' },
      remoteTarget: `sip:bob@127.0.0.1:${peer.port}`,
    },
  });
}

test('SIP-22: a challenge to a request inside a dialog is answered; CSeq goes on from there', () =>
  withScene('udp', { authorise }, async (scene) => {
    notify(scene, 5);
    const first = await asked(scene);
    expect(first.request.header('CSeq')).toBe('5 NOTIFY');
    first.answer(401, [challenge(sha256)]);
    const second = await asked(scene);
    expect(second.request.header('CSeq')).toBe('6 NOTIFY');
    expectRight(second.request);
    second.answer(200);
    expect((await scene.handler.next('response')).response.status).toBe(200);
    // The user counts 6; the peer has seen that.
    notify(scene, 6);
    const third = await asked(scene);
    expect(third.request.header('CSeq')).toBe('7 NOTIFY');
    third.answer(200);
    await scene.handler.next('response');
  }));

test('SIP-22: inside a dialog nothing but a challenge is answered', () =>
  withScene('udp', { authorise }, async (scene) => {
    notify(scene, 1);
    const contact = ['Contact', `<sip:other@127.0.0.1:${scene.peer.port}>`] as const;
    (await asked(scene)).answer(302, [contact]);
    expect((await scene.handler.next('response')).response.status).toBe(302);
  }));

test.each([
  ['another realm', challenge(sha256, 'elsewhere.example')],
  ['MD5 alone', challenge(', algorithm=MD5')],
  ['an algorithm that is not known', challenge(', algorithm=SHA-1')],
  ['what cannot be read', ['WWW-Authenticate', 'Basic realm="core.example.net"'] as const],
])('SIP-22: %s is not answered', (_what, field) =>
  withScene('udp', { authorise }, async (scene) => {
    notify(scene, 1);
    (await asked(scene)).answer(401, [field]);
    expect((await scene.handler.next('response')).response.status).toBe(401);
  }),
);

test('AUTH-01: of several challenges of a realm the first that is known counts, MD5 last', () =>
  withScene('udp', { authorise }, async (scene) => {
    notify(scene, 1);
    const fields = [challenge(', algorithm=MD5'), challenge(sha256)];
    (await asked(scene)).answer(401, fields);
    const second = await asked(scene);
    expectRight(second.request);
    second.answer(403);
    await scene.handler.next('response');
  }));

test('SIP-22: the ACK of a 2xx has the credentials of its INVITE (22.1), BYE is challenged too', () =>
  withScene('udp', { authorise }, async (scene) => {
    const { endpoint, peer } = scene;
    endpoint.request({ ...toPeer(peer), method: 'INVITE', headers: [] });
    const first = await asked(scene);
    const proxied = ['Proxy-Authenticate', challenge(sha256)[1]] as const;
    first.answer(407, [proxied]);
    expect((await peer.nextRequest()).method).toBe('ACK');
    const second = await asked(scene);
    expectRight(second.request, 'Proxy-Authorization');
    second.answer(200, [['Contact', `<sip:bob@127.0.0.1:${peer.port}>`]]);
    const ack = await peer.nextRequest();
    expect(ack.method).toBe('ACK');
    const given = second.request.header('Proxy-Authorization');
    expect(ack.header('Proxy-Authorization')).toBe(given);
    await scene.handler.next('response');
    endpoint.bye('o', 'bye', []);
    const bye = await asked(scene);
    expect(bye.request.method).toBe('BYE');
    bye.answer(407, [proxied]);
    const again = await asked(scene);
    expect(again.request.header('CSeq')).toBe('4 BYE');
    expectRight(again.request, 'Proxy-Authorization');
    again.answer(200);
    expect((await scene.handler.next('response')).response.status).toBe(200);
  }));
