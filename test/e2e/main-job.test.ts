import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DeliveredMessage, MessageWaiting } from '../../src/client/im-client.js';
import { hostname, serialsOf, startWorld } from './world.js';
import type { World } from './world.js';

describe.each(['udp', 'tcp'] as const)('the main job over %s', (transport) => {
  let world: World;
  beforeEach(async () => {
    world = await startWorld({}, transport);
  });
  afterEach(() => world.end());

  test('S4-202, IMSpec-DMT-C-003: what is stored for an offline user is retrieved, in order', async () => {
    const alice = await world.client('alice');
    const bodies = [Buffer.from('one'), Buffer.alloc(0), randomBytes(700), Buffer.from('Grüße')];
    for (const body of bodies) {
      const { status } = await alice.send('sip:bob@example.org', body, {
        contentType: 'application/octet-stream',
      });
      expect(status).toBe(202);
    }
    const bob = await world.client('bob');
    const { status, messages } = await bob.retrieve();
    expect(status).toBe(200);
    expect(messages.map(({ body }) => body.toString('hex'))).toEqual(
      bodies.map((body) => body.toString('hex')),
    );
    expect(messages[0]!.from).toContain('sip:alice@example.org');
    expect(messages[0]!.receivedAt).toBeInstanceOf(Date);
  });

  test('TP-04: the Contact of the focus names the transport by which it was invited', async () => {
    const records: string[] = [];
    const bob = await world.client('bob', {
      trace: {
        record: ({ protocol, direction, bytes }) => {
          if (protocol === 'sip' && direction === 'in') records.push(bytes.toString('latin1'));
        },
      },
    });
    await bob.retrieve();
    const answer = records.find((text) => text.startsWith('SIP/2.0 200') && text.includes('v=0'));
    const contact = /^Contact: <([^>]*)>/m.exec(answer ?? '')?.[1];
    expect(contact?.endsWith(';transport=tcp')).toBe(transport === 'tcp');
  });

  test('IMSpec-DMT-C-002: only the messages of the URI list are fetched', async () => {
    const alice = await world.client('alice');
    for (const text of ['1', '2', '3', '4']) await alice.send('sip:bob@example.org', text);
    const bob = await world.client('bob');
    const all = await bob.retrieve();
    expect(all.count).toBe(4);
    const serials = await serialsOf(world, 'bob@example.org');
    const ids = [serials[1]!, serials[3]!].map((serial) => `sip:${serial}@${hostname}`);
    const some = await bob.retrieve({ ids });
    expect(some.messages.map(({ body }) => body.toString())).toEqual(['2', '4']);
  });

  test('IMSpec-DMT-S-004: at REGISTER every message is pushed once and is gone', async () => {
    const alice = await world.client('alice');
    const texts = Array.from({ length: 40 }, (_, n) => `message ${n}`);
    for (const text of texts) await alice.send('sip:bob@example.org', text);
    const bob = await world.client('bob');
    const deliveries = bob.deliveries();
    expect((await bob.register()).status).toBe(200);
    const pushed = await take(deliveries, texts.length);
    expect(pushed.map(({ body }) => body.toString())).toEqual(texts);
    expect(pushed.some(({ duplicate }) => duplicate)).toBe(false);
    await gone(bob);
    expect((await bob.retrieve()).count).toBe(0);
  });

  test.each(['message/sipfrag', 'message/sip', 'message/cpim'])(
    'S2-ENCAP, D-48: a client that takes %s gets it, with ids intact',
    async (type) => {
      const alice = await world.client('alice');
      const { callId } = await alice.send('sip:bob@example.org', 'The keys', { subject: 'Keys' });
      const bob = await world.client('bob', { acceptTypes: [type] });
      const { messages } = await bob.retrieve();
      expect(messages).toHaveLength(1);
      const [message] = messages;
      expect(message).toMatchObject({ form: type.slice('message/'.length) });
      expect(message!.body.toString()).toBe('The keys');
      expect(message!.from).toContain('sip:alice@example.org');
      if (type !== 'message/cpim') expect(message).toMatchObject({ callId, subject: 'Keys' });
      expect(message!.payload.includes('Route:')).toBe(false);
    },
  );

  test('U18: a client that takes none of the forms gets nothing, and the message stays', async () => {
    const alice = await world.client('alice');
    await alice.send('sip:bob@example.org', 'The keys');
    const picky = await world.client('bob', { acceptTypes: ['image/png'] });
    expect((await picky.retrieve()).count).toBe(0);
    const bob = await world.client('bob');
    expect((await bob.retrieve()).count).toBe(1);
  });

  test('IMSpec-DMT-S-002, -005: message waiting is told at once and on change', async () => {
    const alice = await world.client('alice');
    const bob = await world.client('bob');
    const states = bob.watch();
    expect(await next(states)).toMatchObject({ waiting: false });
    await alice.send('sip:bob@example.org', 'hello', { subject: 'Keys', urgent: true });
    const state = await next(states);
    expect(state.waiting).toBe(true);
    expect(state.classes).toContainEqual({
      class: 'Pager-Message',
      new: 1,
      old: 0,
      newUrgent: 1,
      oldUrgent: 0,
    });
    expect(Object.fromEntries(state.messages[0]!)).toMatchObject({ Subject: 'Keys' });
    await states.return?.();
  });

  test('D-32, D-44: a retrieved message is kept and old', async () => {
    const alice = await world.client('alice');
    await alice.send('sip:bob@example.org', 'hello');
    const bob = await world.client('bob');
    await bob.retrieve();
    const states = bob.watch();
    expect((await next(states)).classes[0]).toMatchObject({ new: 0, old: 1 });
    await states.return?.();
    expect((await bob.retrieve()).count).toBe(1);
  });

  test('U6: a restart loses nothing and doubles nothing', async () => {
    const alice = await world.client('alice');
    for (const text of ['1', '2', '3']) await alice.send('sip:bob@example.org', text);
    await world.restart();
    await alice.send('sip:bob@example.org', '4');
    const bob = await world.client('bob');
    const { messages } = await bob.retrieve();
    expect(messages.map(({ body }) => body.toString())).toEqual(['1', '2', '3', '4']);
  });
});

describe('refusals', () => {
  let world: World;
  afterEach(() => world.end());

  test('U5: a user of a domain that is not served is not found', async () => {
    world = await startWorld();
    const alice = await world.client('alice');
    expect((await alice.send('sip:bob@elsewhere.example', 'hello')).status).toBe(404);
  });

  test('S4-603-PM: a full mailbox declines and keeps what it has', async () => {
    world = await startWorld({ quota: { messages: 2 } });
    const alice = await world.client('alice');
    const sent = [];
    for (const text of ['1', '2', '3']) {
      sent.push((await alice.send('sip:bob@example.org', text)).status);
    }
    expect(sent).toEqual([202, 202, 603]);
    const bob = await world.client('bob');
    expect((await bob.retrieve()).count).toBe(2);
  });

  test('D-23: Expires: 0 is declined', async () => {
    world = await startWorld();
    const alice = await world.client('alice');
    const { status } = await alice.send('sip:bob@example.org', 'now', { expires: 0 });
    expect(status).toBe(603);
  });

  test('IMSpec-DMT-S-010, D-64: without an asserted identity retrieval is forbidden', async () => {
    world = await startWorld();
    const { identity: _, ...anonymous } = { identity: 'asserted' as const };
    const bob = await world.client('bob', { ...anonymous, identity: undefined as never });
    const outcome = await bob.retrieve();
    expect(outcome.status).toBe(403);
    expect(outcome.warning).toContain('127 Service not authorised');
  });

  test('D-60, check 4: another user part is not found', async () => {
    world = await startWorld();
    const bob = await world.client('bob', { deferredUri: `sip:deferred@${hostname}` });
    expect((await bob.retrieve()).status).toBe(404);
  });

  test('D-68: a list of which nothing exists is not found', async () => {
    world = await startWorld();
    const bob = await world.client('bob');
    expect((await bob.retrieve({ ids: [`sip:77@${hostname}`] })).status).toBe(404);
  });

  test('D-69: an empty mailbox answers 200 and ends the session', async () => {
    world = await startWorld();
    const bob = await world.client('bob');
    expect(await bob.retrieve()).toMatchObject({ status: 200, count: 0, ended: 'server' });
  });
});

describe('expiry by the durable timer', () => {
  test('S1-EXP-KEEP, S1-DEL-EXPIRY: an expired message is not delivered any more', async () => {
    const world = await startWorld();
    try {
      const alice = await world.client('alice');
      // Counted from the Date of its sender, which is of whole seconds.
      await alice.send('sip:bob@example.org', 'soon gone', { expires: 3 });
      await alice.send('sip:bob@example.org', 'stays');
      const bob = await world.client('bob');
      const states = bob.watch();
      expect((await next(states)).classes[0]).toMatchObject({ new: 2 });
      expect((await next(states)).classes[0]).toMatchObject({ new: 1 });
      await states.return?.();
      const { messages } = await bob.retrieve();
      expect(messages.map(({ body }) => body.toString())).toEqual(['stays']);
    } finally {
      await world.end();
    }
  });
});

async function take(
  deliveries: AsyncIterableIterator<DeliveredMessage>,
  count: number,
): Promise<DeliveredMessage[]> {
  const taken: DeliveredMessage[] = [];
  while (taken.length < count) taken.push((await deliveries.next()).value as DeliveredMessage);
  return taken;
}

async function next(states: AsyncIterableIterator<MessageWaiting>): Promise<MessageWaiting> {
  return (await states.next()).value as MessageWaiting;
}

/** Waits until message waiting says that nothing is stored any more. */
async function gone(client: Awaited<ReturnType<World['client']>>): Promise<void> {
  for await (const state of client.watch()) if (!state.waiting) return;
}
