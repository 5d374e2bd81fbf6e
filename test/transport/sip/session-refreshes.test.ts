/** Session timers of a UAC over real sockets (RFC 4028 7, 10). */

import { expect, test } from 'vitest';
import { responseTo } from '../../../src/testing/sip-peer.js';
import { collect, toPeer, withScene } from './fixture.js';
import {
  asked,
  contact,
  dialogs,
  inviting,
  peerContact,
  sdp,
  sentInvite,
} from './session-scene.js';

test('ST-01: an INVITE asks for 1800 s; other requests do not', () =>
  withScene('udp', {}, async (scene) => {
    const { invite } = await sentInvite(scene);
    expect(invite.list('Supported')).toContain('timer');
    expect(invite.header('Session-Expires')).toBe('1800');
    expect(invite.header('Min-SE')).toBeUndefined();
    scene.endpoint.request({ ...toPeer(scene.peer), id: 'm', method: 'MESSAGE' });
    const { request } = await asked(scene);
    expect(request.header('Session-Expires')).toBeUndefined();
  }));

test('ST-01: 422 is followed by what it asks for, once', () =>
  withScene('udp', {}, async (scene) => {
    const { arrival, invite } = await sentInvite(scene);
    arrival.reply(responseTo(invite, 422, { tag: 'a', headers: [['Min-SE', '4000']] }));
    expect((await scene.peer.nextRequest()).method).toBe('ACK');
    const again = await asked(scene);
    expect(again.request.header('CSeq')).toBe('2 INVITE');
    expect(again.request.header('Call-ID')).toBe(invite.header('Call-ID'));
    expect(again.request.fields('Session-Expires')).toEqual(['4000']);
    expect(again.request.fields('Min-SE')).toEqual(['4000']);
    expect(again.request.body.toString()).toBe(sdp.toString());
    again.answer(422, [['Min-SE', '5000']]);
    expect((await scene.handler.next('response')).response.status).toBe(422);
  }));

test('ST-02: we refresh at half the interval, by UPDATE where the peer takes it', () =>
  withScene('udp', {}, async (scene) => {
    await inviting(scene, [
      ['Session-Expires', '600;refresher=uac'],
      ['Require', 'timer'],
      ['Allow', 'INVITE, ACK, BYE, CANCEL, UPDATE'],
    ]);
    for (const cseq of [2, 3]) {
      scene.clock.advance(299_990);
      expect(await collect(scene)).toEqual([]);
      scene.clock.advance(10);
      const { request, answer } = await asked(scene);
      expect(request.header('CSeq')).toBe(`${cseq} UPDATE`);
      expect(request.header('Session-Expires')).toBe('600;refresher=uac');
      expect(request.body).toHaveLength(0);
      expect(request.header('Content-Type')).toBeUndefined();
      expect(request.header('Contact')).toBe(contact[1]);
      answer(200, [['Session-Expires', '600;refresher=uac']]);
      expect(await collect(scene)).toEqual([]);
    }
    scene.endpoint.bye('o', 'end', []);
    expect((await scene.peer.nextRequest()).header('CSeq')).toBe('4 BYE');
  }));

test('ST-02: without Session-Expires in the 2xx the session never expires', () =>
  withScene('udp', {}, async (scene) => {
    await inviting(scene, []);
    scene.clock.advance(7_200_000);
    expect(await collect(scene)).toEqual([]);
    expect(dialogs(scene)).toBe(1);
  }));

test('ST-02: a peer that was to refresh and does not gets BYE', () =>
  withScene('udp', {}, async (scene) => {
    await inviting(scene, [['Session-Expires', '300;refresher=uas']]);
    scene.clock.advance(268_000);
    expect((await scene.peer.nextRequest()).method).toBe('BYE');
    expect((await scene.handler.next('expired')).owner).toBe('o');
  }));

test('ST-02: UPDATE that is not allowed after all is followed by INVITE', () =>
  withScene('udp', {}, async (scene) => {
    await inviting(scene, [
      ['Session-Expires', '600;refresher=uac'],
      ['Allow', 'UPDATE'],
    ]);
    scene.clock.advance(300_000);
    const { request, answer } = await asked(scene);
    expect(request.method).toBe('UPDATE');
    answer(405);
    const again = await asked(scene);
    expect(again.request.header('CSeq')).toBe('3 INVITE');
    again.answer(200, [peerContact(scene), ['Session-Expires', '600;refresher=uac']]);
    expect((await scene.peer.nextRequest()).method).toBe('ACK');
  }));

test('ST-02: 422 to a refresh asks for more time', () =>
  withScene('udp', {}, async (scene) => {
    await inviting(scene, [
      ['Session-Expires', '600;refresher=uac'],
      ['Allow', 'UPDATE'],
    ]);
    scene.clock.advance(300_000);
    (await asked(scene)).answer(422, [['Min-SE', '900']]);
    expect(await collect(scene)).toEqual([]);
    scene.clock.advance(4_000);
    const { request } = await asked(scene);
    expect(request.header('Session-Expires')).toBe('900;refresher=uac');
    expect(request.header('Min-SE')).toBe('900');
  }));

test.each([408, 481])('ST-02: %i to a refresh is the end: BYE', (status) =>
  withScene('udp', {}, async (scene) => {
    await inviting(scene, [['Session-Expires', '600;refresher=uac']]);
    scene.clock.advance(300_000);
    (await asked(scene)).answer(status);
    await scene.handler.next('expired');
    const requests = [(await asked(scene)).request.method, (await asked(scene)).request.method];
    expect(requests.sort()).toEqual(['ACK', 'BYE']);
    expect(dialogs(scene)).toBe(0);
  }),
);

test('ST-02: 500 with Retry-After puts the refresh off', () =>
  withScene('udp', {}, async (scene) => {
    await inviting(scene, [
      ['Session-Expires', '600;refresher=uac'],
      ['Allow', 'UPDATE'],
    ]);
    scene.clock.advance(300_000);
    (await asked(scene)).answer(500, [['Retry-After', '7 (busy)']]);
    expect(await collect(scene)).toEqual([]);
    scene.clock.advance(6_990);
    expect(await collect(scene)).toEqual([]);
    scene.clock.advance(10);
    expect((await asked(scene)).request.header('CSeq')).toBe('3 UPDATE');
  }));

test('ST-02: a refusal for another reason leaves the session until it expires', () =>
  withScene('udp', {}, async (scene) => {
    await inviting(scene, [
      ['Session-Expires', '600;refresher=uac'],
      ['Allow', 'UPDATE'],
    ]);
    scene.clock.advance(300_000);
    (await asked(scene)).answer(488);
    expect(await collect(scene)).toEqual([]);
    scene.clock.advance(267_990);
    expect(await collect(scene)).toEqual([]);
    scene.clock.advance(10);
    expect((await asked(scene)).request.method).toBe('BYE');
  }));

test('ST-02: an interval below 90 s does not make us hurry', () =>
  withScene('udp', {}, async (scene) => {
    await inviting(scene, [
      ['Session-Expires', '1;refresher=uac'],
      ['Allow', 'UPDATE'],
    ]);
    scene.clock.advance(44_990);
    expect(await collect(scene)).toEqual([]);
    scene.clock.advance(10);
    expect((await asked(scene)).request.method).toBe('UPDATE');
  }));

test('ST-02: no refresh once BYE has been sent or the dialog is forgotten', async () => {
  for (const end of ['bye', 'forget'] as const) {
    await withScene('udp', {}, async (scene) => {
      await inviting(scene, [['Session-Expires', '600;refresher=uac']]);
      if (end === 'forget') scene.endpoint.forget('o');
      else {
        scene.endpoint.bye('o', 'end', []);
        (await asked(scene)).answer(200);
        await scene.handler.next('response');
      }
      scene.clock.advance(1_200_000);
      expect(await collect(scene)).toEqual([]);
    });
  }
});
