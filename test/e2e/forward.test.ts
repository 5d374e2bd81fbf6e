/** The participating function over real sockets: a MESSAGE for a user who is available (D-12). */

import { describe, expect, test } from 'vitest';
import type { DeliveredMessage, ImClient } from '../../src/client/im-client.js';
import { responseTo } from '../../src/testing/sip-peer.js';
import { serialiseRequest } from '../../src/wire/sip/serialise.js';
import { freePort } from '../loopback-port.js';
import { withForward } from './forward-scene.js';
import { bob } from './two-peers.js';
import { startWorld } from './world.js';
import { openUnrepeatedPeer } from './unrepeated-peer.js';

/** Every octet there is, line ends of all kinds among them. */
const binary = Buffer.from(Array.from({ length: 600 }, (_, n) => (n * 7) % 256));

describe('a user who is available', () => {
  test('D-12, IMSpec-DMT-S-003: is given the MESSAGE itself, and the sender the answer', async () => {
    const world = await startWorld();
    try {
      const [alice, client] = [await world.client('alice'), await world.client('bob')];
      const deliveries = client.deliveries();
      await client.register();
      const sent = await alice.send(bob, 'now', { subject: 'Keys' });
      expect(sent.status).toBe(200);
      const [message] = await take(deliveries, 1);
      expect(message).toMatchObject({ form: 'page', callId: sent.callId, subject: 'Keys' });
      expect(message!.body.toString()).toBe('now');
      expect(await world.server.counted()).toMatchObject({ 'actors.forwards': 1 });
      expect((await client.retrieve()).count).toBe(0);
    } finally {
      await world.end();
    }
  });

  test('D-12: header fields and body arrive as they were sent, one hop further', () =>
    withForward(async ({ register, send, asked, reply, answer }) => {
      await register();
      const headers = [
        ['Subject', 'Grüße, "quoted"'],
        ['X-Unknown', 'a, b;c=d'],
        ['X-Unknown', 'twice'],
        ['Expires', '600'],
        ['User-Agent', 'IM-client/OMA1.0 Sample/0.1'],
        ['Accept-Contact', '*;+g.oma.sip-im'],
        ['Content-Type', 'application/octet-stream'],
      ] as const;
      send({ headers: [...headers, ['Authorization', 'Digest x="y"']], body: binary, hops: 17 });
      const request = await asked('MESSAGE');
      expect(request.uri).toMatch(/^sip:bob@127\.0\.0\.1:/);
      expect(request.body.equals(binary)).toBe(true);
      expect(request.header('max-forwards')).toBe('16');
      expect(request.fields('via')).toHaveLength(1);
      expect(request.header('from')).toBe('"Al" <sip:alice@example.org>;tag=a1');
      expect(request.header('to')).toBe(`<${bob}>`);
      expect(request.header('cseq')).toBe('7 MESSAGE');
      expect(request.header('p-asserted-identity')).toBe('<sip:alice@example.org>');
      expect(request.header('authorization')).toBeUndefined();
      for (const [name, value] of headers) expect(request.fields(name)).toContain(value);
      reply(request, 202, [['X-From-Client', 'yes']]);
      const response = await answer();
      expect(response.status).toBe(202);
      expect(response.header('x-from-client')).toBe('yes');
      expect(response.header('to')).toBe(`<${bob}>;tag=client`);
    }));

  test.each([408, 430, 480, 482, 500, 503, 504])(
    'D-12, U7: an answer of %i is none of the user: stored, then pushed without a REGISTER',
    (status) =>
      withForward(async ({ register, send, asked, reply, answer, stored }) => {
        await register();
        send({});
        reply(await asked('MESSAGE'), status);
        expect((await answer()).status).toBe(202);
        expect((await asked('INVITE')).header('content-type')).toBe('application/sdp');
        await stored(1);
      }),
  );

  test.each([404, 405, 413, 415, 486, 488, 600, 603, 606])(
    'D-12: an answer of %i is passed back, and nothing is stored',
    (status) =>
      withForward(async ({ world, register, send, asked, reply, answer, stored }) => {
        await register();
        send({});
        reply(await asked('MESSAGE'), status, [['Warning', '399 client "no"']]);
        const response = await answer();
        expect(response.status).toBe(status);
        expect(response.header('warning')).toBe('399 client "no"');
        expect(await world.server.counted()).toMatchObject({ 'actors.forwards.deferred': 0 });
        await stored(0);
      }),
  );

  test('D-12, U7: nobody listens at the contact: stored', () =>
    withForward(async ({ register, send, answer, stored }) => {
      await register({ contact: `<sip:bob@127.0.0.1:${await freePort()};transport=tcp>` });
      send({});
      expect((await answer()).status).toBe(202);
      await stored(1);
    }));

  test('RFC 3261 16.3: without a hop left it is 483, without Max-Forwards 70 are assumed', () =>
    withForward(async ({ register, send, asked, reply, answer }) => {
      await register();
      send({ hops: 0 });
      expect((await answer()).status).toBe(483);
      send({ hops: undefined });
      const request = await asked('MESSAGE');
      expect(request.header('max-forwards')).toBe('69');
      reply(request, 200);
      expect((await answer()).status).toBe(200);
    }));

  test('SIP-04, D-12: a network that brings the message back here has a user who is not there', () =>
    withForward(async ({ world, client, register, send, asked, reply, answer, stored }) => {
      await register();
      send({ callId: 'loop' });
      const request = await asked('MESSAGE');
      const via = `SIP/2.0/UDP 127.0.0.1:${client.port};branch=z9hG4bKloop`;
      const headers = [['Via', via], ...request.all()] as const;
      const { port } = world.server.sip.find(({ transport }) => transport === 'udp')!;
      const again = { method: 'MESSAGE', uri: bob, headers, body: request.body };
      const server = { transport: 'udp', address: '127.0.0.1', port } as const;
      client.send(server, serialiseRequest(again));
      expect((await client.nextResponse()).status).toBe(482);
      reply(request, 482);
      expect((await answer()).status).toBe(202);
      await stored(1);
    }));

  test('U10: another client is asked when the first cannot be reached', () =>
    withForward(async ({ client, register, send, asked, reply, answer, stored }) => {
      const other = await openUnrepeatedPeer();
      try {
        const contact = (port: number, q: number) =>
          `<sip:bob@127.0.0.1:${port}>;+g.oma.sip-im;q=${q}`;
        await register({ contact: contact(client.port, 0.9), callId: 'first' });
        await register({ contact: contact(other.port, 0.5), callId: 'second' });
        send({ body: binary });
        reply(await asked('MESSAGE'), 480);
        const { message, reply: back } = await other.arrivals.next();
        if (message.kind !== 'request') throw new Error('a request is due');
        expect(message.body.equals(binary)).toBe(true);
        back(responseTo(message, 200, { tag: 'other' }));
        expect((await answer()).status).toBe(200);
        await stored(0);
      } finally {
        await other.close();
      }
    }));
});

describe('several clients at the same time', () => {
  test('U10, limits.forward.devices: each gets the MESSAGE, the first 2xx is the answer', () =>
    withForward(
      async ({ client, register, send, asked, reply, answer, stored }) => {
        const other = await openUnrepeatedPeer();
        try {
          const contact = (port: number) => `<sip:bob@127.0.0.1:${port}>;+g.oma.sip-im`;
          await register({ contact: contact(client.port), callId: 'first' });
          await register({ contact: contact(other.port), callId: 'second' });
          send({ body: binary });
          reply(await asked('MESSAGE'), 486);
          const { message, reply: back } = await other.arrivals.next();
          if (message.kind !== 'request') throw new Error('a request is due');
          expect(message.body.equals(binary)).toBe(true);
          back(responseTo(message, 200, { tag: 'other' }));
          expect((await answer()).status).toBe(200);
          await stored(0);
        } finally {
          await other.close();
        }
      },
      { forward: { devices: 'all' } },
    ));

  test.each([
    [486, 480, 486],
    [480, 404, 404],
    [480, 503, 202],
  ])('U10, D-12: %i and %i of two clients are %i', (one, two, status) =>
    withForward(
      async ({ client, register, send, asked, reply, answer }) => {
        const other = await openUnrepeatedPeer();
        try {
          const contact = (port: number) => `<sip:bob@127.0.0.1:${port}>;+g.oma.sip-im`;
          await register({ contact: contact(client.port), callId: 'first' });
          await register({ contact: contact(other.port), callId: 'second' });
          send({});
          reply(await asked('MESSAGE'), one);
          const { message, reply: back } = await other.arrivals.next();
          if (message.kind !== 'request') throw new Error('a request is due');
          back(responseTo(message, two, { tag: 'other' }));
          expect((await answer()).status).toBe(status);
        } finally {
          await other.close();
        }
      },
      { forward: { devices: 'all' }, push: { default: false } },
    ),
  );
});

describe('a client that does not answer', () => {
  test('D-12, U7: is waited for that long, then the message is stored', () =>
    withForward(
      async ({ register, send, asked, answer }) => {
        await register();
        send({});
        await asked('MESSAGE');
        expect((await answer()).status).toBe(202);
        expect((await asked('INVITE')).method).toBe('INVITE');
      },
      { forward: { waitMs: 200 } },
    ));

  test('U11: whose answer comes late after all has the message, and gets it once', () =>
    withForward(
      async ({ register, send, asked, reply, answer, stored }) => {
        await register();
        send({});
        const request = await asked('MESSAGE');
        expect((await answer()).status).toBe(202);
        await stored(1);
        reply(request, 200);
        await stored(0);
      },
      { forward: { waitMs: 200 } },
    ));

  test('D-12: never has more than its share of messages on the way; the others are stored', () =>
    withForward(
      async ({ world, register, send, asked, reply, answer }) => {
        await register();
        const sent = ['1', '2', '3'];
        for (const callId of sent) send({ callId });
        // The third is not passed on, so that its answer is the first.
        const first = await answer();
        expect([first.status, first.header('call-id')]).toEqual([202, '3']);
        for (const _ of [1, 2]) reply(await asked('MESSAGE'), 200);
        expect((await answer()).status).toBe(200);
        expect((await answer()).status).toBe(200);
        expect(await world.server.counted()).toMatchObject({ 'actors.forwards': 2 });
      },
      { forward: { count: 2 } },
    ));

  test('U6: a restart meanwhile has promised nothing: the repetition is passed on again', () =>
    withForward(async ({ world, register, send, asked, reply, answer }) => {
      await register();
      const sketch = { callId: 'again', branch: 'again', body: binary };
      send(sketch);
      await asked('MESSAGE');
      await world.restart();
      send(sketch);
      const request = await asked('MESSAGE');
      expect(request.body.equals(binary)).toBe(true);
      reply(request, 200);
      expect((await answer()).status).toBe(200);
    }));
});

test('U8: with forwarding off, what is stored is pushed without a new REGISTER', async () => {
  const world = await startWorld({ forward: { mode: 'off' } });
  try {
    const [alice, client] = [await world.client('alice'), await world.client('bob')];
    const deliveries = client.deliveries();
    await client.register();
    for (const text of ['first', 'second']) {
      expect((await alice.send(bob, text)).status).toBe(202);
      const [message] = await take(deliveries, 1);
      expect(message).toMatchObject({ form: 'sipfrag' });
      expect(message!.body.toString()).toBe(text);
    }
  } finally {
    await world.end();
  }
});

async function take(
  deliveries: ReturnType<ImClient['deliveries']>,
  count: number,
): Promise<DeliveredMessage[]> {
  const taken: DeliveredMessage[] = [];
  while (taken.length < count) taken.push((await deliveries.next()).value as DeliveredMessage);
  return taken;
}
