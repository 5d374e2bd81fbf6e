/** INVITE dialogs over real sockets (RFC 3261 12, 13, 14, 15). */

import { expect, test } from 'vitest';
import { responseTo } from '../../../src/testing/sip-peer.js';
import type { SipRequest } from '../../../src/wire/sip/message.js';
import { tagOf } from '../../../src/wire/sip/name-addr.js';
import { brief, collect, toPeer, withScene, type Scene } from './fixture.js';

const contact = [['Contact', '<sip:us@127.0.0.1>']] as const;

/** Our tag of a dialog that the peer opened. */
async function established(scene: Scene, acknowledge = true): Promise<string> {
  const { send, handler, endpoint, peer } = scene;
  const headers = [
    ['Record-Route', `<sip:127.0.0.1:${peer.port};lr;n=1>`],
    ['Record-Route', '<sip:far.example.com;lr;n=2>'],
  ] as const;
  send({ method: 'INVITE', branch: 'i', headers });
  const { received } = await handler.next('request');
  expect((await peer.nextResponse()).status).toBe(100);
  endpoint.respond(received.transaction, { status: 200, headers: contact, owner: 'o' });
  const accepted = await peer.nextResponse();
  expect(accepted.fields('Record-Route')).toEqual(headers.map(([, value]) => value));
  const toTag = tagOf(accepted.header('To'))!;
  if (acknowledge) {
    send({ method: 'ACK', branch: 'ack', toTag });
    await handler.next('acknowledged');
  }
  return toTag;
}

test('DLG-01: a UAS keeps the route set in order; BYE goes along it to the Contact', () =>
  withScene('udp', {}, async (scene) => {
    await established(scene);
    scene.endpoint.bye('o', 'end', []);
    const bye = await scene.peer.nextRequest();
    expect(bye.uri).toBe(`sip:alice@127.0.0.1:${scene.peer.port};transport=udp`);
    expect(bye.list('Route').map((route) => /n=\d/.exec(route)![0])).toEqual(['n=1', 'n=2']);
    expect(bye.header('CSeq')).toBe('1 BYE');
  }));

test('DLG-01: re-INVITE moves the target once it is accepted', () =>
  withScene('udp', {}, async (scene) => {
    const toTag = await established(scene);
    const moved = [['Contact', `<sip:moved@127.0.0.1:${scene.peer.port}>`]] as const;
    const info = { method: 'UPDATE', branch: 'u', cseq: 2, toTag, headers: moved };
    scene.send(info);
    const { received } = await scene.handler.next('request');
    expect(received.owner).toBe('o');
    scene.endpoint.respond(received.transaction, { status: 200, headers: [] });
    expect((await scene.peer.nextResponse()).status).toBe(200);
    scene.endpoint.bye('o', 'end', []);
    expect((await scene.peer.nextRequest()).uri).toBe(`sip:moved@127.0.0.1:${scene.peer.port}`);
  }));

test('DLG-02: a gap in CSeq is accepted, what is older is 500', () =>
  withScene('udp', {}, async (scene) => {
    const toTag = await established(scene);
    scene.send({ method: 'INFO', branch: 'a', cseq: 900, toTag });
    expect((await scene.handler.next('request')).received.owner).toBe('o');
    scene.send({ method: 'BYE', branch: 'b', cseq: 899, toTag });
    const answer = await scene.peer.nextResponse();
    expect([answer.status, answer.header('CSeq')]).toEqual([500, '899 BYE']);
    expect(await collect(scene)).toEqual([]);
  }));

test('DLG-02: another From tag or Call-ID is another dialog', () =>
  withScene('udp', {}, async (scene) => {
    const toTag = await established(scene);
    for (const other of [{ fromTag: 'x' }, { callId: 'x' }, { toTag: 'x' }]) {
      const branch = Object.keys(other)[0]!;
      scene.send({ method: 'INFO', branch, cseq: 2, toTag, ...other });
      expect((await scene.handler.next('request')).received.owner).toBeUndefined();
    }
  }));

test('DLG-03: the 200 is repeated from T1 to T2 until the ACK, over TCP too', async () => {
  for (const transport of ['udp', 'tcp'] as const) {
    await withScene(transport, {}, async (scene) => {
      const toTag = await established(scene, false);
      scene.clock.advance(12_000);
      // At 0.5, 1.5, 3.5, 7.5, 11.5 s.
      expect(brief(await collect(scene))).toEqual(new Array(5).fill('200 INVITE'));
      scene.send({ method: 'ACK', branch: 'ack', toTag });
      await scene.handler.next('acknowledged');
      scene.clock.advance(60_000);
      expect(await collect(scene)).toEqual([]);
    });
  }
});

test('DLG-03: an ACK for another CSeq does not end the repetition', () =>
  withScene('udp', {}, async (scene) => {
    const toTag = await established(scene, false);
    scene.send({ method: 'ACK', branch: 'ack', cseq: 9, toTag });
    expect(await collect(scene)).toEqual([]);
    scene.clock.advance(500);
    expect(brief(await collect(scene))).toEqual(['200 INVITE']);
  }));

test('DLG-03: an ACK that comes after 64*T1 comes too late', () =>
  withScene('udp', {}, async (scene) => {
    const toTag = await established(scene, false);
    scene.clock.advance(31_990);
    expect(await collect(scene)).toHaveLength(10);
    scene.clock.advance(10);
    expect((await scene.handler.next('unacknowledged')).owner).toBe('o');
    expect((await scene.peer.nextRequest()).method).toBe('BYE');
    scene.send({ method: 'ACK', branch: 'ack', toTag });
    expect(await collect(scene)).toEqual([]);
    expect(scene.endpoint.counters()['dialogs']).toBe(0);
    expect(scene.endpoint.counters()['strayAcks']).toBe(1);
  }));

test('DLG-04: a second INVITE before the first is answered gets 500 with Retry-After', () =>
  withScene('udp', {}, async (scene) => {
    const toTag = await established(scene);
    scene.send({ method: 'INVITE', branch: 'r1', cseq: 2, toTag });
    const { received } = await scene.handler.next('request');
    expect((await scene.peer.nextResponse()).status).toBe(100);
    scene.send({ method: 'INVITE', branch: 'r2', cseq: 3, toTag });
    const refused = await scene.peer.nextResponse();
    expect(refused.status).toBe(500);
    expect(Number(refused.header('Retry-After'))).toBeLessThanOrEqual(10);
    scene.endpoint.respond(received.transaction, { status: 200, headers: contact });
    expect((await scene.peer.nextResponse()).status).toBe(200);
    scene.send({ method: 'ACK', branch: 'a2', cseq: 2, toTag });
    await scene.handler.next('acknowledged');
    scene.send({ method: 'INVITE', branch: 'r4', cseq: 4, toTag });
    expect((await scene.handler.next('request')).received.owner).toBe('o');
  }));

test('DLG-05: BYE that waits for the ACK leaves after 64*T1 without it', () =>
  withScene('udp', {}, async (scene) => {
    await established(scene, false);
    scene.endpoint.bye('o', 'end', []);
    scene.clock.advance(31_990);
    expect(brief(await collect(scene))).toEqual(new Array(10).fill('200 INVITE'));
    scene.clock.advance(10);
    const bye = await scene.peer.arrivals.next();
    expect(brief([bye.message])).toEqual(['BYE']);
    bye.reply(responseTo(bye.message as SipRequest, 481));
    const { id, response } = await scene.handler.next('response');
    expect([id, response.status]).toEqual(['end', 481]);
    expect(scene.endpoint.counters()['dialogs']).toBe(0);
  }));

test('DLG-05: a BYE that crosses ours still belongs to its owner', () =>
  withScene('udp', {}, async (scene) => {
    const toTag = await established(scene);
    scene.endpoint.bye('o', 'end', []);
    expect((await scene.peer.nextRequest()).method).toBe('BYE');
    scene.send({ method: 'BYE', branch: 'b', cseq: 2, toTag });
    const { received } = await scene.handler.next('request');
    expect(received.owner).toBe('o');
    scene.endpoint.respond(received.transaction, { status: 200, headers: [] });
    scene.endpoint.bye('o', 'again', []);
    expect((await scene.handler.next('failure')).id).toBe('again');
  }));

test('DLG-05: an unanswered BYE is a timeout and the end of the dialog', () =>
  withScene('udp', {}, async (scene) => {
    await established(scene);
    scene.endpoint.bye('o', 'end', []);
    await scene.peer.nextRequest();
    scene.clock.advance(32_000);
    const { id, cause } = await scene.handler.next('failure');
    expect([id, cause]).toEqual(['end', 'timeout']);
    expect(scene.endpoint.counters()['dialogs']).toBe(0);
  }));

test('12.1: a request inside an early dialog of ours belongs to its owner', () =>
  withScene('udp', {}, async (scene) => {
    scene.endpoint.request({ ...toPeer(scene.peer), method: 'INVITE', headers: contact });
    const { message, reply } = await scene.peer.arrivals.next();
    const invite = message as SipRequest;
    const headers = [['Contact', `<sip:peer@127.0.0.1:${scene.peer.port}>`]] as const;
    reply(responseTo(invite, 183, { tag: 'early', headers }));
    await scene.handler.next('response');
    const callId = invite.header('Call-ID')!;
    const toTag = tagOf(invite.header('From'))!;
    const inside = { callId, fromTag: 'early', toTag };
    scene.send({ method: 'INFO', branch: 'e1', cseq: 5, ...inside });
    expect((await scene.handler.next('request')).received.owner).toBe('o');
    reply(responseTo(invite, 200, { tag: 'early', headers }));
    expect((await scene.handler.next('response')).response.status).toBe(200);
    scene.send({ method: 'INFO', branch: 'e2', cseq: 4, ...inside });
    expect(brief(await collect(scene))).toEqual(['ACK', '500 INFO']);
    expect(scene.endpoint.counters()['dialogs']).toBe(1);
  }));

test('early dialogs of forks are bounded and end with their INVITE', () =>
  withScene('udp', { limits: { forks: 3 } }, async (scene) => {
    scene.endpoint.request({ ...toPeer(scene.peer), method: 'INVITE', headers: contact });
    const { message, reply } = await scene.peer.arrivals.next();
    const invite = message as SipRequest;
    const headers = [['Contact', `<sip:peer@127.0.0.1:${scene.peer.port}>`]] as const;
    for (let fork = 0; fork < 10; fork++) {
      reply(responseTo(invite, 180, { tag: `f${fork}`, headers }));
      await scene.handler.next('response');
    }
    expect(scene.endpoint.counters()['dialogs']).toBe(3);
    reply(responseTo(invite, 480, { tag: 'f1' }));
    await scene.handler.next('response');
    expect(scene.endpoint.counters()['dialogs']).toBe(0);
  }));

test('a full table of dialogs refuses INVITE with 503, other requests pass', () =>
  withScene('udp', { limits: { dialogs: 1 } }, async (scene) => {
    await established(scene);
    scene.send({ method: 'INVITE', branch: 'late', callId: 'late' });
    expect((await scene.peer.nextResponse()).status).toBe(503);
    scene.send({ method: 'MESSAGE', branch: 'm', callId: 'm' });
    await scene.handler.next('request');
    scene.endpoint.request({ ...toPeer(scene.peer), owner: 'p', method: 'INVITE' });
    expect((await scene.handler.next('failure')).owner).toBe('p');
  }));

test('an INVITE without Contact is refused before anyone hears of it', () =>
  withScene('udp', {}, async (scene) => {
    const lines = [
      'INVITE sip:bob@example.org SIP/2.0',
      `Via: SIP/2.0/UDP 127.0.0.1:${scene.peer.port};branch=z9hG4bKnc`,
      'From: <sip:a@example.com>;tag=1',
      'To: <sip:bob@example.org>',
      'Call-ID: nc',
      'CSeq: 1 INVITE',
      '\r\n',
    ];
    scene.sendBytes(lines.join('\r\n'));
    expect((await scene.peer.nextResponse()).status).toBe(400);
    expect(await collect(scene)).toEqual([]);
  }));
