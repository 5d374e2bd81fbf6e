/** INVITEs of ours through drachtio that are no longer wanted when their answer comes. */

import { expect, test } from 'vitest';
import { tagOf } from '../../../src/wire/sip/name-addr.js';
import type { SipRequest } from '../../../src/wire/sip/message.js';
import { responseTo, type SipArrival } from '../../../src/testing/sip-peer.js';
import { contact, until, withScene, type Scene } from './fixture.js';

/** The next request, which must be of that method; ACKs are passed over. */
async function nextOf(scene: Scene, method: string): Promise<SipArrival & { message: SipRequest }> {
  for (;;) {
    const arrival = await scene.peer.arrivals.next();
    const { message } = arrival;
    if (message.kind !== 'request' || message.method === 'ACK') continue;
    expect(message.method).toBe(method);
    return { ...arrival, message };
  }
}

function accept(scene: Scene, invite: SipArrival & { message: SipRequest }): void {
  const target = ['Contact', `<sip:peer@127.0.0.1:${scene.peer.port}>`] as const;
  invite.reply(responseTo(invite.message, 200, { tag: 'r', headers: [target] }));
}

test('SIP-07: a bye before the server has confirmed the INVITE is a CANCEL', async () => {
  await withScene({}, async (scene) => {
    const { ask, port, handler } = scene;
    ask({ method: 'INVITE', headers: contact });
    port.bye('o', 'end', []);
    const invite = await nextOf(scene, 'INVITE');
    invite.reply(responseTo(invite.message, 180));
    expect((await handler.next('response')).response.status).toBe(180);
    const cancel = await nextOf(scene, 'CANCEL');
    cancel.reply(responseTo(cancel.message, 200));
    invite.reply(responseTo(invite.message, 487, { tag: 'r' }));
    expect(await handler.next('response')).toMatchObject({ id: 'q', response: { status: 487 } });
    expect(await handler.next('response')).toMatchObject({ id: 'end', response: { status: 487 } });
    expect(port.counters()).toMatchObject({ clientTransactions: 0, pendingInvites: 0 });
  });
});

test('a 200 that crosses the CANCEL opens the dialog, and the server ends it', async () => {
  await withScene({}, async (scene) => {
    const { ask, port, handler, server } = scene;
    ask({ method: 'INVITE', headers: contact });
    const invite = await nextOf(scene, 'INVITE');
    port.bye('o', 'end', []);
    await until(() => server.cancels === 1);
    accept(scene, invite);
    expect(await handler.next('response')).toMatchObject({ id: 'q', response: { status: 200 } });
    const bye = await nextOf(scene, 'BYE');
    expect(tagOf(bye.message.header('To'))).toBe('r');
    // The BYE of the server was the first; ours finds no dialog.
    expect(await handler.next('failure')).toMatchObject({ id: 'end', cause: 'transport' });
    expect(port.counters()).toMatchObject({ dialogs: 0, clientTransactions: 0 });
    expect(handler.told.length).toBe(0);
  });
});

test('a 200 to a forgotten INVITE is acknowledged and ended, and nobody hears of it', async () => {
  await withScene({}, async (scene) => {
    const { ask, port, handler, server } = scene;
    ask({ method: 'INVITE', headers: contact, callId: 'gone', localTag: 'l' });
    const invite = await nextOf(scene, 'INVITE');
    port.forget('o');
    accept(scene, invite);
    const bye = await nextOf(scene, 'BYE');
    bye.reply(responseTo(bye.message, 200));
    await until(() => port.counters().clientTransactions === 0);
    expect(server.acks).toEqual(['gone;from-tag=l']);
    expect(port.counters()).toMatchObject({ dialogs: 0, pendingInvites: 0 });
    expect(handler.told.length).toBe(0);
  });
});

test('an owner has one INVITE at a time', async () => {
  await withScene({}, async (scene) => {
    const { ask, handler } = scene;
    ask({ method: 'INVITE', headers: contact });
    ask({ method: 'INVITE', id: 'second', headers: contact });
    expect(await handler.next('failure')).toMatchObject({ id: 'second', cause: 'transport' });
    await nextOf(scene, 'INVITE');
  });
});

test('an INVITE that nobody answers is a failure after its time', async () => {
  await withScene({ inviteMs: 20_000 }, async (scene) => {
    const { ask, handler, clock, port } = scene;
    ask({ method: 'INVITE', headers: contact });
    const invite = await nextOf(scene, 'INVITE');
    invite.reply(responseTo(invite.message, 180, { tag: 'r' }));
    expect((await handler.next('response')).response.status).toBe(180);
    port.bye('o', 'end', []);
    clock.advance(20_000);
    expect(await handler.next('failure')).toMatchObject({ id: 'q', cause: 'timeout' });
    expect(await handler.next('failure')).toMatchObject({ id: 'end', cause: 'timeout' });
    expect(port.counters()).toMatchObject({ clientTransactions: 0, pendingInvites: 0 });
  });
});

test('a 200 after that time is acknowledged and ended', async () => {
  await withScene({ inviteMs: 20_000 }, async (scene) => {
    const { ask, handler, clock, port, server } = scene;
    ask({ method: 'INVITE', headers: contact, callId: 'late', localTag: 'l' });
    const invite = await nextOf(scene, 'INVITE');
    invite.reply(responseTo(invite.message, 180, { tag: 'r' }));
    expect((await handler.next('response')).response.status).toBe(180);
    clock.advance(20_000);
    expect(await handler.next('failure')).toMatchObject({ id: 'q', cause: 'timeout' });
    await nextOf(scene, 'CANCEL');
    accept(scene, invite);
    await nextOf(scene, 'BYE');
    await until(() => server.acks.length === 1);
    expect(server.acks).toEqual(['late;from-tag=l']);
    await until(() => port.counters().dialogs === 0);
    expect(handler.told.length).toBe(0);
  });
});
