/** The participating function over real sockets: a large message for a user who is available (D-12). */

import { describe, expect, test } from 'vitest';
import type { DeliveredMessage } from '../../src/client/im-client.js';
import { accepting, answer, gone, offer, sdpType, targetOf, withBridge } from './bridge-scene.js';
import { generated, LargePeer } from './large-peer.js';
import { startWorld } from './world.js';

describe('a large message for a user who is available', () => {
  test.each([1, 300_000])(
    'D-12, IMSpec-DMT-S-003: goes from sender to client, %i octets over their own MSRP session',
    async (size) => {
      const world = await startWorld();
      const { port } = world.server.sip.find(({ transport }) => transport === 'tcp')!;
      const nia = await LargePeer.open('nia', { sipPort: port });
      try {
        const client = await world.client('tomas', { acceptTypes: ['*'], msrpRole: 'passive' });
        const deliveries = client.deliveries();
        await client.register();
        const dialog = await nia.inviteToSend('tomas');
        expect(dialog.response.status).toBe(200);
        await nia.next('connected');
        nia.send(dialog.owner, 'm1', generated(size));
        const { payload } = (await deliveries.next()).value as DeliveredMessage;
        expect(payload.equals(await generated(size).read(0, size))).toBe(true);
        expect(await nia.next('sent')).toMatchObject({ status: 200 });
        expect(await dialog.bye()).toBe(200);
        expect(await world.server.accounts.histories('tomas@example.org', { limit: 1 })).toEqual(
          [],
        );
        expect(await world.server.counted()).toMatchObject({
          ...{ 'actors.bridges': 1, 'actors.bridges.deferred': 0, 'actors.recordings': 0 },
        });
      } finally {
        await nia.close();
        await world.end();
      }
    },
  );

  test('D-12: both hear each other, each in a dialog with the server; the SDP is not touched', () =>
    withBridge(async ({ register, invite, asked, reply, final, sender, client }) => {
      await register();
      const more = [
        ['Subject', 'Grüße'],
        ['X-Unknown', 'a;b=c'],
        ['Record-Route', '<sip:core.example.org;lr>'],
        ['Supported', '100rel, timer, replaces'],
        ['Session-Expires', '600'],
        ['Authorization', 'Digest x="y"'],
        ['Privacy', 'none'],
      ] as const;
      invite({ headers: more, hops: 17 });
      const request = await asked(client, 'INVITE');
      expect(request.uri).toBe(`sip:bob@127.0.0.1:${client.port}`);
      expect(request.body.toString()).toBe(offer);
      expect(request.header('max-forwards')).toBe('16');
      expect(request.fields('via')).toHaveLength(1);
      expect(request.header('from')).toBe('"Al" <sip:alice@example.org>;tag=a1');
      expect(request.header('call-id')).toBe('large');
      expect(request.header('p-asserted-identity')).toBe('<sip:alice@example.org>');
      expect(request.header('accept-contact')).toBe('*;+g.oma.sip-im.large-message');
      expect(request.header('subject')).toBe('Grüße');
      expect(request.header('x-unknown')).toBe('a;b=c');
      expect(request.header('record-route')).toBeUndefined();
      expect(request.header('authorization')).toBeUndefined();
      expect(request.fields('supported')).toEqual(['timer']);
      expect(request.fields('session-expires')).toEqual(['1800']);
      expect(request.header('contact')).toMatch(
        /^<sip:bridge-\d+\.bob%40example\.org@127\.0\.0\.1:\d+>;\+g\.oma\.sip-im$/,
      );
      reply(client, request, 180, { headers: [['X-Ring', 'yes']] });
      const [, ringing] = [await sender.nextResponse(), await sender.nextResponse()];
      expect([ringing.status, ringing.header('x-ring')]).toEqual([180, 'yes']);
      reply(client, request, 200, accepting({ client }));
      const accepted = await final();
      expect(accepted.status).toBe(200);
      expect(accepted.body.toString()).toBe(answer);
      expect(accepted.header('to')).toBe(ringing.header('to'));
      expect(accepted.header('server')).toBe('Client/1');
      expect(accepted.header('record-route')).toBe('<sip:core.example.org;lr>');
      expect(accepted.header('contact')).toMatch(
        /^<sip:bridge-\d+@127\.0\.0\.1:\d+(;transport=udp)?>;\+g\.oma\.sip-im;video$/,
      );
      expect(accepted.header('session-expires')).toMatch(/^600;/);
      expect((await asked(client, 'ACK')).header('cseq')).toBe('1 ACK');
    }));

  test.each([
    ['sender', 'caller'],
    ['client', 'callee'],
  ] as const)('D-12: BYE of the %s ends both dialogs, and its Reason goes along', (from, leg) =>
    withBridge(async (scene) => {
      const { world, register, establish, write, asked, reply, sender, client } = scene;
      await register();
      const session = await establish();
      const [near, far] = from === 'sender' ? [sender, client] : [client, sender];
      const reason = ['Reason', 'SIP;cause=200;text="done"'] as const;
      write(near, { method: 'BYE', cseq: 2, ...session[leg], headers: [reason] });
      expect((await near.nextResponse()).status).toBe(200);
      const bye = await asked(far, 'BYE');
      expect(bye.header('reason')).toBe(reason[1]);
      reply(far, bye, 200);
      write(near, { method: 'BYE', cseq: 3, ...session[leg] });
      expect((await near.nextResponse()).status).toBe(481);
      await gone(world);
    }),
  );

  test.each([408, 430, 480, 482, 488, 500, 503, 504])(
    'D-12, U7: an answer of %i is none of the user: taken in here',
    (status) =>
      withBridge(async ({ world, register, invite, asked, reply, final, client }) => {
        await register();
        invite();
        reply(client, await asked(client, 'INVITE'), status);
        const accepted = await final();
        expect(accepted.status).toBe(200);
        expect(accepted.header('contact')).toContain('<sip:rec-');
        expect(accepted.body.toString()).toContain('a=recvonly');
        expect(await world.server.counted()).toMatchObject({ 'actors.recordings': 1 });
      }),
  );

  test.each([302, 404, 415, 486, 600, 603, 606])(
    'D-12: an answer of %i is passed back, and nothing is taken in',
    (status) =>
      withBridge(async ({ world, register, invite, asked, reply, final, client }) => {
        await register();
        invite();
        const headers = [['Warning', '399 client "no"']] as const;
        reply(client, await asked(client, 'INVITE'), status, { headers });
        const refused = await final();
        expect([refused.status, refused.header('warning')]).toEqual([status, headers[0][1]]);
        expect(await world.server.counted()).toMatchObject({ 'actors.recordings': 0 });
        await gone(world);
      }),
  );

  test('D-12: what has rung in vain is taken in under the same To tag', () =>
    withBridge(async ({ register, invite, asked, reply, final, sender, client }) => {
      await register();
      invite();
      const request = await asked(client, 'INVITE');
      reply(client, request, 183);
      await sender.nextResponse();
      const ringing = await sender.nextResponse();
      expect(ringing.status).toBe(183);
      reply(client, request, 480);
      expect((await final()).header('to')).toBe(ringing.header('to'));
    }));

  test('D-12, limits.forward.ringMs: a client that only rings is cancelled, the message taken in', () =>
    withBridge(
      async ({ world, register, invite, asked, reply, final, client }) => {
        await register();
        invite();
        const request = await asked(client, 'INVITE');
        reply(client, request, 180);
        expect((await final()).header('contact')).toContain('<sip:rec-');
        const cancel = await asked(client, 'CANCEL');
        reply(client, cancel, 200);
        reply(client, request, 487);
        await gone(world);
      },
      { forward: { ringMs: 200 } },
    ));

  test('RFC 3261 16.3: without a hop left it is 483; 488 comes before it', () =>
    withBridge(async ({ register, invite, final }) => {
      await register();
      invite({ hops: 0 });
      expect((await final()).status).toBe(483);
      invite({ hops: 0, callId: 'other', body: offer.replace('a=sendonly', 'a=inactive') });
      expect((await final()).status).toBe(488);
    }));

  test('S4-603-LM: quota is of no concern to what is not stored', () =>
    withBridge(
      async ({ register, invite, asked, reply, final, write, sender, client }) => {
        const headers = [['Content-Type', 'text/plain']] as const;
        write(sender, { method: 'MESSAGE', callId: 'fills', headers, body: 'it' });
        expect((await final()).status).toBe(202);
        await register();
        invite();
        reply(client, await asked(client, 'INVITE'), 200, accepting({ client }));
        expect((await final()).status).toBe(200);
        invite({ callId: 'second', from: '<sip:alice@example.org>;tag=a2' });
        await asked(client, 'ACK');
        reply(client, await asked(client, 'INVITE'), 480);
        expect((await final()).status).toBe(603);
      },
      { quota: { messages: 1 }, push: { default: false } },
    ));

  test.each(['off', 'messages'] as const)('U8: with mode %s it is taken in at once', (mode) =>
    withBridge(
      async ({ register, invite, final }) => {
        await register();
        invite();
        expect((await final()).header('contact')).toContain('<sip:rec-');
      },
      { forward: { mode } },
    ),
  );
});

describe('CANCEL', () => {
  test('SIP-07: of the sender reaches the client', () =>
    withBridge(async ({ world, register, invite, asked, reply, final, write, sender, client }) => {
      await register();
      invite({ branch: 'cancelled' });
      const request = await asked(client, 'INVITE');
      reply(client, request, 180);
      await sender.nextResponse();
      await sender.nextResponse();
      write(sender, { method: 'CANCEL', callId: 'large', branch: 'cancelled' });
      const statuses = [await final(), await final()].map(({ status }) => status).sort();
      expect(statuses).toEqual([200, 487]);
      const cancel = await asked(client, 'CANCEL');
      expect(cancel.header('via')).toBe(request.header('via'));
      reply(client, cancel, 200);
      reply(client, request, 487);
      await gone(world);
      expect(await world.server.counted()).toMatchObject({ 'actors.recordings': 0 });
    }));

  test('SIP-07: that crosses a 2xx of the client: ACK, then BYE', () =>
    withBridge(async ({ world, register, invite, asked, reply, final, write, sender, client }) => {
      await register();
      invite({ branch: 'cancelled' });
      const request = await asked(client, 'INVITE');
      reply(client, request, 180);
      await sender.nextResponse();
      await sender.nextResponse();
      write(sender, { method: 'CANCEL', callId: 'large', branch: 'cancelled' });
      await final();
      await final();
      await asked(client, 'CANCEL');
      reply(client, request, 200, accepting({ client }));
      await asked(client, 'ACK');
      reply(client, await asked(client, 'BYE'), 200);
      await gone(world);
    }));
});

describe('inside a session', () => {
  test('ST-02, glare: an offer that changes nothing is answered, one that does gets 488', () =>
    withBridge(async ({ register, establish, write, final, client, sender }) => {
      await register();
      const { caller, callee } = await establish();
      const contact = ['Contact', `<sip:alice@127.0.0.1:${sender.port}>`] as const;
      const again = { method: 'INVITE', headers: [contact, sdpType], body: offer } as const;
      write(sender, { ...again, cseq: 2, ...caller });
      const same = await final();
      expect([same.status, same.body.toString()]).toEqual([200, answer]);
      write(sender, { method: 'ACK', cseq: 2, ...caller });
      write(sender, { ...again, cseq: 3, ...caller, body: offer.replace('/alice;', '/moved;') });
      expect((await final()).status).toBe(488);
      write(client, { ...again, cseq: 9, ...callee, body: answer });
      let response = await client.nextResponse();
      while (response.status < 200) response = await client.nextResponse();
      expect([response.status, response.body.toString()]).toEqual([200, offer]);
      expect(targetOf(response)).toContain('sip:bridge-1.bob%40example.org@');
      write(client, { method: 'UPDATE', cseq: 10, ...callee, headers: [contact] });
      const updated = await client.nextResponse();
      expect(updated.status).toBe(200);
      expect(targetOf(updated)).toContain('sip:bridge-1.bob%40example.org@');
      write(client, { method: 'INFO', cseq: 11, ...callee });
      expect((await client.nextResponse()).status).toBe(405);
    }));

  test('limits.forward.sessionMs: a session that lasts too long is ended on both sides', () =>
    withBridge(
      async ({ world, register, establish, asked, reply, sender, client }) => {
        await register();
        await establish();
        reply(sender, await asked(sender, 'BYE'), 200);
        reply(client, await asked(client, 'BYE'), 200);
        await gone(world);
      },
      { forward: { sessionMs: 1_500 } },
    ));

  test('U6: after a restart nothing of it is left: both dialogs are unknown', () =>
    withBridge(async ({ world, register, establish, write, invite, asked, sender, client }) => {
      await register();
      const { caller, callee } = await establish();
      await world.restart();
      for (const [peer, inside] of [
        [sender, caller],
        [client, callee],
      ] as const) {
        write(peer, { method: 'BYE', cseq: 20, ...inside });
        expect((await peer.nextResponse()).status).toBe(481);
      }
      expect(await world.server.counted()).toMatchObject({
        'actors.bridged': 0,
        'actors.bridges': 0,
      });
      invite({ callId: 'anew' });
      await asked(client, 'INVITE');
    }));
});
