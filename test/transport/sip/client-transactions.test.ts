/** Client transactions over real sockets (RFC 3261 17.1, RFC 6026). */

import { expect, test } from 'vitest';
import { responseTo } from '../../../src/testing/sip-peer.js';
import type { SipRequest } from '../../../src/wire/sip/message.js';
import { brief, collect, toPeer, withScene, type Scene } from './fixture.js';

const contact = [['Contact', '<sip:us@127.0.0.1>']] as const;

async function sent(scene: Scene, method: string) {
  scene.endpoint.request({ ...toPeer(scene.peer), method, headers: contact });
  const { message, reply } = await scene.peer.arrivals.next();
  return { request: message as SipRequest, reply };
}

function acceptance(scene: Scene, tag: string) {
  const headers = [['Contact', `<sip:peer@127.0.0.1:${scene.peer.port}>`]] as const;
  return { tag, headers };
}

test('TX-01: Timer E repeats from T1 to T2, Timer F ends', () =>
  withScene('udp', {}, async (scene) => {
    const { request } = await sent(scene, 'MESSAGE');
    scene.clock.advance(31_990);
    // At 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5 s.
    const repeated = await collect(scene);
    expect(repeated).toHaveLength(10);
    for (const { bytes } of repeated) expect(bytes).toEqual(request.bytes);
    scene.clock.advance(10);
    expect((await scene.handler.next('failure')).cause).toBe('timeout');
    scene.clock.advance(60_000);
    expect(await collect(scene)).toEqual([]);
    expect(scene.endpoint.counters()['clientTransactions']).toBe(0);
  }));

test('TX-01: after a provisional response Timer E is T2', () =>
  withScene('udp', {}, async (scene) => {
    const { request, reply } = await sent(scene, 'MESSAGE');
    reply(responseTo(request, 183));
    expect((await scene.handler.next('response')).response.status).toBe(183);
    scene.clock.advance(500);
    expect(await collect(scene)).toHaveLength(1);
    scene.clock.advance(3_990);
    expect(await collect(scene)).toHaveLength(0);
    scene.clock.advance(10);
    expect(await collect(scene)).toHaveLength(1);
  }));

test('TX-01: Timer A doubles without end, Timer B ends', () =>
  withScene('udp', {}, async (scene) => {
    await sent(scene, 'INVITE');
    scene.clock.advance(31_990);
    // At 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s.
    expect(await collect(scene)).toHaveLength(6);
    scene.clock.advance(10);
    expect((await scene.handler.next('failure')).cause).toBe('timeout');
  }));

test('TX-01: nothing is repeated over TCP', () =>
  withScene('tcp', {}, async (scene) => {
    const uri = `sip:peer@127.0.0.1:${scene.peer.port};transport=tcp`;
    scene.endpoint.request({ ...toPeer(scene.peer), uri, method: 'MESSAGE' });
    await scene.peer.nextRequest();
    scene.clock.advance(31_000);
    const next = scene.peer.arrivals.next();
    scene.clock.advance(1_000);
    expect((await scene.handler.next('failure')).cause).toBe('timeout');
    scene.endpoint.request({ ...toPeer(scene.peer), uri, method: 'OPTIONS' });
    expect(brief([(await next).message])).toEqual(['OPTIONS']);
  }));

test('a final response is told once; its repetitions are absorbed until Timer K', () =>
  withScene('udp', {}, async (scene) => {
    const { request, reply } = await sent(scene, 'MESSAGE');
    for (let time = 0; time < 3; time++) reply(responseTo(request, 200));
    await scene.handler.next('response');
    expect(await collect(scene)).toEqual([]);
    scene.clock.advance(5_000);
    expect(scene.endpoint.counters()['clientTransactions']).toBe(0);
    reply(responseTo(request, 200));
    expect(await collect(scene)).toEqual([]);
    expect(scene.endpoint.counters()['strayResponses']).toBe(1);
  }));

test('17.1.1.3: a refusal of INVITE is acknowledged in its transaction, every time', () =>
  withScene('udp', {}, async (scene) => {
    const { request, reply } = await sent(scene, 'INVITE');
    reply(responseTo(request, 486, { tag: 'r' }));
    const ack = await scene.peer.nextRequest();
    expect(ack.method).toBe('ACK');
    expect(ack.uri).toBe(request.uri);
    expect(ack.header('Via')).toBe(request.header('Via'));
    expect(ack.header('To')).toBe(`${request.header('To')!};tag=r`);
    expect(ack.header('CSeq')).toBe('1 ACK');
    expect((await scene.handler.next('response')).response.status).toBe(486);
    reply(responseTo(request, 486, { tag: 'r' }));
    expect((await scene.peer.nextRequest()).bytes).toEqual(ack.bytes);
    scene.clock.advance(32_000);
    reply(responseTo(request, 486, { tag: 'r' }));
    expect(await collect(scene)).toEqual([]);
  }));

test('TX-02: a second 2xx of a fork is acknowledged and ended', () =>
  withScene('udp', {}, async (scene) => {
    const { request, reply } = await sent(scene, 'INVITE');
    reply(responseTo(request, 200, acceptance(scene, 'one')));
    expect((await scene.handler.next('response')).response.status).toBe(200);
    expect((await scene.peer.nextRequest()).method).toBe('ACK');
    reply(responseTo(request, 200, acceptance(scene, 'two')));
    const ack = await scene.peer.nextRequest();
    const bye = await scene.peer.nextRequest();
    expect([ack.method, ack.header('To')!.endsWith('tag=two')]).toEqual(['ACK', true]);
    expect([bye.method, bye.header('To')!.endsWith('tag=two')]).toEqual(['BYE', true]);
    expect(scene.endpoint.counters()['dialogs']).toBe(1);
    expect(await collect(scene)).toEqual([]);
  }));

test('13.2.2.4: a repeated 2xx gets the same ACK', () =>
  withScene('udp', {}, async (scene) => {
    const { request, reply } = await sent(scene, 'INVITE');
    reply(responseTo(request, 200, acceptance(scene, 'r')));
    await scene.handler.next('response');
    const ack = await scene.peer.nextRequest();
    scene.clock.advance(31_000);
    reply(responseTo(request, 200, acceptance(scene, 'r')));
    expect((await scene.peer.nextRequest()).bytes).toEqual(ack.bytes);
  }));

test('9.1: a 2xx that crosses the CANCEL is acknowledged and ended with BYE', () =>
  withScene('udp', {}, async (scene) => {
    const { request, reply } = await sent(scene, 'INVITE');
    reply(responseTo(request, 180));
    await scene.handler.next('response');
    scene.endpoint.bye('o', 'end', []);
    const cancel = await scene.peer.nextRequest();
    expect(cancel.method).toBe('CANCEL');
    reply(responseTo(cancel, 200));
    reply(responseTo(request, 200, acceptance(scene, 'r')));
    const answered = await scene.handler.next('response');
    expect([answered.id, answered.response.status]).toEqual(['q', 200]);
    expect((await scene.peer.nextRequest()).method).toBe('ACK');
    const bye = await scene.peer.nextRequest();
    expect(bye.method).toBe('BYE');
    reply(responseTo(bye, 200));
    const ended = await scene.handler.next('response');
    expect([ended.id, ended.response.header('CSeq')]).toEqual(['end', '2 BYE']);
    expect(scene.endpoint.counters()['dialogs']).toBe(0);
  }));

test('9.1: a peer that ignores the CANCEL is given up after 64*T1', () =>
  withScene('udp', {}, async (scene) => {
    const { request, reply } = await sent(scene, 'INVITE');
    reply(responseTo(request, 180));
    await scene.handler.next('response');
    scene.endpoint.bye('o', 'end', []);
    const cancel = await scene.peer.nextRequest();
    reply(responseTo(cancel, 200));
    reply(responseTo(request, 183));
    await scene.handler.next('response');
    scene.clock.advance(32_000);
    expect((await scene.handler.next('failure')).id).toBe('q');
    expect((await scene.handler.next('failure')).id).toBe('end');
    expect(scene.endpoint.counters()['pendingInvites']).toBe(0);
  }));

test('16.6: an INVITE that only ever rings is cancelled by Timer C', () =>
  withScene('udp', { limits: { inviteMs: 60_000 } }, async (scene) => {
    const { request, reply } = await sent(scene, 'INVITE');
    reply(responseTo(request, 180));
    await scene.handler.next('response');
    scene.clock.advance(60_000);
    const cancel = await scene.peer.nextRequest();
    expect(cancel.method).toBe('CANCEL');
    reply(responseTo(cancel, 200));
    // It is cancelled already: no second CANCEL.
    scene.endpoint.bye('o', 'end', []);
    expect(await collect(scene)).toEqual([]);
    scene.clock.advance(32_000);
    expect((await scene.handler.next('failure')).cause).toBe('timeout');
  }));

test('a forgotten INVITE that is answered after all is acknowledged and ended', () =>
  withScene('udp', {}, async (scene) => {
    const { request, reply } = await sent(scene, 'INVITE');
    scene.endpoint.forget('o');
    reply(responseTo(request, 200, acceptance(scene, 'r')));
    expect((await scene.peer.nextRequest()).method).toBe('ACK');
    expect((await scene.peer.nextRequest()).method).toBe('BYE');
    expect(await collect(scene)).toEqual([]);
    expect(scene.endpoint.counters()['dialogs']).toBe(0);
  }));

test('a full table fails a request, an owner has one INVITE at a time', () =>
  withScene('udp', { limits: { clientTransactions: 1 } }, async (scene) => {
    await sent(scene, 'INVITE');
    scene.endpoint.request({ ...toPeer(scene.peer), id: 'second', method: 'MESSAGE' });
    const { id, cause } = await scene.handler.next('failure');
    expect([id, cause]).toEqual(['second', 'transport']);
  }));

test('an owner has one INVITE at a time', () =>
  withScene('udp', {}, async (scene) => {
    await sent(scene, 'INVITE');
    scene.endpoint.request({ ...toPeer(scene.peer), id: 'second', method: 'INVITE' });
    expect((await scene.handler.next('failure')).id).toBe('second');
  }));

test('a request that would break its message fails', () =>
  withScene('udp', {}, async (scene) => {
    const headers = [['X-Evil', 'a\r\nInjected: b']] as const;
    scene.endpoint.request({ ...toPeer(scene.peer), method: 'MESSAGE', headers });
    expect((await scene.handler.next('failure')).cause).toBe('transport');
    expect(await collect(scene)).toEqual([]);
  }));

test('a response with a second Via or an unknown branch is dropped', () =>
  withScene('udp', {}, async (scene) => {
    const { request, reply } = await sent(scene, 'MESSAGE');
    const own = responseTo(request, 200).toString();
    reply(Buffer.from(own.replace('\r\n', '\r\nVia: SIP/2.0/UDP 192.0.2.1\r\n')));
    reply(Buffer.from(own.replace('z9hG4bK', 'z9hG4bKx')));
    reply(Buffer.from(own.replace('CSeq: 1 MESSAGE', 'CSeq: 1 OPTIONS')));
    expect(await collect(scene)).toEqual([]);
    expect(scene.endpoint.counters()['strayResponses']).toBe(3);
  }));
