/** Refusals that a UAC answers itself, over real sockets (RFC 3261 8.1.3, 22.2). */

import { expect, test } from 'vitest';
import { responseTo } from '../../../src/testing/sip-peer.js';
import type { HeaderField } from '../../../src/wire/sip/message.js';
import { noCredentials, type Authoriser } from '../../../src/transport/sip/credentials.js';
import { collect, toPeer, withScene, type Scene } from './fixture.js';
import { asked } from './session-scene.js';

const text = ['Content-Type', 'text/plain'] as const;

function message(scene: Scene, more: object = {}): void {
  scene.endpoint.request({
    ...toPeer(scene.peer),
    method: 'MESSAGE',
    headers: [text],
    body: Buffer.from('hi'),
    ...more,
  });
}

const at = ({ peer }: Scene, user: string, q?: string): HeaderField => [
  'Contact',
  `<sip:${user}@127.0.0.1:${peer.port}>${q === undefined ? '' : `;q=${q}`}`,
];

const challenge = (realm: string, more = ''): HeaderField => [
  'WWW-Authenticate',
  `Digest realm="${realm}", nonce="n1", algorithm=SHA-256, qop="auth"${more}`,
];

/** Credentials that no challenge is read for. */
function answering(
  fields: (request: Parameters<Authoriser['answer']>[0]) => readonly HeaderField[] | undefined,
): Authoriser {
  return {
    foresee: () => noCredentials,
    again: (_request, last) => last,
    answer: (request) => {
      const given = fields(request);
      return given && { fields: given, sent: [] };
    },
    isProven: () => true,
  };
}

async function told(scene: Scene): Promise<number> {
  return (await scene.handler.next('response')).response.status;
}

test('SIP-22: 302 is followed to its contacts by q, with the same Call-ID and the next CSeq', () =>
  withScene('udp', {}, async (scene) => {
    message(scene);
    const first = await asked(scene);
    first.answer(302, [at(scene, 'low', '0.1'), at(scene, 'high', '0.9')]);
    const second = await asked(scene);
    expect(second.request.uri).toBe(`sip:high@127.0.0.1:${scene.peer.port}`);
    expect(second.request.header('CSeq')).toBe('2 MESSAGE');
    expect(second.request.body.toString()).toBe('hi');
    for (const name of ['Call-ID', 'From', 'To']) {
      expect(second.request.header(name)).toBe(first.request.header(name));
    }
    second.answer(480);
    const third = await asked(scene);
    expect(third.request.uri).toBe(`sip:low@127.0.0.1:${scene.peer.port}`);
    third.answer(200);
    expect(await told(scene)).toBe(200);
  }));

test('SIP-22: a redirection in circles ends with what was answered last', () =>
  withScene('udp', {}, async (scene) => {
    message(scene);
    (await asked(scene)).answer(302, [at(scene, 'a')]);
    (await asked(scene)).answer(302, [at(scene, 'peer'), at(scene, 'a')]);
    expect(await told(scene)).toBe(302);
    expect(await collect(scene)).toEqual([]);
  }));

test('SIP-22: no more contacts are tried than the bound allows, none of another scheme', () =>
  withScene('udp', { limits: { redirects: 2 } }, async (scene) => {
    message(scene);
    const contacts = ['a', 'b', 'c', 'd'].map((user) => at(scene, user));
    (await asked(scene)).answer(300, [['Contact', 'mailto:a@example.com'], ...contacts]);
    (await asked(scene)).answer(404);
    (await asked(scene)).answer(404);
    expect(await told(scene)).toBe(404);
    expect(await collect(scene)).toEqual([]);
  }));

test('SIP-22: 6xx ends the search, 305 and 380 begin none', async () => {
  for (const [status, contacts] of [
    [600, 2],
    [305, 0],
    [380, 0],
  ] as const) {
    await withScene('udp', {}, async (scene) => {
      message(scene);
      if (contacts > 0) (await asked(scene)).answer(302, [at(scene, 'a'), at(scene, 'b')]);
      (await asked(scene)).answer(status, [at(scene, 'c')]);
      expect(await told(scene)).toBe(status);
      expect(await collect(scene)).toEqual([]);
    });
  }
});

test('SIP-22: an INVITE is redirected after its ACK; the dialog is that of the contact', () =>
  withScene('udp', {}, async (scene) => {
    const headers = [['Contact', '<sip:us@127.0.0.1>']] as const;
    scene.endpoint.request({ ...toPeer(scene.peer), method: 'INVITE', headers });
    const first = await scene.peer.arrivals.next();
    if (first.message.kind !== 'request') throw new Error('no request');
    first.reply(responseTo(first.message, 302, { tag: 'r', headers: [at(scene, 'moved')] }));
    expect((await scene.peer.nextRequest()).method).toBe('ACK');
    const second = await scene.peer.arrivals.next();
    if (second.message.kind !== 'request') throw new Error('no request');
    expect(second.message.uri).toBe(`sip:moved@127.0.0.1:${scene.peer.port}`);
    second.reply(responseTo(second.message, 200, { tag: 's', headers: [at(scene, 'moved')] }));
    expect(await told(scene)).toBe(200);
    expect((await scene.peer.nextRequest()).header('CSeq')).toBe('2 ACK');
    scene.endpoint.bye('o', 'end', []);
    expect((await scene.peer.nextRequest()).header('CSeq')).toBe('3 BYE');
  }));

test('SIP-22: an INVITE that was cancelled is not redirected', () =>
  withScene('udp', {}, async (scene) => {
    const headers = [['Contact', '<sip:us@127.0.0.1>']] as const;
    scene.endpoint.request({ ...toPeer(scene.peer), method: 'INVITE', headers });
    const first = await asked(scene);
    first.answer(180);
    await scene.handler.next('response');
    scene.endpoint.bye('o', 'end', []);
    expect((await asked(scene)).request.method).toBe('CANCEL');
    first.answer(302, [at(scene, 'moved')]);
    expect(await told(scene)).toBe(302);
    expect(await told(scene)).toBe(302);
    expect((await scene.peer.nextRequest()).method).toBe('ACK');
    expect(await collect(scene)).toEqual([]);
  }));

test('SIP-22: a request whose CSeq its user counts is left to its user', () =>
  withScene('udp', {}, async (scene) => {
    message(scene, { cseq: 7 });
    (await asked(scene)).answer(302, [at(scene, 'a')]);
    expect(await told(scene)).toBe(302);
  }));

test('SIP-22: a challenge is answered once for each realm', () => {
  const challenges: string[] = [];
  const authorise = answering(({ method }) => {
    challenges.push(method);
    return [['Authorization', `Digest number=${challenges.length}`]];
  });
  return withScene('udp', { authorise }, async (scene) => {
    message(scene);
    const first = await asked(scene);
    first.answer(401, [challenge('one')]);
    const second = await asked(scene);
    expect(second.request.header('CSeq')).toBe('2 MESSAGE');
    expect(second.request.header('Call-ID')).toBe(first.request.header('Call-ID'));
    expect(second.request.fields('Authorization')).toEqual(['Digest number=1']);
    second.answer(401, [challenge('two')]);
    const third = await asked(scene);
    expect(third.request.fields('Authorization')).toEqual(['Digest number=2']);
    third.answer(401, [challenge('one')]);
    expect(await told(scene)).toBe(401);
    expect(challenges).toEqual(['MESSAGE', 'MESSAGE']);
  });
});

test('SIP-22: a stale nonce is answered again, once', () => {
  const authorise = answering(() => [['Authorization', 'Digest x=1']]);
  return withScene('udp', { authorise }, async (scene) => {
    message(scene);
    (await asked(scene)).answer(401, [challenge('one')]);
    (await asked(scene)).answer(401, [challenge('one', ', stale=true')]);
    (await asked(scene)).answer(401, [challenge('one', ', stale=true')]);
    expect(await told(scene)).toBe(401);
  });
});

test('SIP-22: without credentials the user hears of the challenge', async () => {
  for (const authorise of [undefined, answering(() => undefined)]) {
    await withScene('udp', authorise ? { authorise } : {}, async (scene) => {
      message(scene);
      (await asked(scene)).answer(407, [['Proxy-Authenticate', challenge('one')[1]]]);
      expect(await told(scene)).toBe(407);
      expect(await collect(scene)).toEqual([]);
    });
  }
});

test('SIP-22: 408 and 503 with Retry-After reach the user as they are', () =>
  withScene('udp', {}, async (scene) => {
    for (const status of [408, 503]) {
      message(scene);
      (await asked(scene)).answer(status, [['Retry-After', '20']]);
      const { response } = await scene.handler.next('response');
      expect([response.status, response.header('Retry-After')]).toEqual([status, '20']);
    }
  }));
