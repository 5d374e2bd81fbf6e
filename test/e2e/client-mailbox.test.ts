/** What the IM client does with its mailbox, against the real server. */

import { afterEach, beforeEach, expect, test } from 'vitest';
import { hostname, serialsOf, startWorld } from './world.js';
import type { World } from './world.js';

let world: World;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.end());

async function store(bodies: readonly string[]): Promise<void> {
  const alice = await world.client('alice');
  for (const body of bodies) {
    expect((await alice.send('sip:bob@example.org', body)).status).toBe(202);
  }
}

test.each(['refer', 'list'] as const)('D-31: the client deletes by %s', async (by) => {
  await store(['one', 'two', 'three']);
  const [first, , third] = await serialsOf(world, 'bob@example.org');
  const bob = await world.client('bob');
  expect((await bob.delete([`${first}@${hostname}`], { by })).status).toBe(202);
  expect((await bob.delete([`${third}@${hostname}`, `99@${hostname}`], { by })).status).toBe(202);
  expect((await bob.delete([`${first}@${hostname}`], { by })).status).toBe(404);
  const { messages } = await bob.retrieve();
  expect(messages.map(({ body }) => body.toString())).toEqual(['two']);
});

test('IMSpec-DMT-S-008: the client publishes that nothing is pushed, and then that it is', async () => {
  await store(['hello']);
  const pushed: string[] = [];
  const arrived = new Map<string, () => void>();
  const bob = await world.client('bob', {
    onDelivery: ({ body }) => {
      pushed.push(body.toString());
      arrived.get(body.toString())?.();
    },
  });
  expect((await bob.publish({ offlineDelivery: false })).status).toBe(200);
  expect((await bob.register()).status).toBe(200);
  const watching = await bob.watch().next();
  expect(watching.value).toMatchObject({ waiting: true });
  expect(pushed).toEqual([]);
  const came = new Promise<void>((resolve) => arrived.set('hello', resolve));
  expect((await bob.publish({ offlineDelivery: true })).status).toBe(200);
  expect((await bob.register()).status).toBe(200);
  await came;
  expect(pushed).toEqual(['hello']);
  expect((await bob.unpublish()).status).toBe(200);
});

test('D-50: of two devices that register at once, one is given the stored message', async () => {
  await store(['hello']);
  const came: string[] = [];
  let first: () => void = () => undefined;
  const arrival = new Promise<void>((resolve) => {
    first = resolve;
  });
  const device = (name: string) =>
    world.client('bob', {
      instance: `urn:uuid:00000000-0000-1000-8000-00000000000${name}`,
      onDelivery: ({ body }) => {
        came.push(`${name} ${body.toString()}`);
        first();
      },
    });
  const [a, b] = await Promise.all([device('a'), device('b')]);
  const registered = await Promise.all([a.register(), b.register()]);
  expect(registered.map(({ status }) => status)).toEqual([200, 200]);
  await arrival;
  for await (const { waiting } of a.watch()) if (!waiting) break;
  expect((await a.retrieve()).count).toBe(0);
  expect((await b.retrieve()).count).toBe(0);
  expect(came).toHaveLength(1);
});
