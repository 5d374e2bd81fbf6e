/** A deletion that is cut off goes on where it was: storage, report, metadata, and its job. */

import { expect, test } from 'vitest';
import { limits } from '../flows/limits.js';
import { createWorld, messageTo, settle, storedFor } from './world.js';
import type { World } from './world.js';

const account = 'tomas@example.net';

const cpim = [
  'From: <sip:nia@example.net>',
  'To: <sip:tomas@example.net>',
  'DateTime: 2026-11-20T09:00:00Z',
  'NS: imdn <urn:ietf:params:imdn>',
  'imdn.Message-ID: Qm8x2LrT0d9K',
  'imdn.Disposition-Notification: negative-delivery',
  '',
  'Content-Type: text/plain',
  '',
  'hi',
].join('\r\n');

/** One message with a report to come, its metadata already where it belongs. */
async function withMessage(): Promise<World> {
  const world = await createWorld({ xdms: true });
  const text = messageTo('tomas', 1, {})
    .replace('Content-Type: text/plain', 'Content-Type: message/cpim')
    .replace(/Content-Length: 2\r\n\r\nhi$/, `Content-Length: ${cpim.length}\r\n\r\n${cpim}`);
  world.sip.receive(text);
  await settle();
  expect(await storedFor(world, 'tomas')).toBe(1);
  return world;
}

function remove(world: World): void {
  world.actors.accounts.deleteMessages(account, [1]).catch(() => undefined);
}

const reports = (world: World) => world.requests('MESSAGE');
const metadata = (world: World) =>
  world.calls.flatMap((call) => (call.call === 'history.delete' ? [call] : []));

async function outbox(world: World): Promise<number> {
  return (await world.store.scan(account, { kind: 'outbox', limit: 10 })).length;
}

/** Nobody touches the account: it is woken for what it owes. */
async function woken(world: World): Promise<World> {
  const after = await world.crash();
  after.clock.advance(30_000);
  await settle();
  return after;
}

test('S1-DEL-ORDER, D-29: a crash before the commit leaves the message as it was', async () => {
  const world = await withMessage();
  const held = world.store.hold();
  remove(world);
  await settle();
  expect(reports(world)).toEqual([]);
  const after = await woken(world);
  held.release();
  expect(await storedFor(after, 'tomas')).toBe(1);
  expect(reports(after)).toEqual([]);
  remove(after);
  await settle();
  expect(await storedFor(after, 'tomas')).toBe(0);
});

test('S1-DEL-ORDER, D-29: a crash behind storage goes on with the report, then metadata', async () => {
  const world = await withMessage();
  remove(world);
  await settle();
  // The report is under way and not answered: metadata waits for it.
  expect(reports(world)).toHaveLength(1);
  expect(metadata(world)).toEqual([]);
  const after = await woken(world);
  expect(await storedFor(after, 'tomas')).toBe(0);
  const [again] = reports(after);
  expect(again!.body!.equals(reports(world)[0]!.body!)).toBe(true);
  expect(again!.callId).toBe(reports(world)[0]!.callId);
  expect(metadata(after)).toHaveLength(1);
  after.sip.answer(again!.owner, 'report', 200);
  await settle();
  expect(await outbox(after)).toBe(0);
});

test('S1-DEL-ORDER, D-29: a crash behind the report goes on with metadata alone', async () => {
  const world = await withMessage();
  remove(world);
  await settle();
  world.xdms.failNext(1);
  world.sip.answer(reports(world)[0]!.owner, 'report', 200);
  await settle();
  expect(await outbox(world)).toBe(1);
  const after = await woken(world);
  expect(await storedFor(after, 'tomas')).toBe(0);
  expect(reports(after)).toEqual([]);
  expect(metadata(after)).toHaveLength(1);
  expect(await outbox(after)).toBe(0);
});

test('D-29: a sender who does not answer keeps metadata from its truth for two seconds only', async () => {
  const world = await withMessage();
  remove(world);
  await settle();
  world.clock.advance(1_999);
  await settle();
  expect(metadata(world)).toEqual([]);
  world.clock.advance(1);
  await settle();
  expect(metadata(world)).toHaveLength(1);
});

test('U2, U14: a deletion of many messages is done batch by batch, and goes on after a crash', async () => {
  const count = 50;
  const wide = {
    ...limits,
    quota: { messages: 1_000, octets: 1_000_000 },
    deletion: { batch: 4, removalMs: 1000 },
  };
  const world = await createWorld({ options: { limits: wide } });
  for (let i = 0; i < count; i++) world.message('tomas');
  await settle();
  expect(await storedFor(world, 'tomas')).toBe(count);
  const all = Array.from({ length: 200 }, (_, serial) => serial + 1);
  const deleted = world.actors.accounts.deleteMessages(account, all);
  await settle();
  expect(await deleted).toBe(count);
  // Accepted as a whole, and one batch is gone; another user has his answer between.
  expect(await storedFor(world, 'tomas')).toBeLessThan(count);
  const left = await storedFor(world, 'tomas');
  expect(left).toBeGreaterThan(0);
  const other = world.message('bob');
  await settle();
  expect(world.status(other)).toBe(202);
  const after = await world.crash();
  for (let round = 0; round < count; round++) {
    after.clock.advance(0);
    await settle();
  }
  expect(await storedFor(after, 'tomas')).toBe(0);
  const timers = await after.store.scan(account, { kind: 'timer', limit: 10 });
  expect(timers).toEqual([]);
});

test('U12, U14: messages that expire together go in turns of bounded size', async () => {
  const wide = { ...limits, quota: { messages: 1_000, octets: 1_000_000 } };
  const sizes: number[] = [];
  const world = await createWorld({
    options: { limits: wide },
    wrap: (store) => ({
      ...store,
      commit: (id, version, change) => {
        sizes.push(change.drops.length);
        return store.commit(id, version, change);
      },
    }),
  });
  for (let i = 0; i < 200; i++) world.message('tomas', { headers: 'Expires: 60\r\n' });
  await settle();
  world.clock.advance(60_000);
  for (let round = 0; round < 10; round++) {
    await settle();
    world.clock.advance(0);
  }
  expect(await storedFor(world, 'tomas')).toBe(0);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(64);
  expect(sizes.reduce((sum, size) => sum + size)).toBe(200);
});

test('U13: a year of messages that come and go leaves nothing behind', async () => {
  const wide = { ...limits, quota: { messages: 1_000, octets: 1_000_000 } };
  const world = await createWorld({ options: { limits: wide } });
  const kinds = ['actor', 'ua', 'timer', 'outbox', 'seen'] as const;
  const rows = async () => {
    const found = kinds.map((kind) => world.store.scan(account, { kind, limit: 1_000 }));
    return (await Promise.all(found)).map((some) => some.length);
  };
  for (let week = 0; week < 52; week++) {
    for (let i = 0; i < 5; i++) world.message('tomas', { headers: 'Expires: 3600\r\n' });
    await settle();
    world.clock.advance(7 * 86_400_000);
    for (let round = 0; round < 3; round++) {
      await settle();
      world.clock.advance(0);
    }
  }
  // The mailbox itself, and nothing that grows.
  const [actors, ...others] = await rows();
  expect(actors).toBe(1);
  expect(others).toEqual([0, 0, 0, 0]);
});
