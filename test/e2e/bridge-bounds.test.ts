/** Large messages that are passed on: bounds, hostile clients, several devices (D-12, U10). */

import { describe, expect, test } from 'vitest';
import { accepting, answer, gone, offer, withBridge } from './bridge-scene.js';
import { openUnrepeatedPeer } from './unrepeated-peer.js';

describe('bounds and hostile clients', () => {
  test('limits.forward.bridges, bounds.bridges: a session too many is taken in', async () => {
    const cases = [
      [{ forward: { bridges: 1 } }, {}],
      [{}, { bounds: { bridges: 1 } }],
    ] as const;
    for (const [limits, more] of cases) {
      await withBridge(
        async ({
          world,
          register,
          establish,
          invite,
          write,
          asked,
          reply,
          final,
          sender,
          client,
        }) => {
          await register();
          const { caller } = await establish();
          invite({ callId: 'second', from: '<sip:alice@example.org>;tag=a2' });
          expect((await final()).header('contact')).toContain('<sip:rec-');
          write(sender, { method: 'BYE', cseq: 2, ...caller });
          reply(client, await asked(client, 'BYE'), 200);
          await gone(world);
          invite({ callId: 'third', from: '<sip:alice@example.org>;tag=a3' });
          await asked(client, 'INVITE');
        },
        limits,
        'udp',
        more,
      );
    }
  });

  test.each([
    ['no SDP', undefined],
    ['octets that are no SDP', 'v=1\r\nnonsense'],
    ['a refused line', answer.replace('m=message 9', 'm=message 0')],
    ['a line that takes nothing', answer.replace('a=recvonly', 'a=inactive')],
  ])('D-12: a 2xx with %s is hung up, the message is taken in', (_name, body) =>
    withBridge(async (scene) => {
      const { world, register, invite, asked, reply, final, client } = scene;
      await register();
      invite();
      const { headers } = accepting(scene);
      const given = body === undefined ? { headers: headers!.slice(0, 2) } : { headers, body };
      reply(client, await asked(client, 'INVITE'), 200, given as never);
      expect((await final()).header('contact')).toContain('<sip:rec-');
      await asked(client, 'ACK');
      reply(client, await asked(client, 'BYE'), 200);
      await gone(world);
    }),
  );

  test('a client that rings without end is heard eight times', () =>
    withBridge(async ({ register, invite, asked, reply, sender, client }) => {
      await register();
      invite();
      const request = await asked(client, 'INVITE');
      for (let ring = 0; ring < 40; ring++) reply(client, request, 180);
      reply(client, request, 486);
      const rings: number[] = [];
      for (;;) {
        const { status } = await sender.nextResponse();
        if (status >= 200) break;
        if (status > 100) rings.push(status);
      }
      expect(rings).toHaveLength(8);
    }));

  test('RFC 3261 13.2.2.4: of many 2xx of a forking proxy one has the session, the others get BYE', () =>
    withBridge(async ({ world, register, invite, asked, reply, final, client }) => {
      await register();
      invite();
      const request = await asked(client, 'INVITE');
      for (const tag of ['one', 'two', 'three']) {
        reply(client, request, 200, { ...accepting({ client }), tag });
      }
      expect((await final()).status).toBe(200);
      const byes = new Set<string>();
      while (byes.size < 2) {
        const { message } = await client.arrivals.next();
        if (message.kind === 'request' && message.method === 'BYE') {
          byes.add(message.header('to')!);
          reply(client, message, 200);
        }
      }
      expect([...byes].every((to) => /tag=(two|three)$/.test(to))).toBe(true);
      expect(await world.server.counted()).toMatchObject({ 'actors.bridged': 1 });
    }));
});

describe('several devices', () => {
  test('U10: the next one is asked when the first cannot be reached', () =>
    withBridge(async ({ register, invite, asked, reply, final, client }) => {
      const other = await openUnrepeatedPeer();
      try {
        await register({ q: 0.9, callId: 'first' });
        await register({ peer: other, q: 0.5, callId: 'second' });
        invite();
        reply(client, await asked(client, 'INVITE'), 480);
        const request = await asked(other, 'INVITE');
        expect(request.body.toString()).toBe(offer);
        reply(other, request, 200, accepting({ client }, other));
        expect((await final()).status).toBe(200);
      } finally {
        await other.close();
      }
    }));

  test('U10, limits.forward.devices: all ring, the first that answers has it, the others are let go', () =>
    withBridge(
      async ({ world, register, invite, asked, reply, final, client }) => {
        const [second, third] = [await openUnrepeatedPeer(), await openUnrepeatedPeer()];
        try {
          await register({ callId: 'first' });
          await register({ peer: second, callId: 'second' });
          await register({ peer: third, callId: 'third' });
          invite();
          const requests = [];
          for (const peer of [client, second, third]) requests.push(await asked(peer, 'INVITE'));
          reply(third, requests[2]!, 486);
          reply(second, requests[1]!, 180);
          reply(client, requests[0]!, 200, accepting({ client }));
          expect((await final()).body.toString()).toBe(answer);
          reply(second, await asked(second, 'CANCEL'), 200);
          reply(second, requests[1]!, 487);
          await asked(second, 'ACK');
          await asked(third, 'ACK');
          expect(await world.server.counted()).toMatchObject({ 'actors.bridged': 1 });
        } finally {
          await second.close();
          await third.close();
        }
      },
      { forward: { devices: 'all' } },
    ));

  test('U10: one has refused, nobody else could be reached: the refusal goes back', () =>
    withBridge(
      async ({ register, invite, asked, reply, final, client }) => {
        const second = await openUnrepeatedPeer();
        try {
          await register({ callId: 'first' });
          await register({ peer: second, callId: 'second' });
          invite();
          const [first, other] = [await asked(client, 'INVITE'), await asked(second, 'INVITE')];
          reply(client, first, 486);
          await asked(client, 'ACK');
          reply(second, other, 480);
          expect((await final()).status).toBe(486);
        } finally {
          await second.close();
        }
      },
      { forward: { devices: 'all' } },
    ));
});
