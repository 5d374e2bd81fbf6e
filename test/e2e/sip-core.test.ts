/** The rules of the SIP core against a running server, read off the wire (STANDARDS 2.1). */

import { expect, test } from 'vitest';
import { responseTo } from '../../src/testing/sip-peer.js';
import type { HeaderField } from '../../src/wire/sip/message.js';
import {
  contactOf,
  description,
  hostname,
  push,
  retrieval,
  sdpType,
  store,
  withServer,
} from './sip-scene.js';

const user = 'sip:tomas@example.org';
const deferred = `sip:Deferred@${hostname}`;
const messageUri = `sip:7@${hostname}`;
const im: HeaderField = ['Accept-Contact', '*;+g.oma.sip-im'];

test('SIP-01: an unknown method is 405 with Allow by URI', () =>
  withServer(async ({ ask }) => {
    for (const [uri, has, hasNot] of [
      [user, ['MESSAGE', 'SUBSCRIBE', 'REGISTER', 'OPTIONS'], ['UPDATE']],
      [deferred, ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'UPDATE'], ['MESSAGE', 'FOO']],
      [messageUri, ['INVITE', 'BYE', 'UPDATE'], ['SUBSCRIBE', 'REGISTER']],
    ] as const) {
      const answer = await ask({ method: 'FOO', uri });
      expect(answer.status).toBe(405);
      const allow = answer.list('Allow');
      for (const method of has) expect(allow).toContain(method);
      for (const method of hasNot) expect(allow).not.toContain(method);
    }
    expect((await ask({ method: 'MESSAGE', uri: deferred })).status).toBe(405);
  }));

test('SIP-02: another scheme is 416, nobody here 404, tel is a user like others', () =>
  withServer(async ({ ask }) => {
    for (const method of ['MESSAGE', 'OPTIONS', 'SUBSCRIBE']) {
      const headers = [['Event', 'message-summary'], contactLine] as const;
      const status = async (uri: string) => (await ask({ method, uri, headers })).status;
      expect(await status('mailto:tomas@example.org')).toBe(416);
      expect(await status('sip:tomas@elsewhere.example')).toBe(404);
      expect(await status('tel:+12025550199')).toBe(404);
    }
  }));

const contactLine = ['Contact', '<sip:tomas@127.0.0.1:9>'] as const;

test.each([
  ['INVITE', deferred, 'precondition, 100rel'],
  ['MESSAGE', user, 'recipient-list-message'],
  ['SUBSCRIBE', user, 'eventlist'],
  ['OPTIONS', user, 'precondition'],
  ['OPTIONS', deferred, 'x-future'],
])('SIP-03: %s to %s that requires %s is 420 with exactly that', (method, uri, lacking) =>
  withServer(async (scene) => {
    const headers = [
      ['Require', `pref, ${lacking}`],
      ['Event', 'message-summary'],
      contactOf(scene),
      im,
    ] as const;
    const answer = await scene.ask({ method, uri, headers });
    expect([answer.status, answer.header('Unsupported')]).toEqual([420, lacking]);
  }),
);

test('SIP-03: inside a session too, but never in ACK', () =>
  withServer(async (scene) => {
    const { inside } = await retrieval(scene);
    const headers = [['Require', 'x-future']] as const;
    scene.send({ method: 'ACK', ...inside, headers });
    let cseq = 2;
    for (const method of ['UPDATE', 'OPTIONS', 'INVITE', 'BYE']) {
      const more = [...headers, contactOf(scene)];
      const answer = await scene.ask({ method, ...inside, cseq: cseq++, headers: more });
      expect([answer.status, answer.header('Unsupported')]).toEqual([420, 'x-future']);
      if (method === 'INVITE') scene.send({ method: 'ACK', ...inside, cseq: cseq - 1 });
    }
    expect((await scene.ask({ method: 'BYE', ...inside, cseq })).status).toBe(200);
  }));

test('SIP-04: a MESSAGE that comes by two ways is stored once', () =>
  withServer(async (scene) => {
    const sketch = { method: 'MESSAGE', uri: user, callId: 'forked', body: 'hi' };
    const headers = [['Content-Type', 'text/plain']] as const;
    expect((await scene.ask({ ...sketch, headers, branch: 'one' })).status).toBe(202);
    expect((await scene.ask({ ...sketch, headers, branch: 'two' })).status).toBe(482);
  }));

test('SIP-05: a body that is not understood is 415 with Accept; a message is never refused', () =>
  withServer(async (scene) => {
    const invite = { method: 'INVITE', uri: deferred, body: 'x' };
    for (const described of [
      [['Content-Type', 'application/x-unknown']],
      [['Content-Encoding', 'gzip'], sdpType],
    ] as HeaderField[][]) {
      const headers = [contactOf(scene), im, ...described];
      const answer = await scene.ask({ ...invite, headers });
      expect(answer.status).toBe(415);
      expect(answer.list('Accept')).toContain('application/sdp');
      expect(answer.header('Accept-Encoding')).toBe('identity');
    }
    const headers = [
      ['Content-Type', 'application/x-unknown'],
      ['Content-Encoding', 'gzip'],
    ] as const;
    const stored = await scene.ask({ method: 'MESSAGE', uri: user, headers, body: 'x' });
    expect(stored.status).toBe(202);
  }));

test('SIP-09: an INVITE whose Accept leaves out SDP is 406', () =>
  withServer(async (scene) => {
    const headers = [contactOf(scene), im, sdpType, ['Accept', 'text/html, application/sdp;q=0']];
    const answer = await scene.ask({
      method: 'INVITE',
      uri: deferred,
      headers: headers as HeaderField[],
      body: description({}),
    });
    expect(answer.status).toBe(406);
  }));

test('SIP-08: OPTIONS says what an INVITE would meet; a focus says that it is one', () =>
  withServer(async (scene) => {
    const { inside } = await retrieval(scene);
    for (const [uri, isFocus, events] of [
      [user, false, ['message-summary']],
      [deferred, true, ['message-summary', 'conference']],
      [messageUri, true, ['message-summary', 'conference']],
      [inside.uri, true, ['conference']],
    ] as const) {
      const answer = await scene.ask({ method: 'OPTIONS', uri });
      expect(answer.status).toBe(200);
      expect(answer.list('Allow')).toEqual(expect.arrayContaining(['INVITE', 'ACK', 'OPTIONS']));
      expect(answer.list('Accept')).toContain('application/sdp');
      expect(answer.list('Supported')).toContain('timer');
      expect(answer.list('Allow-Events')).toEqual(events);
      expect(answer.header('Contact')?.includes(';isfocus') === true).toBe(isFocus);
      expect(answer.list('Supported').includes('recipient-list-invite')).toBe(isFocus);
    }
    const within = await scene.ask({ method: 'OPTIONS', ...inside, cseq: 2 });
    expect(within.header('Contact')).toContain(';isfocus');
    const [, host] = inside.uri.split('@');
    const stranger = await scene.ask({ method: 'OPTIONS', uri: `sip:conf-x@${host}` });
    expect(stranger.status).toBe(404);
  }));

test('SIP-10: Max-Forwards 0 reaches us, its absence too', () =>
  withServer(async ({ ask }) => {
    for (const hops of [0, 255, undefined]) {
      expect((await ask({ method: 'OPTIONS', uri: user, hops })).status).toBe(200);
    }
    expect((await ask({ method: 'OPTIONS', uri: user, hops: 256 })).status).toBe(400);
  }));

test('DLG-02: a dialog that nobody knows is 481', () =>
  withServer(async (scene) => {
    const to = `<${user}>;tag=unknown`;
    for (const method of ['BYE', 'UPDATE', 'INVITE', 'OPTIONS', 'NOTIFY', 'INFO', 'SUBSCRIBE']) {
      const headers = [['Event', 'message-summary'], contactOf(scene)] as const;
      expect((await scene.ask({ method, uri: user, to, headers })).status).toBe(481);
    }
    for (const method of ['BYE', 'UPDATE', 'NOTIFY']) {
      expect((await scene.ask({ method, uri: user })).status).toBe(481);
    }
  }));

test('8.2.2: an event package that is not ours is 489 with Allow-Events', () =>
  withServer(async (scene) => {
    const headers = [['Event', 'presence'], contactOf(scene)] as const;
    const answer = await scene.ask({ method: 'SUBSCRIBE', uri: user, headers });
    expect([answer.status, answer.header('Allow-Events')]).toEqual([489, 'message-summary']);
  }));

test('ST-01: a retrieval is watched: Session-Expires is granted, too short a one is 422', () =>
  withServer(async (scene) => {
    const timer = [
      ['Supported', 'timer'],
      ['Session-Expires', '300'],
    ] as const;
    const { inside, accepted } = await retrieval(scene, timer);
    expect(accepted.header('Session-Expires')).toBe('300;refresher=uac');
    expect(accepted.list('Require')).toEqual(['timer']);
    expect(accepted.list('Allow')).toContain('UPDATE');
    const update = { method: 'UPDATE', ...inside };
    const brief = [contactOf(scene), ['Session-Expires', '30']] as HeaderField[];
    const refused = await scene.ask({ ...update, cseq: 2, headers: brief });
    expect([refused.status, refused.header('Min-SE')]).toEqual([422, '90']);
    const headers = [contactOf(scene), ['Require', 'timer'], ...timer] as HeaderField[];
    const refreshed = await scene.ask({ ...update, cseq: 3, headers });
    expect(refreshed.status).toBe(200);
    expect(refreshed.header('Session-Expires')).toBe('300;refresher=uac');
    expect(refreshed.header('Contact')).toContain(';isfocus');
    expect(refreshed.body).toHaveLength(0);
  }));

test('DLG-04: a focus answers an unchanged offer in INVITE and UPDATE, refuses another', () =>
  withServer(async (scene) => {
    const { inside, accepted } = await retrieval(scene);
    const headers = [contactOf(scene), sdpType];
    let cseq = 2;
    for (const method of ['INVITE', 'UPDATE']) {
      const same = { method, ...inside, headers, body: description({}) };
      const answer = await scene.ask({ ...same, cseq });
      expect([answer.status, answer.body.toString()]).toEqual([200, accepted.body.toString()]);
      if (method === 'INVITE') scene.send({ method: 'ACK', ...inside, cseq });
      cseq++;
      const moved = description({ path: 'msrp://127.0.0.1:9/other;tcp' });
      expect((await scene.ask({ ...same, body: moved, cseq })).status).toBe(488);
      if (method === 'INVITE') scene.send({ method: 'ACK', ...inside, cseq });
      cseq++;
    }
    expect((await scene.ask({ method: 'BYE', ...inside, cseq })).status).toBe(200);
  }));

test('ST-02: a push asks for a session timer', () =>
  withServer(async (scene) => {
    const { invite } = await push(scene);
    expect(invite.list('Supported')).toContain('timer');
    expect(invite.header('Session-Expires')).toBe('1800');
    expect(invite.list('Allow')).toContain('UPDATE');
  }));

test('DLG-04: a push answers what changes nothing and refuses what does', () =>
  withServer(async (scene) => {
    const { inside, invite } = await push(scene);
    const headers = [contactOf(scene), sdpType];
    let cseq = 1;
    for (const [method, body, status] of [
      ['UPDATE', undefined, 200],
      ['INVITE', description({}), 200],
      ['UPDATE', description({ setup: 'actpass' }), 200],
      ['INVITE', undefined, 200],
      ['UPDATE', description({ path: 'msrp://127.0.0.1:9/other;tcp' }), 488],
      ['INVITE', description({ direction: 'inactive' }), 488],
      ['INFO', undefined, 405],
    ] as const) {
      const sketch = { method, ...inside, cseq, headers: body ? headers : [contactOf(scene)] };
      const answer = await scene.ask(body ? { ...sketch, body } : sketch);
      expect([method, answer.status]).toEqual([method, status]);
      if (status === 200) expect(answer.header('Contact')).toBe(invite.header('Contact'));
      if (status === 200 && (body || method === 'INVITE')) {
        const path = /a=path:(.*)/.exec(answer.body.toString())![1];
        expect(path).toBe(/a=path:(.*)/.exec(invite.body.toString())![1]);
      }
      if (method === 'INVITE') scene.send({ method: 'ACK', ...inside, cseq });
      cseq++;
    }
    expect((await scene.ask({ method: 'BYE', ...inside, cseq })).status).toBe(200);
  }));

test('SIP-22: a push that is refused leaves the message; 302 is followed', () =>
  withServer(async (scene) => {
    await store(scene);
    const headers = [contactOf(scene), ['Expires', '600']] as HeaderField[];
    const register = { method: 'REGISTER', uri: 'sip:example.org', to: `<${user}>`, headers };
    expect((await scene.ask(register)).status).toBe(200);
    const first = await scene.request();
    const elsewhere = `sip:tablet@127.0.0.1:${scene.peer.port}`;
    const moved = [['Contact', `<${elsewhere}>`]] as const;
    first.reply(responseTo(first.request, 302, { tag: 'a', headers: moved }));
    expect((await scene.request()).request.method).toBe('ACK');
    const second = await scene.request();
    expect([second.request.method, second.request.uri]).toEqual(['INVITE', elsewhere]);
    expect(second.request.header('CSeq')).toBe('2 INVITE');
  }));

test('SDP-03: an offer that cannot be answered is 488, and the account lives on', () =>
  withServer(async (scene) => {
    await store(scene);
    const headers = [contactOf(scene), im, sdpType];
    const invite = { method: 'INVITE', uri: deferred, headers };
    const body = description({ proto: 'TCP/TLS/MSRP', path: 'msrps://127.0.0.1:9/peer;tcp' });
    expect((await scene.ask({ ...invite, body })).status).toBe(488);
    expect((await scene.ask({ ...invite, body: description({}) })).status).toBe(200);
  }));

test('SIP-08: OPTIONS to a focus that does not stand is 404', () =>
  withServer(async (scene) => {
    const { inside } = await retrieval(scene);
    const status = async (uri: string) => (await scene.ask({ method: 'OPTIONS', uri })).status;
    expect(await status(inside.uri)).toBe(200);
    expect(await status(inside.uri.replace('conf-1', 'conf-9'))).toBe(404);
    expect(await status(inside.uri.replace('tomas', 'nobody'))).toBe(404);
    expect((await scene.ask({ method: 'BYE', ...inside, cseq: 2 })).status).toBe(200);
    expect(await status(inside.uri)).toBe(404);
  }));
