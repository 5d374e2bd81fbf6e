/** AccountsPort over the actors: what HTTP faces and embedders see and change. */

import { expect, test } from 'vitest';
import { LocalTransactions } from '../../src/actors/local-transactions.js';
import { ManualClock } from '../../src/testing/clock.js';
import { limits } from '../flows/limits.js';
import { createWorld, settle } from './world.js';

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
