/** Requests that meet inside a dialog, over real sockets (RFC 3261 14, RFC 3311 5.2). */

import { expect, test } from 'vitest';
import { fractionOf, glareDelayMs, retryAfterSeconds } from '../../../src/transport/sip/glare.js';
import { systemRandom } from '../../../src/system.js';
import { collect, withScene, type Scene } from './fixture.js';
import { responseTo } from '../../../src/testing/sip-peer.js';
import { tagOf } from '../../../src/wire/sip/name-addr.js';
import { asked, contact, invited, inviting, peerContact, sentInvite } from './session-scene.js';

const random = (text: string) => ({ token: () => text });

test('DLG-04: the owner of the Call-ID waits 2.1 to 4 s, the other side up to 2 s', () => {
  expect(glareDelayMs(true, random('AAAA'))).toBe(2_100);
  expect(glareDelayMs(true, random('9999'))).toBe(4_000);
  expect(glareDelayMs(false, random('AAAA'))).toBe(0);
  expect(glareDelayMs(false, random('9999'))).toBe(2_000);
  expect(retryAfterSeconds(random('AAAA'))).toBe('0');
  expect(retryAfterSeconds(random('9999'))).toBe('10');
  const drawn = Array.from({ length: 200 }, () => fractionOf(systemRandom));
  expect(Math.min(...drawn)).toBeLessThan(0.2);
  expect(Math.max(...drawn)).toBeGreaterThan(0.8);
  expect(drawn.every((one) => one >= 0 && one < 1)).toBe(true);
});

/** Our INVITE inside the dialog is under way. */
async function refreshing(scene: Scene) {
  const { toTag } = await invited(scene, []);
  scene.clock.advance(900_000);
  const refresh = await asked(scene);
  expect(refresh.request.method).toBe('INVITE');
  return { toTag, refresh };
}

test('DLG-04: an INVITE that meets ours gets 491, so does an UPDATE with an offer', () =>
  withScene('udp', {}, async (scene) => {
    const { toTag, refresh } = await refreshing(scene);
    scene.send({ method: 'INVITE', branch: 'x', cseq: 2, toTag });
    expect((await scene.peer.nextResponse()).status).toBe(491);
    scene.send({ method: 'ACK', branch: 'x', cseq: 2, toTag });
    const body = Buffer.from('v=0\r\n');
    scene.send({ method: 'UPDATE', branch: 'y', cseq: 3, toTag, body });
    expect((await scene.peer.nextResponse()).status).toBe(491);
    refresh.answer(200, [peerContact(scene)]);
    expect((await scene.peer.nextRequest()).method).toBe('ACK');
    scene.send({ method: 'INVITE', branch: 'z', cseq: 4, toTag });
    expect((await scene.handler.next('request')).received.owner).toBe('o');
  }));

test('DLG-04: an INVITE in an early dialog of ours gets 491', () =>
  withScene('udp', {}, async (scene) => {
    const { arrival, invite } = await sentInvite(scene);
    const headers = [peerContact(scene)];
    arrival.reply(responseTo(invite, 183, { tag: 'early', headers }));
    await scene.handler.next('response');
    const callId = invite.header('Call-ID')!;
    const toTag = tagOf(invite.header('From'))!;
    scene.send({ method: 'INVITE', branch: 'x', callId, fromTag: 'early', toTag });
    expect((await scene.peer.nextResponse()).status).toBe(491);
  }));

test('DLG-04: an UPDATE without an offer may meet our INVITE', () =>
  withScene('udp', {}, async (scene) => {
    const { toTag } = await refreshing(scene);
    scene.send({ method: 'UPDATE', branch: 'y', cseq: 2, toTag });
    const { received } = await scene.handler.next('request');
    scene.endpoint.respond(received.transaction, { status: 200, headers: [contact] });
    expect((await scene.peer.nextResponse()).status).toBe(200);
  }));

test('DLG-04: our INVITE that met another is sent again within 2 s, as callee', () =>
  withScene('udp', {}, async (scene) => {
    const { refresh } = await refreshing(scene);
    refresh.answer(491);
    expect((await scene.peer.nextRequest()).method).toBe('ACK');
    scene.clock.advance(2_010);
    expect((await asked(scene)).request.header('CSeq')).toBe('2 INVITE');
  }));

test('DLG-04: our UPDATE that met another is sent again after 2.1 s, as caller', () =>
  withScene('udp', {}, async (scene) => {
    await inviting(scene, [
      ['Session-Expires', '600;refresher=uac'],
      ['Allow', 'UPDATE'],
    ]);
    scene.clock.advance(300_000);
    (await asked(scene)).answer(491);
    expect(await collect(scene)).toEqual([]);
    scene.clock.advance(2_090);
    expect(await collect(scene)).toEqual([]);
    scene.clock.advance(1_910);
    expect((await asked(scene)).request.header('CSeq')).toBe('3 UPDATE');
  }));

test('DLG-04: while an INVITE of the peer is pending, our refresh waits', () =>
  withScene('udp', { limits: { inviteMs: 3_600_000 } }, async (scene) => {
    const { toTag } = await invited(scene, []);
    scene.send({ method: 'INVITE', branch: 'x', cseq: 2, toTag });
    const { received } = await scene.handler.next('request');
    expect((await scene.peer.nextResponse()).status).toBe(100);
    scene.clock.advance(910_000);
    expect(await collect(scene)).toEqual([]);
    scene.endpoint.respond(received.transaction, { status: 488, headers: [] });
    expect((await scene.peer.nextResponse()).status).toBe(488);
    scene.send({ method: 'ACK', branch: 'x', cseq: 2, toTag });
    expect(await collect(scene)).toEqual([]);
    scene.clock.advance(2_010);
    expect((await asked(scene)).request.header('CSeq')).toBe('1 INVITE');
  }));

test('DLG-04: a second UPDATE before the first is answered gets 500 with Retry-After', () =>
  withScene('udp', {}, async (scene) => {
    const { toTag } = await invited(scene, []);
    const body = Buffer.from('v=0\r\n');
    scene.send({ method: 'UPDATE', branch: 'u1', cseq: 2, toTag, body });
    const { received } = await scene.handler.next('request');
    for (const method of ['UPDATE', 'INVITE']) {
      scene.send({ method, branch: `u2${method}`, cseq: 3, toTag });
      const refused = await scene.peer.nextResponse();
      expect(refused.status).toBe(500);
      expect(refused.header('Retry-After')).toMatch(/^(\d|10)$/);
    }
    scene.endpoint.respond(received.transaction, { status: 200, headers: [contact] });
    expect((await scene.peer.nextResponse()).status).toBe(200);
    scene.send({ method: 'UPDATE', branch: 'u4', cseq: 4, toTag });
    expect((await scene.handler.next('request')).received.owner).toBe('o');
  }));

test('DLG-05: BYE ends an INVITE that waits for its answer with 487', () =>
  withScene('udp', {}, async (scene) => {
    const { toTag } = await invited(scene, []);
    scene.send({ method: 'INVITE', branch: 'x', cseq: 2, toTag });
    const invite = (await scene.handler.next('request')).received;
    expect((await scene.peer.nextResponse()).status).toBe(100);
    scene.send({ method: 'BYE', branch: 'b', cseq: 3, toTag });
    expect((await scene.handler.next('cancelled')).transaction).toBe(invite.transaction);
    expect((await scene.peer.nextResponse()).status).toBe(487);
    const { received } = await scene.handler.next('request');
    expect([received.request.method, received.owner]).toEqual(['BYE', 'o']);
    scene.endpoint.respond(invite.transaction, { status: 200, headers: [contact] });
    scene.endpoint.respond(received.transaction, { status: 200, headers: [] });
    const answer = await scene.peer.nextResponse();
    expect(answer.header('CSeq')).toBe('3 BYE');
  }));
