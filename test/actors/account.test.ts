import { describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../src/store/memory.js';
import { ManualClock } from '../../src/testing/clock.js';
import { limits as limitsOfFlows } from '../flows/limits.js';
import { createWorld, registerTomas, settle, storedFor } from './world.js';
import type { World } from './world.js';

const account = 'tomas@example.net';

describe('commit, then perform', () => {
  test('no 202 leaves before its commit, and then all leave in order', async () => {
    const world = await createWorld();
    world.message('tomas');
    await settle();
    const held = world.store.hold();
    const transactions = [world.message('tomas'), world.message('tomas')];
    // A turn that changes nothing waits for those before it.
    transactions.push(world.message('tomas', { headers: 'Expires: 0\r\n' }));
    await settle();
    expect(transactions.map(world.status)).toEqual([undefined, undefined, undefined]);
    held.release();
    await settle();
    expect(transactions.map(world.status)).toEqual([202, 202, 603]);
    const order = world.calls.flatMap((call) =>
      call.call === 'respond' ? [call.transaction] : [],
    );
    expect(order.slice(-3)).toEqual(transactions);
    expect(await storedFor(world, 'tomas')).toBe(3);
  });

  test('turns run ahead of a slow commit and are committed together', async () => {
    const world = await createWorld({ options: { limits: roomy() } });
    world.message('tomas');
    await settle();
    const before = world.actors.counters()['actors.commits']!;
    const held = world.store.hold();
    for (let n = 0; n < 10; n++) world.message('tomas');
    await settle();
    expect(world.actors.counters()['actors.turns']).toBe(11);
    held.release();
    await settle();
    expect(world.actors.counters()['actors.commits']! - before).toBe(2);
    expect(await storedFor(world, 'tomas')).toBe(11);
  });

  test('no more turns run ahead than the bound allows', async () => {
    const world = await createWorld({ options: { limits: roomy() }, bounds: { ahead: 3 } });
    world.message('tomas');
    await settle();
    const held = world.store.hold();
    for (let n = 0; n < 10; n++) world.message('tomas');
    await settle();
    expect(world.actors.counters()['actors.turns']).toBe(4);
    held.release();
    await settle();
    expect(world.actors.counters()['actors.turns']).toBe(11);
  });

  test('a full queue answers 503 with Retry-After, and what was taken is served', async () => {
    const world = await createWorld({ bounds: { queue: 2, ahead: 1 } });
    world.message('tomas');
    await settle();
    const held = world.store.hold();
    const taken = [world.message('tomas'), world.message('tomas'), world.message('tomas')];
    const refused = world.message('tomas');
    expect(world.status(refused)).toBe(503);
    expect(world.header(refused, 'Retry-After')).toBe('5');
    held.release();
    await settle();
    expect(taken.map(world.status)).toEqual([202, 202, 202]);
  });
});

describe('a store that fails', () => {
  test.each([
    ['STORE_UNAVAILABLE', 503],
    ['STORE_STALE', 503],
    ['STORE_UNKNOWN', 503],
    ['STORE_DAMAGED', 500],
  ] as const)(
    '%s is answered %i, nothing is kept, the next one is served',
    async (code, status) => {
      const world = await createWorld();
      world.store.failNext(code);
      const failed = world.message('tomas');
      await settle();
      expect(world.status(failed)).toBe(status);
      expect(await storedFor(world, 'tomas')).toBe(0);
      const next = world.message('tomas');
      await settle();
      expect(world.status(next)).toBe(202);
      expect(await storedFor(world, 'tomas')).toBe(1);
    },
  );

  test('everything that ran ahead of the failed commit fails with it; nothing is answered 202', async () => {
    const world = await createWorld();
    world.message('tomas');
    await settle();
    const held = world.store.hold();
    world.store.failNext('STORE_UNAVAILABLE');
    const transactions = [world.message('tomas'), world.message('tomas')];
    await settle();
    held.release();
    await settle();
    expect(transactions.map(world.status)).toEqual([503, 503]);
    expect(await storedFor(world, 'tomas')).toBe(1);
  });

  test('a load that fails answers everybody who waits', async () => {
    let fails = true;
    const world = await createWorld({
      wrap: (store) =>
        Object.assign(Object.create(store) as typeof store, {
          load: (id: string) =>
            fails
              ? Promise.reject(Object.assign(new Error('away'), { code: 'STORE_UNAVAILABLE' }))
              : store.load(id),
        }),
    });
    const transactions = [world.message('tomas'), world.message('tomas')];
    await settle();
    expect(transactions.map(world.status)).toEqual([503, 503]);
    fails = false;
    const next = world.message('tomas');
    await settle();
    expect(world.status(next)).toBe(202);
  });

  test('the session of a push ends on the wire when the memory of its account is dropped', async () => {
    const world = await createWorld();
    world.message('tomas');
    world.sip.receive(registerTomas);
    await settle();
    expect(world.requests('INVITE')).toHaveLength(1);
    world.store.failNext('STORE_UNAVAILABLE');
    const failed = world.message('tomas');
    await settle();
    expect(world.status(failed)).toBe(503);
    expect(world.calls).toContainEqual(
      expect.objectContaining({ call: 'bye', owner: `${account}#push/1` }),
    );
    expect(world.msrp.sessions.size).toBe(0);
    // The reload tells the mailbox, which tries again after its back-off.
    world.message('tomas');
    await settle();
    world.clock.advance(5000);
    await settle();
    expect(world.requests('INVITE')).toHaveLength(2);
  });
});

describe('a mistake of ours', () => {
  test('stops the account, never another one or the node', async () => {
    const world = await createWorld({ bounds: { steps: 1 } });
    const broken = world.message('tomas');
    await settle();
    expect(world.status(broken)).toBe(500);
    expect(world.actors.counters()['actors.accounts.stopped']).toBe(1);
    const again = world.message('tomas');
    await settle();
    expect(world.status(again)).toBe(500);
    // A turn of one step is all that a refusal needs.
    const other = world.message('klara', { headers: 'Expires: 0\r\n' });
    await settle();
    expect(world.status(other)).toBe(603);
    expect(world.logs.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  test('a row that no machine knows stops one account', async () => {
    const clock = new ManualClock();
    const store = createMemoryStore({ clock });
    const { version } = await store.load(account);
    await store.commit(account, version, {
      puts: [{ key: ['actor', 'mailbox'], value: { schema: 999, state: 'x', context: {} } }],
      deletes: [],
      keeps: [],
      drops: [],
    });
    store.release(account);
    const world = await createWorld({ store, clock });
    const broken = world.message('tomas');
    const fine = world.message('klara');
    await settle();
    expect([broken, fine].map(world.status)).toEqual([500, 202]);
  });
});

describe('duplicates (D-18)', () => {
  const again = { callId: 'same' };

  async function submitTwice(world: World, next: () => Promise<World>): Promise<World> {
    const first = world.message('tomas', again);
    await settle();
    expect(world.status(first)).toBe(202);
    const after = await next();
    const second = after.message('tomas', again);
    await settle();
    expect(after.status(second)).toBe(202);
    return after;
  }

  test('a submission that comes again is answered alike and stored once', async () => {
    const world = await createWorld();
    await submitTwice(world, () => Promise.resolve(world));
    expect(await storedFor(world, 'tomas')).toBe(1);
    expect(world.actors.counters()['actors.duplicates']).toBe(1);
  });

  test('also while the first one is being committed', async () => {
    const world = await createWorld();
    world.message('tomas');
    await settle();
    const held = world.store.hold();
    const transactions = [world.message('tomas', again), world.message('tomas', again)];
    await settle();
    expect(transactions.map(world.status)).toEqual([undefined, undefined]);
    held.release();
    await settle();
    expect(transactions.map(world.status)).toEqual([202, 202]);
    expect(await storedFor(world, 'tomas')).toBe(2);
  });

  test('also across a crash', async () => {
    const world = await createWorld();
    const after = await submitTwice(world, () => world.crash());
    expect(await storedFor(after, 'tomas')).toBe(1);
  });

  test('also across a crash, with many messages between the two', async () => {
    const world = await createWorld({ options: { limits: roomy() } });
    const after = await submitTwice(world, async () => {
      for (let n = 0; n < 100; n++) world.message('tomas', { callId: `between-${n}` });
      await settle();
      return world.crash();
    });
    expect(await storedFor(after, 'tomas')).toBe(101);
  });

  test('also when the message was deleted meanwhile, and the process has died since', async () => {
    const world = await createWorld();
    const after = await submitTwice(world, async () => {
      world.clock.advance(1000);
      const expiring = world.message('tomas', { headers: 'Expires: 1\r\n', callId: 'brief' });
      await settle();
      expect(world.status(expiring)).toBe(202);
      world.clock.advance(2000);
      await settle();
      expect(await storedFor(world, 'tomas')).toBe(1);
      const next = await world.crash();
      const brief = next.message('tomas', { callId: 'brief' });
      await settle();
      expect(next.status(brief)).toBe(202);
      return next;
    });
    expect(await storedFor(after, 'tomas')).toBe(1);
  });

  test('but not when the window is over, and its traces are removed', async () => {
    const world = await createWorld();
    const after = await submitTwice(world, async () => {
      world.message('tomas', { headers: 'Expires: 1\r\n', callId: 'brief' });
      await settle();
      world.clock.advance(2000);
      await settle();
      expect(await world.store.scan(account, { kind: 'seen', limit: 9 })).toHaveLength(1);
      world.clock.advance(40_000);
      await settle();
      return world.crash();
    });
    expect(await storedFor(after, 'tomas')).toBe(2);
    expect(await after.store.scan(account, { kind: 'seen', limit: 9 })).toHaveLength(0);
  });
});

function roomy() {
  return {
    ...limitsOfFlows,
    quota: { messages: 1000, octets: 1_000_000 },
  };
}
