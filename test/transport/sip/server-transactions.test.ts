/** Server transactions over real sockets (RFC 3261 17.2, RFC 6026). */

import { expect, test } from 'vitest';
import { tagOf } from '../../../src/wire/sip/name-addr.js';
import { brief, collect, withScene, type Scene } from './fixture.js';

const contact = [['Contact', '<sip:us@127.0.0.1>']] as const;

async function pendingInvite({ send, handler, peer }: Scene) {
  send({ method: 'INVITE', branch: 'i' });
  const { received } = await handler.next('request');
  expect((await peer.nextResponse()).status).toBe(100);
  return received.transaction;
}

test('TX-01: Timer G repeats a refusal of INVITE from T1 to T2, Timer H ends it', () =>
  withScene('udp', {}, async (scene) => {
    const transaction = await pendingInvite(scene);
    scene.endpoint.respond(transaction, { status: 486, headers: [] });
    scene.clock.advance(32_000);
    // At 0, then 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5 s.
    expect(brief(await collect(scene))).toEqual(new Array(11).fill('486 INVITE'));
    scene.clock.advance(40_000);
    expect(await collect(scene)).toEqual([]);
    // Gone: the same request is a fresh one.
    scene.send({ method: 'INVITE', branch: 'i' });
    expect((await scene.handler.next('request')).received.request.method).toBe('INVITE');
  }));

test('TX-01: the ACK ends the repetition and is absorbed, again and again', () =>
  withScene('udp', {}, async (scene) => {
    const transaction = await pendingInvite(scene);
    scene.endpoint.respond(transaction, { status: 486, headers: [] });
    const toTag = tagOf((await scene.peer.nextResponse()).header('To'))!;
    scene.send({ method: 'ACK', branch: 'i', toTag });
    scene.send({ method: 'ACK', branch: 'i', toTag });
    expect(await collect(scene)).toEqual([]);
    scene.clock.advance(4_900);
    scene.send({ method: 'INVITE', branch: 'i' });
    expect(await collect(scene)).toEqual([]);
    // Timer I.
    scene.clock.advance(100);
    expect(scene.endpoint.counters()['serverTransactions']).toBe(2);
  }));

test('a retransmitted INVITE gets the last provisional response', () =>
  withScene('udp', {}, async (scene) => {
    const transaction = await pendingInvite(scene);
    scene.send({ method: 'INVITE', branch: 'i' });
    expect((await scene.peer.nextResponse()).status).toBe(100);
    scene.endpoint.respond(transaction, { status: 180, headers: [] });
    const ringing = await scene.peer.nextResponse();
    scene.send({ method: 'INVITE', branch: 'i' });
    expect((await scene.peer.nextResponse()).bytes).toEqual(ringing.bytes);
  }));

test('TX-02: after the 200 a retransmitted INVITE is absorbed until Timer L', () =>
  withScene('udp', {}, async (scene) => {
    const transaction = await pendingInvite(scene);
    scene.endpoint.respond(transaction, { status: 200, headers: contact, owner: 'o' });
    const toTag = tagOf((await scene.peer.nextResponse()).header('To'))!;
    scene.send({ method: 'ACK', branch: 'other', toTag });
    await scene.handler.next('acknowledged');
    scene.send({ method: 'INVITE', branch: 'i' });
    expect(await collect(scene)).toEqual([]);
    scene.clock.advance(31_000);
    scene.send({ method: 'INVITE', branch: 'i' });
    expect(await collect(scene)).toEqual([]);
    // A repeated ACK tells nobody anything.
    scene.send({ method: 'ACK', branch: 'other', toTag });
    expect(await collect(scene)).toEqual([]);
  }));

test('TX-02: an ACK with the branch of its INVITE is understood', () =>
  withScene('udp', {}, async (scene) => {
    const transaction = await pendingInvite(scene);
    scene.endpoint.respond(transaction, { status: 200, headers: contact, owner: 'o' });
    const toTag = tagOf((await scene.peer.nextResponse()).header('To'))!;
    scene.send({ method: 'ACK', branch: 'i', toTag });
    expect((await scene.handler.next('acknowledged')).owner).toBe('o');
  }));

test('TX-03: the same branch of another sent-by or method is another transaction', () =>
  withScene('udp', {}, async (scene) => {
    scene.send({ method: 'MESSAGE', branch: 'same', callId: 'a' });
    await scene.handler.next('request');
    scene.send({ method: 'OPTIONS', branch: 'same', callId: 'b' });
    expect((await scene.handler.next('request')).received.request.method).toBe('OPTIONS');
    const via = `SIP/2.0/UDP elsewhere.example:5060;branch=z9hG4bKsame;rport`;
    scene.sendBytes(legacy('MESSAGE', 'c', via));
    expect((await scene.handler.next('request')).received.request.header('Call-ID')).toBe('c');
  }));

test('TX-03: a request without magic cookie is matched as RFC 2543 does', () =>
  withScene('udp', {}, async (scene) => {
    const via = `SIP/2.0/UDP 127.0.0.1:${scene.peer.port};branch=1`;
    scene.sendBytes(legacy('MESSAGE', 'old-1', via));
    const { received } = await scene.handler.next('request');
    scene.endpoint.respond(received.transaction, { status: 202, headers: [] });
    const first = await scene.peer.nextResponse();
    scene.sendBytes(legacy('MESSAGE', 'old-1', via));
    expect((await scene.peer.nextResponse()).bytes).toEqual(first.bytes);
    scene.sendBytes(legacy('MESSAGE', 'old-2', via));
    const second = await scene.handler.next('request');
    expect(second.received.request.header('Call-ID')).toBe('old-2');
  }));

test('TX-04: Timer J ends after 64*T1 over UDP and at once over TCP', async () => {
  for (const [transport, kept] of [
    ['udp', 1],
    ['tcp', 0],
  ] as const) {
    await withScene(transport, {}, async (scene) => {
      scene.send({ method: 'MESSAGE', branch: 'j' });
      const { received } = await scene.handler.next('request');
      scene.endpoint.respond(received.transaction, { status: 202, headers: [] });
      expect((await scene.peer.nextResponse()).status).toBe(202);
      expect(scene.endpoint.counters()['serverTransactions']).toBe(kept);
      scene.clock.advance(32_000);
      expect(scene.endpoint.counters()['serverTransactions']).toBe(0);
      expect(scene.endpoint.counters()['timers']).toBe(transport === 'tcp' ? 1 : 0);
    });
  }
});

test('TX-04: a lost 202 is sent again when the request comes again', () =>
  withScene('udp', {}, async (scene) => {
    scene.send({ method: 'MESSAGE', branch: 'm' });
    const { received } = await scene.handler.next('request');
    scene.send({ method: 'MESSAGE', branch: 'm' });
    expect(await collect(scene)).toEqual([]);
    scene.endpoint.respond(received.transaction, { status: 202, headers: [] });
    for (let time = 0; time < 3; time++) scene.send({ method: 'MESSAGE', branch: 'm' });
    const answers = await collect(scene);
    expect(brief(answers)).toEqual(new Array(4).fill('202 MESSAGE'));
    expect(new Set(answers.map(({ bytes }) => bytes.toString())).size).toBe(1);
    expect(scene.endpoint.counters()['absorbed']).toBe(4);
  }));

test('a request that nobody answers is forgotten when its client has given up', () =>
  withScene('udp', {}, async (scene) => {
    scene.send({ method: 'MESSAGE', branch: 'x' });
    const { received } = await scene.handler.next('request');
    scene.clock.advance(32_000);
    expect(scene.endpoint.counters()['serverTransactions']).toBe(0);
    scene.endpoint.respond(received.transaction, { status: 202, headers: [] });
    expect(await collect(scene)).toEqual([]);
  }));

test('an INVITE that nobody answers gets 408 after Timer C', () =>
  withScene('udp', { limits: { inviteMs: 60_000 } }, async (scene) => {
    const transaction = await pendingInvite(scene);
    scene.clock.advance(60_000);
    expect((await scene.handler.next('cancelled')).transaction).toBe(transaction);
    expect((await scene.peer.nextResponse()).status).toBe(408);
  }));

test('SIP-07: CANCEL after the final response is answered and has no effect', () =>
  withScene('udp', {}, async (scene) => {
    const transaction = await pendingInvite(scene);
    scene.endpoint.respond(transaction, { status: 200, headers: contact, owner: 'o' });
    const accepted = await scene.peer.nextResponse();
    scene.send({ method: 'CANCEL', branch: 'i' });
    const answer = await scene.peer.nextResponse();
    expect([answer.status, answer.header('CSeq')]).toEqual([200, '1 CANCEL']);
    expect(tagOf(answer.header('To'))).toBe(tagOf(accepted.header('To')));
    scene.send({ method: 'CANCEL', branch: 'i' });
    expect((await scene.peer.nextResponse()).bytes).toEqual(answer.bytes);
    expect(await collect(scene)).toEqual([]);
  }));

test('SIP-07: an answer that crosses the CANCEL is dropped', () =>
  withScene('udp', {}, async (scene) => {
    const transaction = await pendingInvite(scene);
    scene.send({ method: 'CANCEL', branch: 'i' });
    await scene.handler.next('cancelled');
    scene.endpoint.respond(transaction, { status: 200, headers: contact, owner: 'o' });
    expect(brief(await collect(scene))).toEqual(['200 CANCEL', '487 INVITE']);
    expect(scene.endpoint.counters()['dialogs']).toBe(0);
  }));

test('SIP-04: a merged request is told apart from the retransmission of its first branch', () =>
  withScene('udp', {}, async (scene) => {
    scene.send({ method: 'MESSAGE', branch: 'left' });
    const { received } = await scene.handler.next('request');
    scene.send({ method: 'MESSAGE', branch: 'right' });
    scene.send({ method: 'MESSAGE', branch: 'right' });
    scene.endpoint.respond(received.transaction, { status: 202, headers: [] });
    scene.send({ method: 'MESSAGE', branch: 'left' });
    const answers = brief(await collect(scene));
    expect(answers.sort()).toEqual(['202 MESSAGE', '202 MESSAGE', '482 MESSAGE', '482 MESSAGE']);
    expect(scene.endpoint.counters()['merged']).toBe(1);
  }));

test('a full table refuses with 503 and takes in again once there is room', () =>
  withScene('udp', { limits: { serverTransactions: 2 } }, async (scene) => {
    scene.send({ method: 'MESSAGE', branch: '1', callId: 'a' });
    scene.send({ method: 'MESSAGE', branch: '2', callId: 'b' });
    await scene.handler.next('request');
    await scene.handler.next('request');
    scene.send({ method: 'MESSAGE', branch: '3', callId: 'c' });
    const refused = await scene.peer.nextResponse();
    expect([refused.status, refused.header('Retry-After')]).toEqual([503, '10']);
    scene.clock.advance(32_000);
    scene.send({ method: 'MESSAGE', branch: '3', callId: 'c' });
    const { received } = await scene.handler.next('request');
    expect(received.request.header('Call-ID')).toBe('c');
  }));

test('an answer that would break its message becomes 500', () =>
  withScene('udp', {}, async (scene) => {
    scene.send({ method: 'MESSAGE', branch: 'e' });
    const { received } = await scene.handler.next('request');
    const headers = [['X-Evil', 'a\r\nInjected: b']] as const;
    scene.endpoint.respond(received.transaction, { status: 202, headers });
    const answer = await scene.peer.nextResponse();
    expect(answer.status).toBe(500);
    expect(answer.header('Injected')).toBeUndefined();
    expect(scene.lines.map(({ level }) => level)).toEqual(['error']);
  }));

test('names of Object.prototype are ordinary identifiers', () =>
  withScene('udp', {}, async (scene) => {
    for (const name of ['__proto__', 'constructor', 'hasOwnProperty']) {
      scene.send({ method: 'MESSAGE', branch: name, callId: name, fromTag: name });
      const { received } = await scene.handler.next('request');
      scene.endpoint.respond(received.transaction, { status: 202, headers: [] });
      expect((await scene.peer.nextResponse()).header('Call-ID')).toBe(name);
    }
  }));

function legacy(method: string, callId: string, via: string): string {
  return [
    `${method} sip:bob@example.org SIP/2.0`,
    `Via: ${via}`,
    'From: <sip:alice@example.com>;tag=x',
    'To: <sip:bob@example.org>',
    `Call-ID: ${callId}`,
    `CSeq: 1 ${method}`,
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n');
}
