/** Metadata on its way to an external XDMS that fails, lags behind, or is changed by others. */

import { describe, expect, test } from 'vitest';
import { limits } from '../flows/limits.js';
import { SimulatedXdms } from '../../src/testing/simulated-ports.js';
import { createWorld, settle } from './world.js';
import type { World } from './world.js';

const referenceOf = (serial: number): string => `sip:${serial}@s07.example.net`;
const roomy = { ...limits, quota: { messages: 1_000, octets: 1_000_000 } };
const down = Number.MAX_SAFE_INTEGER;

async function outboxOf(world: World, user = 'tomas'): Promise<string[]> {
  const rows = await world.store.scan(`${user}@example.net`, { kind: 'outbox', limit: 1_000 });
  return rows.map(({ value }) => (value as { effect: { type: string } }).effect.type);
}

async function store(world: World, user: string, count: number): Promise<(number | undefined)[]> {
  const transactions: string[] = [];
  for (let made = 0; made < count; made++) transactions.push(world.message(user));
  await settle();
  return transactions.map((transaction) => world.status(transaction));
}

/** Time goes on, and what it causes happens. */
async function pass(world: World, ms: number, step = 10_000): Promise<void> {
  for (let passed = 0; passed < ms; passed += step) {
    world.clock.advance(step);
    await settle();
  }
}

const kept = (xdms: SimulatedXdms): string[] => [...xdms.histories.keys()];
const rebuilds = (world: World): number =>
  world.calls.filter(({ call }) => call === 'history.rebuild').length;

describe('metadata in an external XDMS', () => {
  test('U24, D-80, XCAP-10: an outage of an hour delays no 202 and is caught up afterwards', async () => {
    const world = await createWorld({ xdms: true });
    world.xdms.failNext(down);
    expect(await store(world, 'tomas', 3)).toEqual([202, 202, 202]);
    await pass(world, 3_600_000, 60_000);
    expect(await store(world, 'tomas', 2)).toEqual([202, 202]);
    expect(kept(world.xdms)).toEqual([]);
    // What was tried too often has given way to a rebuild, and nothing is lost.
    expect(await outboxOf(world)).toContain('history.rebuild');
    expect(world.actors.counters()['actors.outbox.dead']).toBe(0);
    world.xdms.failNext(0);
    await pass(world, 600_000, 60_000);
    expect(kept(world.xdms).sort()).toEqual([1, 2, 3, 4, 5].map(referenceOf));
    expect(await outboxOf(world)).toEqual([]);
  });

  test('XCAP-10: what waits for one document has a bound', async () => {
    const world = await createWorld({
      xdms: true,
      bounds: { histories: 4 },
      options: { limits: roomy },
    });
    world.xdms.failNext(down);
    for (let round = 0; round < 10; round++) await store(world, 'tomas', 5);
    expect((await outboxOf(world)).length).toBeLessThanOrEqual(6);
    world.xdms.failNext(0);
    await pass(world, 600_000, 60_000);
    expect(kept(world.xdms)).toHaveLength(50);
    expect(await outboxOf(world)).toEqual([]);
  });

  test('U24: a crash in the middle of an outage loses no metadata', async () => {
    const xdms = new SimulatedXdms();
    const world = await createWorld({ options: { xdms } });
    xdms.failNext(down);
    await store(world, 'tomas', 3);
    await pass(world, 30_000);
    const after = await world.crash();
    after.message('tomas', { callId: 'another' });
    await settle();
    xdms.failNext(0);
    await pass(after, 600_000, 30_000);
    expect(kept(xdms)).toHaveLength(4);
    expect(await outboxOf(after)).toEqual([]);
  });

  test('D-83: who hears that others have changed the document puts it anew', async () => {
    const world = await createWorld({ xdms: true });
    await store(world, 'tomas', 2);
    world.xdms.histories.clear();
    world.xdms.change();
    await store(world, 'tomas', 1);
    expect(kept(world.xdms)).toEqual([1, 2, 3].map(referenceOf));
    expect(rebuilds(world)).toBe(1);
    expect(await outboxOf(world)).toEqual([]);
  });

  test('D-83: a rebuild on demand, and none for whom nobody knows', async () => {
    const world = await createWorld({ xdms: true });
    await store(world, 'tomas', 2);
    world.xdms.histories.clear();
    expect(await world.actors.rebuildMetadata('tomas@example.net')).toBe(true);
    await settle();
    expect(kept(world.xdms)).toEqual([1, 2].map(referenceOf));
    await world.actors.rebuildMetadata('nobody@example.net');
    await settle();
    expect(rebuilds(world)).toBe(1);
    const embedded = await createWorld();
    expect(await embedded.actors.rebuildMetadata('tomas@example.net')).toBe(false);
  });

  test('D-83: all documents are put anew from time to time', async () => {
    const world = await createWorld({ xdms: true, bounds: { rebuildMs: 3_600_000 } });
    await store(world, 'tomas', 2);
    world.xdms.histories.clear();
    await pass(world, 3_540_000, 60_000);
    expect(rebuilds(world)).toBe(0);
    await pass(world, 120_000, 10_000);
    expect(kept(world.xdms)).toEqual([1, 2].map(referenceOf));
    await pass(world, 3_600_000, 60_000);
    expect(rebuilds(world)).toBe(2);
    await world.actors.stop(0);
    await pass(world, 7_200_000, 600_000);
    expect(rebuilds(world)).toBe(2);
  });

  test('U24: an outage keeps no account in memory: others are served', async () => {
    const world = await createWorld({ xdms: true, bounds: { accounts: 2 } });
    world.xdms.failNext(down);
    for (const user of ['tomas', 'klara', 'nia', 'otto']) {
      expect(await store(world, user, 1)).toEqual([202]);
      await pass(world, 1);
    }
    expect(world.actors.counters()['actors.accounts']).toBeLessThanOrEqual(2);
    expect(await outboxOf(world, 'tomas')).toEqual(['history.put']);
  });
});
