/** Session timers of a UAS over real sockets (RFC 4028 9, 10). */

import { expect, test } from 'vitest';
import { tagOf } from '../../../src/wire/sip/name-addr.js';
import { collect, withScene } from './fixture.js';
import { asked, contact, dialogs, invited, peerContact, sdp, withTimer } from './session-scene.js';

test.each([
  ['INVITE', '89'],
  ['INVITE', '1;refresher=uac'],
  ['INVITE', '0'],
])('ST-01: %s with Session-Expires %s is answered 422 with Min-SE 90', (method, value) =>
  withScene('udp', {}, async (scene) => {
    const headers = [withTimer, ['Session-Expires', value]] as const;
    scene.send({ method, branch: 'brief', headers });
    const refused = await scene.peer.nextResponse();
    expect([refused.status, refused.header('Min-SE')]).toEqual([422, '90']);
    scene.send({ method: 'ACK', branch: 'brief', toTag: tagOf(refused.header('To'))! });
    expect(await collect(scene)).toEqual([]);
  }),
);

test('ST-01: no Min-SE of ours is below 90, a longer one is ours to choose', async () => {
  for (const [expiresMin, sent] of [
    [1, '90'],
    [600, '600'],
  ] as const) {
    await withScene('udp', { sessionTimer: { expiresMin } }, async (scene) => {
      const headers = [withTimer, ['x', '80']] as const;
      scene.send({ method: 'INVITE', branch: 'brief', headers });
      const refused = await scene.peer.nextResponse();
      expect([refused.status, refused.header('Min-SE')]).toEqual([422, sent]);
    });
  }
});

test.each(['soon', '-1', '90;refresher="', '1.5', '99999999999'])(
  'ST-01: a malformed Session-Expires is 400: %s',
  (value) =>
    withScene('udp', {}, async (scene) => {
      const headers = [['Session-Expires', value]] as const;
      scene.send({ method: 'INVITE', branch: 'bad', headers });
      expect((await scene.peer.nextResponse()).status).toBe(400);
    }),
);

test.each([
  ['what was asked for', [withTimer, ['Session-Expires', '600']], '600;refresher=uac', 'timer'],
  ['never more than ours', [withTimer, ['Session-Expires', '7200']], '1800;refresher=uac', 'timer'],
  [
    'never less than its Min-SE',
    [withTimer, ['Session-Expires', '7200'], ['Min-SE', '3600']],
    '3600;refresher=uac',
    'timer',
  ],
  [
    'the refresher that was asked for',
    [withTimer, ['Session-Expires', '600;refresher=uas']],
    '600;refresher=uas',
    undefined,
  ],
  ['an interval of ours', [withTimer], '1800;refresher=uac', 'timer'],
  [
    'an interval of ours above its Min-SE',
    [withTimer, ['Min-SE', '2000']],
    '2000;refresher=uac',
    'timer',
  ],
  [
    'Require: timer as support',
    [
      ['Require', 'timer'],
      ['Session-Expires', '90'],
    ],
    '90;refresher=uac',
    'timer',
  ],
  ['us as refresher for a peer without timers', [], '1800;refresher=uas', undefined],
  [
    'us as refresher where a proxy asked',
    [['Session-Expires', '300;refresher=uac']],
    '300;refresher=uas',
    undefined,
  ],
] as const)('ST-01: the 2xx grants %s', (_name, headers, expires, require) =>
  withScene('udp', {}, async (scene) => {
    const { answer } = await invited(scene, headers);
    expect(answer.header('Session-Expires')).toBe(expires);
    expect(answer.header('Require')).toBe(require);
  }),
);

test('ST-02: a peer that does not refresh gets BYE before the session expires', () =>
  withScene('udp', {}, async (scene) => {
    await invited(scene, [withTimer, ['Session-Expires', '600']]);
    scene.clock.advance(567_990);
    expect(await collect(scene)).toEqual([]);
    scene.clock.advance(10);
    expect((await scene.peer.nextRequest()).method).toBe('BYE');
    expect((await scene.handler.next('expired')).owner).toBe('o');
    expect(dialogs(scene)).toBe(0);
  }));

test('ST-02: of a short session a third is left for the BYE', () =>
  withScene('udp', {}, async (scene) => {
    await invited(scene, [withTimer, ['Session-Expires', '90']]);
    scene.clock.advance(59_990);
    expect(await collect(scene)).toEqual([]);
    scene.clock.advance(10);
    expect((await scene.peer.nextRequest()).method).toBe('BYE');
  }));

test.each(['INVITE', 'UPDATE'])('ST-02: %s of the peer begins a new interval', (method) =>
  withScene('udp', {}, async (scene) => {
    const { toTag } = await invited(scene, [withTimer, ['Session-Expires', '600']]);
    scene.clock.advance(500_000);
    const headers = [withTimer, ['Session-Expires', '300;refresher=uac']] as const;
    scene.send({ method, branch: 'refresh', cseq: 2, toTag, headers });
    const { received } = await scene.handler.next('request');
    scene.endpoint.respond(received.transaction, { status: 200, headers: [contact] });
    if (method === 'INVITE') expect((await scene.peer.nextResponse()).status).toBe(100);
    const answer = await scene.peer.nextResponse();
    expect([answer.status, answer.header('Session-Expires')]).toEqual([200, '300;refresher=uac']);
    if (method === 'INVITE') {
      scene.send({ method: 'ACK', branch: 'ack2', cseq: 2, toTag });
      await scene.handler.next('acknowledged');
    }
    scene.clock.advance(267_990);
    expect(await collect(scene)).toEqual([]);
    scene.clock.advance(10);
    expect((await scene.peer.nextRequest()).method).toBe('BYE');
  }),
);

test('ST-01: an UPDATE with too brief an interval is 422, the session goes on', () =>
  withScene('udp', {}, async (scene) => {
    const { toTag } = await invited(scene, [withTimer]);
    const headers = [withTimer, ['Session-Expires', '60']] as const;
    scene.send({ method: 'UPDATE', branch: 'u', cseq: 2, toTag, headers });
    const refused = await scene.peer.nextResponse();
    expect([refused.status, refused.header('Min-SE')]).toEqual([422, '90']);
    expect(dialogs(scene)).toBe(1);
  }));

test('ST-02: for a peer without timers or UPDATE we refresh by an unchanged INVITE', () =>
  withScene('udp', {}, async (scene) => {
    await invited(scene, []);
    scene.clock.advance(900_000);
    const { request, answer } = await asked(scene);
    expect(request.method).toBe('INVITE');
    expect(request.body.toString()).toBe(sdp.toString());
    expect(request.header('Contact')).toBe(contact[1]);
    expect(request.header('Session-Expires')).toBe('1800;refresher=uac');
    answer(200, [peerContact(scene)]);
    const ack = await scene.peer.nextRequest();
    expect([ack.method, ack.header('CSeq')]).toEqual(['ACK', '1 ACK']);
    scene.clock.advance(900_000);
    expect((await asked(scene)).request.header('CSeq')).toBe('2 INVITE');
  }));

test('ST-02: nobody answers our refresh: BYE', () =>
  withScene('udp', {}, async (scene) => {
    await invited(scene, [['Allow', 'INVITE, ACK, BYE, UPDATE']]);
    scene.clock.advance(900_000);
    expect((await asked(scene)).request.method).toBe('UPDATE');
    scene.clock.advance(32_000);
    expect((await scene.handler.next('expired')).owner).toBe('o');
    let last = (await asked(scene)).request;
    while (last.method === 'UPDATE') last = (await asked(scene)).request;
    expect(last.header('CSeq')).toBe('2 BYE');
  }));
