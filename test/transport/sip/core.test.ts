/** Rules of the UAS and UAC core, seen on the wire (RFC 3261 8.2, 9, 17, 18.1.2). */

import { once } from 'node:events';
import { expect, test } from 'vitest';
import { responseTo } from '../../../src/testing/sip-peer.js';
import type { SipRequest } from '../../../src/wire/sip/message.js';
import { tagOf } from '../../../src/wire/sip/name-addr.js';
import { parseSip } from '../../../src/wire/sip/parse.js';
import { brief, collect, dial, message, toPeer, until, withScene } from './fixture.js';

const contact = [['Contact', '<sip:us@127.0.0.1>']] as const;
const foreign = [['Require', 'x-future']] as const;

test('SIP-03: Require is ignored in CANCEL and ACK', () =>
  withScene('udp', {}, async (scene) => {
    scene.send({ method: 'INVITE', branch: 'one', callId: 'one' });
    await scene.handler.next('request');
    expect((await scene.peer.nextResponse()).status).toBe(100);
    scene.send({ method: 'CANCEL', branch: 'one', callId: 'one', headers: foreign });
    await scene.handler.next('cancelled');
    expect(brief(await collect(scene)).sort()).toEqual(['200 CANCEL', '487 INVITE']);
    scene.send({ method: 'INVITE', branch: 'two', callId: 'two' });
    const { received } = await scene.handler.next('request');
    expect((await scene.peer.nextResponse()).status).toBe(100);
    const answer = { status: 200, headers: contact, owner: 'o' };
    scene.endpoint.respond(received.transaction, answer);
    const toTag = tagOf((await scene.peer.nextResponse()).header('To'))!;
    scene.send({ method: 'ACK', branch: 'ack', callId: 'two', toTag, headers: foreign });
    expect((await scene.handler.next('acknowledged')).owner).toBe('o');
  }));

test('SIP-04: an INVITE that comes by two ways is taken once, the copy gets 482', () =>
  withScene('udp', {}, async (scene) => {
    scene.send({ method: 'INVITE', branch: 'a' });
    const { received } = await scene.handler.next('request');
    expect((await scene.peer.nextResponse()).status).toBe(100);
    scene.send({ method: 'INVITE', branch: 'b' });
    expect((await scene.peer.nextResponse()).status).toBe(482);
    scene.send({ method: 'ACK', branch: 'b', toTag: 'any' });
    scene.endpoint.respond(received.transaction, { status: 486, headers: [] });
    // The copy of what has just been answered is still a copy.
    expect((await scene.peer.nextResponse()).status).toBe(486);
    scene.send({ method: 'INVITE', branch: 'c' });
    expect((await scene.peer.nextResponse()).status).toBe(482);
    expect(scene.endpoint.counters()['merged']).toBe(2);
  }));

test('SIP-06: the To tag of the 100 and of every further answer, Via and the rest as they came', () =>
  withScene('udp', {}, async (scene) => {
    scene.sendBytes(
      message(
        `SIP/2.0/UDP 127.0.0.1:${scene.peer.port};branch=z9hG4bK6;x="a,b"`,
        'Via: SIP/2.0/TLS far.example.com;branch=z9hG4bKfar\r\n',
      ),
    );
    const { received } = await scene.handler.next('request');
    scene.endpoint.respond(received.transaction, { status: 180, headers: [] });
    scene.endpoint.respond(received.transaction, { status: 202, headers: [] });
    const [ringing, accepted] = [await scene.peer.nextResponse(), await scene.peer.nextResponse()];
    expect(tagOf(ringing.header('To'))).toBe(tagOf(accepted.header('To')));
    expect(tagOf(accepted.header('To'))).toBeDefined();
    expect(accepted.fields('Via')).toEqual(received.request.fields('Via'));
    for (const name of ['From', 'Call-ID', 'CSeq']) {
      expect(accepted.header(name)).toBe(received.request.header(name));
    }
  }));

test('SIP-07: CANCEL of an INVITE that is not there gets 481', () =>
  withScene('udp', {}, async (scene) => {
    scene.send({ method: 'CANCEL', branch: 'none' });
    expect((await scene.peer.nextResponse()).status).toBe(481);
    expect(await collect(scene)).toEqual([]);
  }));

test('SIP-07: the ACK of the 487 may overtake the 200 to the CANCEL, and come twice', () =>
  withScene('udp', {}, async (scene) => {
    scene.send({ method: 'INVITE', branch: 'i' });
    await scene.handler.next('request');
    expect((await scene.peer.nextResponse()).status).toBe(100);
    scene.send({ method: 'CANCEL', branch: 'i' });
    scene.send({ method: 'ACK', branch: 'i', toTag: 'early' });
    scene.send({ method: 'ACK', branch: 'i', toTag: 'early' });
    scene.send({ method: 'CANCEL', branch: 'i' });
    await scene.handler.next('cancelled');
    // The second CANCEL is a retransmission of the first one.
    const answers = brief(await collect(scene));
    expect(answers.sort()).toEqual(['200 CANCEL', '200 CANCEL', '487 INVITE']);
    scene.clock.advance(20_000);
    expect(await collect(scene)).toEqual([]);
  }));

test('SIP-20: every request has the mandatory fields, a Call-ID of its own and Max-Forwards 70', () =>
  withScene('udp', {}, async (scene) => {
    const callIds = new Set<string>();
    for (const method of ['MESSAGE', 'OPTIONS', 'INVITE']) {
      scene.endpoint.request({ ...toPeer(scene.peer), method, headers: contact });
      const request = await scene.peer.nextRequest();
      callIds.add(request.header('Call-ID')!);
      expect(request.header('Call-ID')!.length).toBeGreaterThanOrEqual(24);
      expect(request.header('Max-Forwards')).toBe('70');
      expect(request.header('CSeq')).toBe(`1 ${method}`);
      expect(tagOf(request.header('From'))!.length).toBeGreaterThanOrEqual(8);
      expect(tagOf(request.header('To'))).toBeUndefined();
      expect(request.header('Via')).toMatch(
        /^SIP\/2\.0\/UDP 127\.0\.0\.1:\d+;branch=z9hG4bK\w{16};rport$/,
      );
    }
    expect(callIds.size).toBe(3);
  }));

test('SIP-21: a loose route keeps the Request-URI and is the next hop', () =>
  withScene('udp', {}, async (scene) => {
    const route = [`<sip:127.0.0.1:${scene.peer.port};lr>`, '<sip:scscf.example.net;lr>'];
    const uri = 'sip:bob@nowhere.example.invalid';
    scene.endpoint.request({ ...toPeer(scene.peer), method: 'MESSAGE', uri, route });
    const request = await scene.peer.nextRequest();
    expect(request.uri).toBe(uri);
    expect(request.fields('Route')).toEqual(route);
  }));

test('TX-01: Timer H ends a refusal without ACK silently, and it is counted', () =>
  withScene('tcp', {}, async (scene) => {
    scene.send({ method: 'INVITE', branch: 'i' });
    const { received } = await scene.handler.next('request');
    scene.endpoint.respond(received.transaction, { status: 486, headers: [] });
    const before = scene.endpoint.counters();
    scene.clock.advance(32_000);
    const after = scene.endpoint.counters();
    expect(after['timeouts']! - before['timeouts']!).toBe(1);
    expect(after['serverTransactions']).toBe(0);
    expect(brief(await collect(scene))).toEqual(['100 INVITE', '486 INVITE']);
  }));

test('TX-02: an answer that cannot be sent leaves the transaction as it is', () =>
  withScene('tcp', {}, async (scene) => {
    const socket = await dial(scene);
    const via = 'SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKgone';
    socket.write(
      message(via)
        .replaceAll('MESSAGE', 'INVITE')
        .replace('Content-L', 'Contact: <sip:a@127.0.0.1:9>\r\nContent-L'),
    );
    const { received } = await scene.handler.next('request');
    socket.resetAndDestroy();
    await once(socket, 'close');
    await until(() => scene.endpoint.counters()['connections'] === 0);
    scene.endpoint.respond(received.transaction, { status: 486, headers: [] });
    expect(await collect(scene)).toEqual([]);
    expect(scene.endpoint.counters()['serverTransactions']).toBe(1);
    scene.clock.advance(32_000);
    expect(scene.endpoint.counters()['serverTransactions']).toBe(0);
  }));

test('TX-03: a response with our branch but another sent-by or method is dropped', () =>
  withScene('udp', {}, async (scene) => {
    scene.endpoint.request({ ...toPeer(scene.peer), method: 'MESSAGE' });
    const { message: arrived, reply } = await scene.peer.arrivals.next();
    const request = arrived as SipRequest;
    const good = responseTo(request, 200, { tag: 't' }).toString('latin1');
    const { port } = scene.endpoint.addresses[0]!;
    reply(Buffer.from(good.replace(`127.0.0.1:${port}`, `127.0.0.1:${port - 1}`)));
    reply(Buffer.from(good.replace(`127.0.0.1:${port}`, '127.0.0.1')));
    reply(Buffer.from(good.replace('1 MESSAGE', '1 OPTIONS')));
    expect(await collect(scene)).toEqual([]);
    expect(scene.endpoint.counters()['strayResponses']).toBe(3);
    reply(Buffer.from(good));
    expect((await scene.handler.next('response')).response.status).toBe(200);
    expect(parseSip(Buffer.from(good)).kind).toBe('response');
  }));

test('DLG-01: the first 2xx of a fork is the dialog, early dialogs of the others end', () =>
  withScene('udp', {}, async (scene) => {
    scene.endpoint.request({ ...toPeer(scene.peer), method: 'INVITE', headers: contact });
    const { message: arrived, reply } = await scene.peer.arrivals.next();
    const invite = arrived as SipRequest;
    const fork = (tag: string) => ({
      tag,
      headers: [
        ['Contact', `<sip:${tag}@127.0.0.1:${scene.peer.port}>`],
        ['Record-Route', `<sip:127.0.0.1:${scene.peer.port};lr;hop=1>`],
        ['Record-Route', `<sip:127.0.0.1:${scene.peer.port};lr;hop=2>`],
      ] as const,
    });
    for (const tag of ['one', 'two']) {
      reply(responseTo(invite, 183, fork(tag)));
      await scene.handler.next('response');
    }
    expect(scene.endpoint.counters()['dialogs']).toBe(2);
    reply(responseTo(invite, 200, fork('two')));
    expect((await scene.handler.next('response')).response.status).toBe(200);
    expect(scene.endpoint.counters()['dialogs']).toBe(1);
    expect((await scene.peer.nextRequest()).uri).toContain('sip:two@');
    scene.endpoint.bye('o', 'end', []);
    const bye = await scene.peer.nextRequest();
    expect(bye.uri).toContain('sip:two@');
    expect(bye.list('Route').map((one) => /hop=\d/.exec(one)![0])).toEqual(['hop=2', 'hop=1']);
  }));
