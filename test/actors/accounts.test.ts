/** AccountsPort over the actors: what HTTP faces and embedders see and change. */

import { expect, test } from 'vitest';
import { LocalTransactions } from '../../src/actors/local-transactions.js';
import { ManualClock } from '../../src/testing/clock.js';
import { limits } from '../flows/limits.js';
import { createWorld, registerTomas, settle, storedFor } from './world.js';

const account = 'bob@example.net';

test('U15: counts, octets and age of a mailbox come from one row, whatever it holds', async () => {
  const gets: string[] = [];
  const world = await createWorld({
    options: { limits: { ...limits, quota: { messages: 100, octets: 1_000_000 } } },
    wrap: (store) => ({
      ...store,
      get: (id, keys) => {
        gets.push(...keys.map(([kind, name]) => `${kind} ${name}`));
        return store.get(id, keys);
      },
      scan: (id, range) => {
        gets.push(`scan ${range.kind}`);
        return store.scan(id, range);
      },
    }),
  });
  const { accounts } = world.actors;
  const before = await accounts.summary(account);
  expect(before).toMatchObject({ messages: 0, unread: 0, octets: 0, available: false });
  expect(before.oldestAt).toBeUndefined();
  world.message('bob');
  await settle();
  const first = await accounts.summary(account);
  const at = world.clock.now();
  world.clock.advance(5_000);
  for (let more = 0; more < 20; more++) world.message('bob');
  await settle();
  gets.length = 0;
  const after = await accounts.summary(account);
  expect(after).toMatchObject({ messages: 21, unread: 21, oldestAt: at });
  expect(after.octets).toBeGreaterThan(21 * 200);
  expect(gets).toEqual(['actor mailbox', expect.stringMatching(/^ua \d+$/)]);
  expect(new Set([before, first, after].map((one) => one.historyVersion)).size).toBe(3);
  expect(await accounts.summary(account)).toEqual(after);
});

test('histories come in pages, oldest first, as the metadata of the messages', async () => {
  const world = await createWorld();
  const { accounts } = world.actors;
  for (let message = 0; message < 5; message++) world.message('bob');
  await settle();
  const all = await accounts.histories(account, { limit: 10 });
  expect(all).toHaveLength(5);
  expect(all[0]).toMatchObject({
    from: 'sip:nia@example.net',
    to: 'sip:bob@example.net',
    receivedAt: world.clock.now(),
  });
  expect(accounts.serialOf(all[0]!.reference)).toBe(all[0]!.serial);
  const page = await accounts.histories(account, { after: all[1]!.serial, limit: 2 });
  expect(page).toEqual(all.slice(2, 4));
  expect(await accounts.histories('nobody@example.net', { limit: 10 })).toEqual([]);
});

test('U5: a URI of nobody who is served leads to no account', async () => {
  const { accounts } = (await createWorld({ options: { users: ['bob@example.net'] } })).actors;
  expect(accounts.accountOf('sip:bob@example.net;transport=tcp')).toBe(account);
  expect(accounts.accountOf('sip:eve@example.net')).toBeUndefined();
  expect(accounts.serialOf('sip:bob@example.net')).toBeUndefined();
});

test('a change is given up after a while, and refused when too many wait', async () => {
  const clock = new ManualClock();
  const local = new LocalTransactions(clock, { localTransactions: 2, localMs: 1_000 });
  const first = local.begin();
  const second = local.begin();
  expect(() => local.begin()).toThrow(expect.objectContaining({ code: 'ACCOUNT_BUSY' }));
  expect(local.answer('z9hG4bK1', 200)).toBe(false);
  expect(local.answer(first.id, 100)).toBe(true);
  expect(local.answer(first.id, 202)).toBe(true);
  expect(await first.status).toBe(202);
  const late = expect(second.status).rejects.toMatchObject({ code: 'ACCOUNT_TIMEOUT' });
  clock.advance(1_000);
  await late;
  expect(local.size).toBe(0);
  expect(local.answer(second.id, 200)).toBe(true);
  local.begin();
});

test('a change is refused with ACCOUNT_BUSY when the node has stopped', async () => {
  const world = await createWorld();
  await world.actors.stop(0);
  const late = world.actors.accounts.configure(account, { offlineDelivery: true });
  await expect(late).rejects.toMatchObject({ code: 'ACCOUNT_BUSY' });
});

test("D-31: deleted messages are nobody's as soon as the call returns, and stay so", async () => {
  const world = await createWorld();
  const { accounts } = world.actors;
  for (let message = 0; message < 4; message++) world.message('bob');
  await settle();
  const all = await accounts.histories(account, { limit: 10 });
  const before = await accounts.summary(account);
  const [first, second] = all.map(({ serial }) => serial);
  expect(await accounts.deleteMessages(account, [second!, first!, second!, 9_999])).toBe(2);
  expect(await accounts.histories(account, { limit: 10 })).toEqual(all.slice(2));
  expect(await accounts.histories(account, { limit: 1 })).toEqual(all.slice(2, 3));
  expect(await accounts.summary(account)).toMatchObject({ messages: 2, unread: 2 });
  expect((await accounts.summary(account)).historyVersion).not.toBe(before.historyVersion);
  expect(await accounts.deleteMessages(account, [first!])).toBe(0);
  expect(await accounts.deleteMessages('eve@example.net', [1])).toBe(0);
  const again = await world.crash();
  await settle();
  expect(await again.actors.accounts.histories(account, { limit: 10 })).toEqual(all.slice(2));
  expect(await again.actors.accounts.purge(account)).toBe(2);
  again.clock.advance(60_000);
  await settle();
  expect(await storedFor(again, 'bob')).toBe(0);
  expect((await again.actors.accounts.summary(account)).octets).toBe(0);
});

test('D-41: provisioned settings are durable when the call returns', async () => {
  const world = await createWorld();
  const { accounts } = world.actors;
  expect((await accounts.summary(account)).settings).toEqual({});
  await accounts.configure(account, { offlineDelivery: false });
  expect((await accounts.summary(account)).settings).toEqual({ offlineDelivery: false });
  const again = await world.crash();
  const { settings } = await again.actors.accounts.summary(account);
  expect(settings).toEqual({ offlineDelivery: false });
});

test('U25: the operator has pushed what waits, and hears when there is nobody', async () => {
  const world = await createWorld();
  const { accounts } = world.actors;
  expect(await accounts.push('tomas@example.net')).toBe('unavailable');
  world.message('tomas');
  await settle();
  expect(await accounts.push('tomas@example.net')).toBe('unavailable');
  await accounts.configure('tomas@example.net', { offlineDelivery: false });
  world.sip.receive(registerTomas);
  await settle();
  expect(await accounts.push('tomas@example.net')).toBe('nothing');
  expect(world.requests('INVITE')).toHaveLength(0);
  await accounts.configure('tomas@example.net', { offlineDelivery: true });
  expect(await accounts.push('tomas@example.net')).toBe('pushing');
  await settle();
  expect(world.requests('INVITE')).toHaveLength(1);
  expect(await accounts.push('tomas@example.net')).toBe('pushing');
  await settle();
  expect(world.requests('INVITE')).toHaveLength(1);
});

test('a change is refused while the store takes none, and nothing is promised', async () => {
  const world = await createWorld();
  const { accounts } = world.actors;
  world.message('bob');
  await settle();
  world.store.failNext('STORE_UNAVAILABLE');
  const refused = accounts.configure(account, { offlineDelivery: false });
  await expect(refused).rejects.toMatchObject({ code: 'ACCOUNT_BUSY' });
  expect((await accounts.summary(account)).settings).toEqual({});
});
