/** The participating function over real sockets: a MESSAGE for a user who is available (D-12). */

import { afterEach, describe, expect, test } from 'vitest';
import type { DeliveredMessage, ImClient } from '../../src/client/im-client.js';
import { startWorld } from './world.js';
import type { World } from './world.js';

let world: World;
afterEach(() => world.end());

describe('a user who is available', () => {
  test('D-12, IMSpec-DMT-S-003: is given the MESSAGE itself, and the sender the answer', async () => {
    world = await startWorld();
    const [alice, bob] = [await world.client('alice'), await world.client('bob')];
    const deliveries = bob.deliveries();
    await bob.register();
    const sent = await alice.send('sip:bob@example.org', 'now', { subject: 'Keys' });
    expect(sent.status).toBe(200);
    const [message] = await take(deliveries, 1);
    expect(message).toMatchObject({ form: 'page', callId: sent.callId, subject: 'Keys' });
    expect(message!.body.toString()).toBe('now');
    expect(world.server.counters()).toMatchObject({ 'actors.forwards': 1 });
    expect((await bob.retrieve()).count).toBe(0);
  });

  test('U8: with forwarding off, what is stored is pushed without a new REGISTER', async () => {
    world = await startWorld({ forward: { mode: 'off' } });
    const [alice, bob] = [await world.client('alice'), await world.client('bob')];
    const deliveries = bob.deliveries();
    await bob.register();
    for (const text of ['first', 'second']) {
      expect((await alice.send('sip:bob@example.org', text)).status).toBe(202);
      const [message] = await take(deliveries, 1);
      expect(message).toMatchObject({ form: 'sipfrag' });
      expect(message!.body.toString()).toBe(text);
    }
  });
});

async function take(
  deliveries: ReturnType<ImClient['deliveries']>,
  count: number,
): Promise<DeliveredMessage[]> {
  const taken: DeliveredMessage[] = [];
  while (taken.length < count) taken.push((await deliveries.next()).value as DeliveredMessage);
  return taken;
}
