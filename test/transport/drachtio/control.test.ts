/** The control socket of the drachtio adapter: refused, silent, lost, opened again, closed. */

import Srf from 'drachtio-srf';
import { expect, test } from 'vitest';
import { ManualClock } from '../../../src/testing/clock.js';
import { RecordingHandler } from '../../../src/testing/sip-peer.js';
import { systemRandom } from '../../../src/system.js';
import { createDrachtioPort } from '../../../src/transport/drachtio.js';
import { contact, dialogOf, openDrachtio, until, withScene } from './fixture.js';

test('an object that is no Srf is refused', async () => {
  const { port, server } = await openDrachtio('udp', {}, { createSrf: () => ({}) });
  const started = port.start(new RecordingHandler());
  await expect(started).rejects.toMatchObject({ code: 'DRACHTIO_SRF' });
  await port.stop(0);
  await server.stop();
});

test('a wrong secret is told by its code', async () => {
  const { port, server } = await openDrachtio('udp');
  const quiet = (): void => undefined;
  const wrong = createDrachtioPort({
    createSrf: () => new Srf(),
    connection: { host: '127.0.0.1', port: server.control.port, secret: 'x' },
    clock: new ManualClock(),
    random: systemRandom,
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
  });
  const started = wrong.start(new RecordingHandler());
  await expect(started).rejects.toMatchObject({ code: 'DRACHTIO_SECRET' });
  await wrong.stop(0);
  await port.stop(0);
  await server.stop();
});

test('a server that is not there is told by its code', async () => {
  const { port, server } = await openDrachtio('udp');
  await server.stop();
  const started = port.start(new RecordingHandler());
  await expect(started).rejects.toMatchObject({ code: 'DRACHTIO_UNREACHABLE' });
  expect(port.isConnected).toBe(false);
  await port.stop(0);
});

test('a server that says nothing is told by its code', async () => {
  const { port, server, clock } = await openDrachtio('udp');
  server.control.isMute = true;
  const started = port.start(new RecordingHandler());
  const refused = expect(started).rejects.toMatchObject({ code: 'DRACHTIO_SILENT' });
  clock.advance(10_000);
  await refused;
  await port.stop(0);
  await server.stop();
});

test('the loss of the control socket is told to everyone, and the socket opened again', async () => {
  await withScene({}, async (scene) => {
    const { tell, ask, handler, peer, port, server, clock, codes } = scene;
    await dialogOf(scene, 'standing');
    tell({ method: 'INVITE', branch: 'i', callId: 'i' });
    const pending = await handler.next('request');
    expect((await peer.nextResponse()).status).toBe(100);
    ask({ method: 'MESSAGE' });
    await peer.nextRequest();
    server.control.drop();
    expect((await handler.next('cancelled')).transaction).toBe(pending.received.transaction);
    expect(await handler.next('failure')).toMatchObject({ id: 'q', cause: 'transport' });
    const bye = await handler.next('request');
    expect([bye.received.request.method, bye.received.owner]).toEqual(['BYE', 'standing']);
    expect(codes).toContain('DRACHTIO_UNREACHABLE');
    port.respond(bye.received.transaction, { status: 200, headers: [] });
    port.respond(pending.received.transaction, { status: 200, headers: contact, owner: 'x' });
    expect(port.counters()).toMatchObject({ dialogs: 0, serverTransactions: 0 });

    expect(port.isConnected).toBe(false);
    ask({ method: 'MESSAGE', id: 'meanwhile' });
    expect(await handler.next('failure')).toMatchObject({ id: 'meanwhile', cause: 'transport' });
    port.bye('standing', 'end', []);
    expect(await handler.next('failure')).toMatchObject({ id: 'end', cause: 'transport' });

    clock.advance(500);
    await until(() => port.isConnected);
    tell({ method: 'MESSAGE', branch: 'back', callId: 'back' });
    const { received } = await handler.next('request');
    port.respond(received.transaction, { status: 202, headers: [] });
    // The server still repeats the MESSAGE.
    let last = (await peer.arrivals.next()).message;
    while (last.kind === 'request') last = (await peer.arrivals.next()).message;
    expect(last.status).toBe(202);
  });
});

test('a 200 to INVITE whose ACK is awaited is unacknowledged when the socket is lost', async () => {
  await withScene({}, async ({ tell, handler, peer, port, server }) => {
    tell({ method: 'INVITE', branch: 'i' });
    const { received } = await handler.next('request');
    expect((await peer.nextResponse()).status).toBe(100);
    port.respond(received.transaction, { status: 200, headers: contact, owner: 'o' });
    expect((await peer.nextResponse()).status).toBe(200);
    port.bye('o', 'end', []);
    server.control.drop();
    expect(await handler.next('failure')).toMatchObject({ id: 'end', cause: 'transport' });
  });
});

test('attempts to open the socket again come at doubling distances', async () => {
  await withScene({ reconnectMs: 100, reconnectMsMax: 400 }, async (scene) => {
    const { port, server, clock, codes } = scene;
    const { port: number } = server.control;
    await server.control.close();
    await until(() => !port.isConnected);
    const failed = (): number => codes.filter((code) => code === 'DRACHTIO_UNREACHABLE').length - 1;
    let attempts = 0;
    for (const delayMs of [100, 200, 400, 400]) {
      clock.advance(delayMs - 1);
      await new Promise((resolve) => setImmediate(resolve));
      expect(failed()).toBe(attempts);
      clock.advance(1);
      attempts++;
      await until(() => failed() === attempts);
    }
    await server.control.open(number);
    clock.advance(400);
    await until(() => port.isConnected);
  });
});

test('a server that confirms nothing is given up', async () => {
  await withScene({ commandMs: 1_000 }, async ({ ask, handler, server, clock, port, codes }) => {
    server.control.isMute = true;
    ask({ method: 'MESSAGE' });
    clock.advance(1_000);
    expect((await handler.next('failure')).cause).toBe('transport');
    expect(codes).toContain('DRACHTIO_SILENT');
    expect(port.isConnected).toBe(false);
  });
});

test('while it is stopping new requests get 503', async () => {
  await withScene({}, async ({ tell, handler, peer, port }) => {
    tell({ method: 'MESSAGE', branch: 'one', callId: 'one' });
    const { received } = await handler.next('request');
    const stopped = port.stop(10_000);
    tell({ method: 'MESSAGE', branch: 'two', callId: 'two' });
    expect((await peer.nextResponse()).status).toBe(503);
    port.respond(received.transaction, { status: 202, headers: [] });
    await stopped;
    expect((await peer.nextResponse()).status).toBe(202);
    expect(port.isConnected).toBe(false);
  });
});
