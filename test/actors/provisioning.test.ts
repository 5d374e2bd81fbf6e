/** What provisioning means for those who send and those who are sent to. */

import { expect, test } from 'vitest';
import type { ProvisionedAccount } from '../../src/ports.js';
import { createWorld, messageTo, settle, storedFor } from './world.js';
import type { World } from './world.js';

async function provision(
  world: World,
  user: string,
  more: Partial<ProvisionedAccount> = {},
): Promise<void> {
  const account = `${user}@example.net`;
  const record = { account, identities: [], disabled: false, limits: {}, ...more };
  await world.store.provisioning!.put(record);
}

test('U5: who has no account is not found, who is offline is stored for', async () => {
  const world = await createWorld({ options: { provisionedOnly: true } });
  const before = world.message('bob');
  await settle();
  expect(world.status(before)).toBe(404);
  await provision(world, 'bob');
  const after = world.message('bob');
  const nobody = world.message('eve');
  await settle();
  expect(world.status(after)).toBe(202);
  expect(world.status(nobody)).toBe(404);
  const again = await world.crash();
  const later = again.sip.receive(messageTo('bob', 90, {}));
  await settle();
  expect(again.status(later)).toBe(202);
  expect(await storedFor(again, 'bob')).toBe(2);
});

test('U5: an account that is disabled is like none, and what it holds stays', async () => {
  const world = await createWorld();
  const before = world.message('bob');
  await settle();
  expect(world.status(before)).toBe(202);
  await provision(world, 'bob', { disabled: true });
  const after = world.message('bob');
  await settle();
  expect(world.status(after)).toBe(404);
  expect(await storedFor(world, 'bob')).toBe(1);
  await provision(world, 'bob');
  const back = world.message('bob');
  await settle();
  expect(world.status(back)).toBe(202);
});

test('U22: every identity of an implicit set leads to the one account', async () => {
  const world = await createWorld({ options: { provisionedOnly: true } });
  await provision(world, 'bob', { identities: ['+12025550147', 'robert@example.net'] });
  const text = messageTo('robert', 1, {});
  const sip = world.sip.receive(text);
  const tel = world.sip.receive(
    messageTo('robert', 2, {}).replace('sip:robert@example.net', 'tel:+1-202-555-0147'),
  );
  await settle();
  expect([world.status(sip), world.status(tel)]).toEqual([202, 202]);
  expect(await storedFor(world, 'bob')).toBe(2);
});

test('U17: the quota of an account is its own, from the next message on', async () => {
  const world = await createWorld();
  await provision(world, 'bob', { limits: { messages: 1 } });
  const statuses = async (user: string, count: number) => {
    const sent = Array.from({ length: count }, () => world.message(user));
    await settle();
    return sent.map((transaction) => world.status(transaction));
  };
  expect(await statuses('bob', 2)).toEqual([202, 603]);
  expect(await statuses('nia', 2)).toEqual([202, 202]);
  await provision(world, 'bob', { limits: { messages: 2 } });
  expect(await statuses('bob', 2)).toEqual([202, 603]);
});

test('D-21: the expiry of an account is its own', async () => {
  const world = await createWorld();
  await provision(world, 'bob', { limits: { expiryDefault: 7200, expiryMax: 60 } });
  await provision(world, 'nia', { limits: { expiryDefault: 600 } });
  world.message('bob');
  world.message('nia');
  await settle();
  const { accounts } = world.actors;
  const [bob] = await accounts.histories('bob@example.net', { limit: 1 });
  const [nia] = await accounts.histories('nia@example.net', { limit: 1 });
  expect(bob!.expiry! - bob!.receivedAt).toBe(60_000);
  expect(nia!.expiry! - nia!.receivedAt).toBe(600_000);
});

test('a request is answered 503 while the directory cannot be read', async () => {
  const failure = Object.assign(new Error('no disk'), { code: 'STORE_UNAVAILABLE' });
  const world = await createWorld({
    options: {
      provisioning: {
        find: () => {
          throw failure;
        },
        list: () => Promise.reject(failure),
        put: () => Promise.reject(failure),
        remove: () => Promise.reject(failure),
      },
    },
  });
  const asked = world.message('bob');
  await settle();
  expect(world.status(asked)).toBe(503);
  expect(world.header(asked, 'Retry-After')).toBe('5');
});
