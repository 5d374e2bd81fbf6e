/** What the drachtio adapter does beyond the contract: bounds, and what drachtio cannot carry. */

import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { responseTo } from '../../../src/testing/sip-peer.js';
import type { DrachtioOptions } from '../../../src/transport/drachtio.js';
import { parseSip } from '../../../src/wire/sip/parse.js';
import { serialiseResponse } from '../../../src/wire/sip/serialise.js';
import { contact, dialogOf, openDrachtio, until, withScene } from './fixture.js';

const text = [['Content-Type', 'text/plain']] as const;

test('no file of the adapter imports drachtio-srf', () => {
  const folder = new URL('../../../src/transport/drachtio/', import.meta.url);
  const files = readdirSync(folder).map((name) => new URL(name, folder));
  files.push(new URL('../drachtio.ts', folder));
  expect(files.length).toBeGreaterThan(5);
  for (const file of files) {
    expect(readFileSync(file, 'utf8')).not.toMatch(/(from|import\()\s*['"]drachtio-srf/);
  }
});

test('binary bodies cannot be asked for', async () => {
  const options = { binaryBodies: true } as unknown as Partial<DrachtioOptions>;
  const opened = openDrachtio('udp', {}, options);
  await expect(opened).rejects.toMatchObject({ code: 'DRACHTIO_BINARY' });
});

test('Contact names the listener of the server', async () => {
  await withScene({}, async ({ port, server }) => {
    const { port: number } = server.address;
    expect(port.contactUri('a b')).toBe(`sip:a%20b@127.0.0.1:${number}`);
    expect(port.contactUri('bob', 'tcp')).toBe(`sip:bob@127.0.0.1:${number}`);
    await Promise.resolve();
  });
});

test('everything that can come outside a dialog is asked for', async () => {
  await withScene({}, async ({ server }) => {
    const methods = 'invite message register subscribe notify options publish refer info'.split(
      ' ',
    );
    await until(() => server.routes.size === methods.length);
    expect([...server.routes].sort()).toEqual(methods.sort());
  });
});

test('RFC 3261 13.2.2.4: the application sends the ACK of a 200', async () => {
  await withScene({}, async ({ ask, peer, handler, server }) => {
    ask({ method: 'INVITE', callId: 'ours', localTag: 'l', headers: contact });
    const { message, reply } = await peer.arrivals.next();
    if (message.kind !== 'request') throw new Error('no request');
    const target = ['Contact', `<sip:peer@127.0.0.1:${peer.port}>`] as const;
    reply(responseTo(message, 200, { tag: 'r', headers: [target] }));
    await handler.next('response');
    await until(() => server.acks.length > 0);
    expect(server.acks).toEqual(['ours;from-tag=l']);
  });
});

test('a request inside a subscription the server knows has the Route of it', async () => {
  await withScene({}, async ({ tell, ask, peer, handler, port }) => {
    const router = `<sip:${peer.address}:${peer.port};lr>`;
    const headers = [
      ['Record-Route', router],
      ['Contact', '<sip:watcher@nowhere.example>'],
    ] as const;
    tell({ method: 'SUBSCRIBE', branch: 's1', callId: 'sub', headers });
    const { received } = await handler.next('request');
    port.respond(received.transaction, { status: 200, headers: contact, localTag: 'l' });
    expect((await peer.nextResponse()).header('To')).toMatch(/;tag=l$/);
    const dialog = {
      callId: 'sub',
      localTag: 'l',
      remoteTag: 'peer',
      localUri: 'sip:bob@example.org',
      remoteUri: 'sip:alice@example.com',
      remoteTarget: 'sip:watcher@nowhere.example',
      routeSet: [router],
      localCseq: 7,
      remoteCseq: 1,
    };
    ask({ method: 'NOTIFY', dialog });
    const notify = await peer.nextRequest();
    expect(notify.header('Route')).toBe(router);
    expect(notify.header('CSeq')).toBe('7 NOTIFY');
  });
});

test('a body without a Content-Type is refused by the server', async () => {
  await withScene({}, async ({ ask, handler, codes }) => {
    ask({ method: 'MESSAGE', body: Buffer.from('hi') });
    expect((await handler.next('failure')).cause).toBe('transport');
    expect(codes).toContain('DRACHTIO_REFUSED');
  });
});

test('a message longer than the server reads is a failure, and the connection stays', async () => {
  await withScene({}, async ({ ask, handler, peer, codes, port }) => {
    ask({ method: 'MESSAGE', headers: text, body: Buffer.alloc(100_000, 'x') });
    expect((await handler.next('failure')).cause).toBe('transport');
    expect(codes).toEqual(['DRACHTIO_TOO_LARGE']);
    expect(port.isConnected).toBe(true);
    ask({ method: 'MESSAGE', headers: text, body: Buffer.from('short') });
    expect((await peer.nextRequest()).body.toString()).toBe('short');
  });
});

test('a header field that would break out of its line is a failure', async () => {
  await withScene({}, async ({ ask, handler, codes }) => {
    ask({ method: 'MESSAGE', headers: [['Subject', 'a\r\nRoute: <sip:evil>']] });
    expect((await handler.next('failure')).cause).toBe('transport');
    expect(codes).toEqual(['SIP_BAD_HEADER_VALUE']);
  });
});

test('an answer whose body cannot be carried becomes 500', async () => {
  await withScene({}, async ({ tell, handler, peer, port, codes }) => {
    tell({ method: 'MESSAGE', branch: 'm' });
    const { received } = await handler.next('request');
    const body = Buffer.from([0xff]);
    port.respond(received.transaction, { status: 200, headers: text, body });
    expect((await peer.nextResponse()).status).toBe(500);
    expect(codes).toEqual(['DRACHTIO_BODY']);
  });
});

test('a 200 to INVITE that cannot be sent ends its dialog', async () => {
  await withScene({}, async ({ tell, handler, peer, port }) => {
    tell({ method: 'INVITE', branch: 'i' });
    const { received } = await handler.next('request');
    expect((await peer.nextResponse()).status).toBe(100);
    const body = Buffer.from([0xff]);
    const headers = [...contact, ['Content-Type', 'application/sdp']] as const;
    port.respond(received.transaction, { status: 200, headers, body, owner: 'o' });
    expect((await peer.nextResponse()).status).toBe(500);
    expect((await handler.next('unacknowledged')).owner).toBe('o');
    expect(port.counters()).toMatchObject({ dialogs: 0, serverTransactions: 0 });
  });
});

test('a response whose body is no text is handed up without it', async () => {
  await withScene({}, async ({ ask, handler, peer, codes }) => {
    ask({ method: 'MESSAGE' });
    const { message, reply } = await peer.arrivals.next();
    if (message.kind !== 'request') throw new Error('no request');
    const plain = parseSip(responseTo(message, 200, { tag: 't' }));
    const headers = plain.all().filter(([name]) => name !== 'Content-Length');
    headers.push(['Content-Type', 'application/octet-stream']);
    reply(serialiseResponse({ status: 200, headers, body: Buffer.from([0, 254, 255]) }));
    const { response } = await handler.next('response');
    expect(response.status).toBe(200);
    expect(response.body.length).toBe(0);
    expect(response.header('Content-Type')).toBeUndefined();
    expect(codes).toEqual(['DRACHTIO_BODY']);
  });
});

test('a full table of server transactions answers 503 with Retry-After', async () => {
  await withScene({ serverTransactions: 1 }, async ({ tell, handler, peer, port }) => {
    tell({ method: 'MESSAGE', branch: 'one', callId: 'one' });
    const { received } = await handler.next('request');
    tell({ method: 'MESSAGE', branch: 'two', callId: 'two' });
    const refused = await peer.nextResponse();
    expect([refused.status, refused.header('Retry-After')]).toEqual([503, '10']);
    await until(() => port.counters().serverTransactions === 1);
    port.respond(received.transaction, { status: 200, headers: [] });
    expect((await peer.nextResponse()).status).toBe(200);
    await until(() => port.counters().serverTransactions === 0);
    tell({ method: 'MESSAGE', branch: 'three', callId: 'three' });
    await handler.next('request');
  });
});

test('a full table of client transactions is a failure', async () => {
  await withScene({ clientTransactions: 1 }, async ({ ask, handler, peer, codes }) => {
    ask({ method: 'MESSAGE', id: 'first' });
    ask({ method: 'MESSAGE', id: 'second' });
    const { id, cause } = await handler.next('failure');
    expect([id, cause]).toEqual(['second', 'transport']);
    expect(codes).toEqual(['DRACHTIO_FULL']);
    await peer.nextRequest();
  });
});

test('a full table of dialogs refuses an INVITE', async () => {
  await withScene({ dialogs: 1 }, async (scene) => {
    await dialogOf(scene, 'a');
    scene.tell({ method: 'INVITE', branch: 'b', callId: 'b' });
    expect((await scene.peer.nextResponse()).status).toBe(100);
    expect((await scene.peer.nextResponse()).status).toBe(503);
    scene.ask({ method: 'INVITE', headers: contact });
    expect((await scene.handler.next('failure')).cause).toBe('transport');
  });
});

test('a request that nobody answers gets 408', async () => {
  await withScene({ answerMs: 5_000 }, async ({ tell, handler, peer, clock, port }) => {
    tell({ method: 'INVITE', branch: 'i' });
    const { received } = await handler.next('request');
    expect((await peer.nextResponse()).status).toBe(100);
    clock.advance(5_000);
    expect((await handler.next('cancelled')).transaction).toBe(received.transaction);
    expect((await peer.nextResponse()).status).toBe(408);
    await until(() => port.counters().serverTransactions === 0);
  });
});

test('a dialog that the server ends is a BYE to its owner', async () => {
  await withScene({}, async (scene) => {
    const { server, handler, port } = scene;
    await dialogOf(scene, 'd');
    server.expire('d');
    const { received } = await handler.next('request');
    expect([received.request.method, received.owner]).toEqual(['BYE', 'd']);
    port.respond(received.transaction, { status: 200, headers: [] });
    port.forget('d');
    expect(port.counters()).toMatchObject({ dialogs: 0, serverTransactions: 0 });
  });
});
