/** TCP connections: framing, reuse, keep-alive and bounds (RFC 3261 18.2, 18.3; RFC 5626 4.4.1). */

import { once } from 'node:events';
import { expect, test } from 'vitest';
import { requestOf } from '../../../src/testing/sip-peer.js';
import { brief, dial, message, textOf, toPeer, until, withScene } from './fixture.js';

test('TP-04: the answer goes back on the connection of the request', () =>
  withScene('tcp', {}, async (scene) => {
    const socket = await dial(scene);
    socket.write(message('SIP/2.0/TCP elsewhere.example:1;branch=z9hG4bKt'));
    const { received } = await scene.handler.next('request');
    expect(received.peer.transport).toBe('tcp');
    scene.endpoint.respond(received.transaction, { status: 202, headers: [] });
    expect(await textOf(socket)).toMatch(/^SIP\/2\.0 202 /);
    socket.destroy();
  }));

test('TP-04: once that connection is gone, it goes to the sent-by port of the source', () =>
  withScene('tcp', {}, async (scene) => {
    const socket = await dial(scene);
    socket.write(message(`SIP/2.0/TCP elsewhere.example:${scene.peer.port};branch=z9hG4bKt`));
    const { received } = await scene.handler.next('request');
    socket.destroy();
    await until(() => scene.endpoint.counters()['connections'] === 0);
    scene.endpoint.respond(received.transaction, { status: 202, headers: [] });
    expect((await scene.peer.nextResponse()).status).toBe(202);
  }));

test('18: messages in one segment and a message octet by octet are framed', () =>
  withScene('tcp', {}, async (scene) => {
    const socket = await dial(scene);
    const one = (branch: string): string =>
      message(`SIP/2.0/TCP a.example;branch=z9hG4bK${branch}`).replace('n1', branch);
    socket.write(`${one('a')}${one('b')}`);
    await scene.handler.next('request');
    await scene.handler.next('request');
    for (const octet of Buffer.from(one('c'))) socket.write(Buffer.from([octet]));
    const { received } = await scene.handler.next('request');
    expect(received.request.header('Call-ID')).toBe('c');
    socket.destroy();
  }));

test('KA-01: a double CRLF between messages is answered with one', () =>
  withScene('tcp', {}, async (scene) => {
    const socket = await dial(scene);
    socket.write('\r\n\r\n');
    expect(await textOf(socket)).toBe('\r\n');
    socket.destroy();
  }));

test('lost framing is answered and ends the connection', () =>
  withScene('tcp', {}, async (scene) => {
    const socket = await dial(scene);
    const text = message('SIP/2.0/TCP a.example;branch=z9hG4bKf');
    socket.write(text.replace('Content-Length: 0', 'Content-Length: x'));
    expect(await textOf(socket)).toMatch(/^SIP\/2\.0 400 /);
    await once(socket, 'close');
    await until(() => scene.endpoint.counters()['connections'] === 0);
  }));

test('a message that has begun must be complete in time, however it trickles', () =>
  withScene('tcp', { limits: { partialMs: 5_000 } }, async (scene) => {
    const socket = await dial(scene);
    socket.write('MESSAGE sip:bob');
    await until(() => scene.endpoint.counters()['timers'] === 2);
    scene.clock.advance(4_000);
    socket.write('@example.org');
    const closed = once(socket, 'close');
    const other = await dial(scene);
    other.write('\r\n\r\n');
    await textOf(other);
    scene.clock.advance(1_000);
    await closed;
    expect(scene.endpoint.counters()['connectionsDropped']).toBe(1);
  }));

test('an idle connection is closed, one with traffic is not', () =>
  withScene('tcp', { limits: { idleMs: 60_000 } }, async (scene) => {
    const quiet = await dial(scene);
    const busy = await dial(scene);
    await until(() => scene.endpoint.counters()['connections'] === 2);
    const closed = once(quiet, 'close');
    scene.clock.advance(40_000);
    busy.write('\r\n\r\n');
    await textOf(busy);
    scene.clock.advance(20_000);
    await closed;
    expect(scene.endpoint.counters()['connections']).toBe(1);
    scene.clock.advance(40_000);
    await once(busy, 'close');
  }));

test('connections are bounded, for each peer and in all', () =>
  withScene('tcp', { limits: { connectionsPerPeer: 2 } }, async (scene) => {
    const sockets = [await dial(scene), await dial(scene)];
    await until(() => scene.endpoint.counters()['connections'] === 2);
    const refused = await dial(scene);
    await once(refused, 'close');
    expect(scene.endpoint.counters()['connectionsRefused']).toBe(1);
    sockets[0]!.destroy();
    await until(() => scene.endpoint.counters()['connections'] === 1);
    const again = await dial(scene);
    again.write('\r\n\r\n');
    expect(await textOf(again)).toBe('\r\n');
    for (const socket of [...sockets, again]) socket.destroy();
  }));

test('a peer that does not read is dropped when its octets pile up', () =>
  withScene('tcp', { limits: { pendingBytes: 100_000 } }, async (scene) => {
    const socket = await dial(scene);
    socket.pause();
    const closed = once(socket, 'close');
    socket.on('error', () => undefined);
    const body = Buffer.alloc(50_000, 'x');
    for (let n = 0; scene.endpoint.counters()['connectionsDropped'] === 0; n++) {
      const via = `SIP/2.0/TCP a.example;branch=z9hG4bK${n}`;
      socket.write(message(via).replace('n1', `n${n}`));
      const { received } = await scene.handler.next('request');
      for (let part = 0; part < 40; part++) {
        const headers = [['X-Part', `${part}`]] as const;
        scene.endpoint.respond(received.transaction, { status: 183, headers, body });
      }
    }
    socket.resume();
    await closed;
    expect(scene.lines.some(({ fields }) => fields['code'] === 'SIP_TCP_SLOW')).toBe(true);
  }));

test('a refused connection is a failure when TCP was asked for', () =>
  withScene('udp', {}, async (scene) => {
    const uri = `sip:peer@127.0.0.1:${scene.peer.port};transport=tcp`;
    scene.endpoint.request({ ...toPeer(scene.peer), uri, method: 'MESSAGE' });
    const { id, cause } = await scene.handler.next('failure');
    expect([id, cause]).toEqual(['q', 'transport']);
    expect(scene.endpoint.counters()['clientTransactions']).toBe(0);
  }));

test('a connection that is never established is given up', () =>
  withScene('tcp', { limits: { connectMs: 3_000 } }, async (scene) => {
    const uri = `sip:peer@127.0.0.1:${scene.peer.port};transport=tcp`;
    scene.endpoint.request({ ...toPeer(scene.peer), uri, method: 'MESSAGE' });
    // No turn of the event loop has passed: the connection is under way.
    await Promise.resolve();
    scene.clock.advance(3_000);
    expect((await scene.handler.next('failure')).cause).toBe('transport');
    expect(scene.lines.map(({ fields }) => fields['code'])).toContain('SIP_TCP_CONNECT');
  }));

test('requests to one target share a connection, which the peer may use as well', () =>
  withScene('tcp', {}, async (scene) => {
    const uri = `sip:peer@127.0.0.1:${scene.peer.port};transport=tcp`;
    for (const id of ['a', 'b', 'c']) {
      scene.endpoint.request({ ...toPeer(scene.peer), uri, id, method: 'MESSAGE' });
    }
    const { message: request, reply } = await scene.peer.arrivals.next();
    expect(request.header('Via')).toMatch(/^SIP\/2\.0\/TCP /);
    await scene.peer.nextRequest();
    await scene.peer.nextRequest();
    expect(scene.endpoint.counters()['connectionsOpened']).toBe(1);
    reply(requestOf(scene.peer, { method: 'OPTIONS', branch: 'back' }));
    const { received } = await scene.handler.next('request');
    scene.endpoint.respond(received.transaction, { status: 200, headers: [] });
    expect(brief([(await scene.peer.arrivals.next()).message])).toEqual(['200 OPTIONS']);
  }));
