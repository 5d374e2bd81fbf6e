/** Expiry and deletion in bulk beside what others ask for: what one look at due timers may do. */

import { describe, expect, test } from 'vitest';
import { DueTimers } from '../../src/actors/timers.js';
import type { AccountId, ScanRange, StorePort } from '../../src/ports.js';
import { ManualClock } from '../../src/testing/clock.js';
import { limits } from '../flows/limits.js';
import { createWorld, settle } from './world.js';
import type { World } from './world.js';

const names = (count: number): AccountId[] => Array.from({ length: count }, (_, n) => `u${n}`);

/** Accounts that are due until they were woken; a wake ends when the test says so. */
function scene(bounds: { readonly due: number; readonly dueAtOnce: number }, accounts: number) {
  const clock = new ManualClock();
  const due = new Set(names(accounts));
  const underWay = new Map<AccountId, () => void>();
  const order: AccountId[] = [];
  const disk = { isCalm: true };
  const timers = new DueTimers({
    clock,
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: fail },
    store: {
      due: (_now, limit) => Promise.resolve([...due].slice(0, limit)),
      nextDue: () => Promise.resolve(due.size > 0 ? clock.now() : undefined),
      isCalm: () => disk.isCalm,
    },
    bounds: { ...bounds, dueMs: 60_000, dueSlowMs: 50 },
    wake: (account) =>
      new Promise((resolve) => {
        order.push(account);
        underWay.set(account, () => {
          underWay.delete(account);
          due.delete(account);
          resolve(true);
        });
      }),
  });
  return { clock, timers, due, underWay, order, disk };
}

function fail(fields: object, message: string): never {
  throw new Error(`${message} ${JSON.stringify(fields)}`);
}

describe('U14: of accounts that are due', () => {
  test('no more than a few are woken at a time, each once, in their order', async () => {
    const { timers, due, underWay, order } = scene({ due: 7, dueAtOnce: 3 }, 20);
    timers.start();
    for (let woken = 0; woken < 20; woken++) {
      await settle();
      expect(underWay.size).toBeGreaterThan(0);
      expect(underWay.size).toBeLessThanOrEqual(3);
      const [end] = underWay.values();
      end?.();
    }
    await settle();
    timers.stop();
    expect(due.size).toBe(0);
    expect(order).toEqual(names(20));
  });

  test('the next one waits as long as a slow one took, so that others have half of the time', async () => {
    const { clock, timers, underWay, order } = scene({ due: 4, dueAtOnce: 1 }, 2);
    timers.start();
    await settle();
    clock.advance(80);
    underWay.get('u0')?.();
    await settle();
    clock.advance(79);
    await settle();
    expect(order).toEqual(['u0']);
    clock.advance(1);
    await settle();
    expect(order).toEqual(['u0', 'u1']);
    timers.stop();
  });

  test('one at a time, with pauses, is woken while the disk is behind; none is forgotten', async () => {
    const { clock, timers, due, underWay, order, disk } = scene({ due: 8, dueAtOnce: 4 }, 12);
    disk.isCalm = false;
    timers.start();
    await settle();
    for (let woken = 1; woken <= 6; woken++) {
      expect(order).toEqual(names(woken));
      underWay.get(`u${woken - 1}`)?.();
      await settle();
      clock.advance(99);
      await settle();
      expect(underWay.size).toBe(0);
      clock.advance(1);
      await settle();
    }
    // Those that were looked up go on one by one; then as many as before.
    disk.isCalm = true;
    while (due.size > 4) {
      expect(underWay.size).toBe(1);
      for (const end of underWay.values()) end();
      await settle();
    }
    expect(underWay.size).toBe(4);
    for (const end of underWay.values()) end();
    await settle();
    timers.stop();
    expect(order).toEqual(names(12));
  });

  test('a disk that falls behind meanwhile finds the others stopping, and one going on', async () => {
    const { clock, timers, underWay, order, disk } = scene({ due: 8, dueAtOnce: 4 }, 12);
    timers.start();
    await settle();
    expect(underWay.size).toBe(4);
    disk.isCalm = false;
    for (const end of underWay.values()) end();
    await settle();
    expect(underWay.size).toBe(0);
    clock.advance(100);
    await settle();
    expect(order).toEqual(names(5));
    timers.stop();
  });

  test('nobody is woken any more behind a stop, not even behind a rest', async () => {
    const { clock, timers, underWay, order } = scene({ due: 4, dueAtOnce: 1 }, 3);
    timers.start();
    await settle();
    clock.advance(80);
    underWay.get('u0')?.();
    await settle();
    timers.stop();
    await settle();
    clock.advance(10_000);
    await settle();
    expect(order).toEqual(['u0']);
  });
});

/** The accounts whose commits were asked for, and how many timers each look at an account read. */
async function watched(dueAtOnce: number, dueTimers: number) {
  const commits: AccountId[] = [];
  const scans: { readonly limit: number; readonly found: number }[] = [];
  const wrap = (store: StorePort): StorePort => {
    const commit: StorePort['commit'] = (account, version, change) => {
      commits.push(account);
      return store.commit(account, version, change);
    };
    const scan = async (account: AccountId, range: ScanRange) => {
      const rows = await store.scan(account, range);
      if (range.kind === 'timer') scans.push({ limit: range.limit, found: rows.length });
      return rows;
    };
    return new Proxy(store, {
      get: (target, name) => {
        if (name === 'commit') return commit;
        if (name === 'scan') return scan;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  };
  const roomy = { ...limits, quota: { ...limits.quota, messages: 1_000, octets: 1_000_000 } };
  const bounds = { dueAtOnce, dueTimers, due: 64 };
  const world = await createWorld({ wrap, bounds, options: { limits: roomy } });
  return { world, commits, scans };
}

async function storedFor(world: World, user: string): Promise<number> {
  const rows = await world.store.scan(`${user}@example.net`, { kind: 'ua', limit: 1_000 });
  return rows.length;
}

describe('U14: while messages of many expire', () => {
  test("another user's message waits for no more than are woken at a time", async () => {
    const { world, commits } = await watched(2, 16);
    for (let n = 0; n < 40; n++) world.message(`user${n}`, { headers: 'Expires: 60\r\n' });
    await settle();
    world.clock.advance(60_000);
    commits.length = 0;
    const transaction = world.message('klara');
    await settle();
    expect(world.status(transaction)).toBe(202);
    // Those that were under way when it came, and those that came while its mailbox was loaded.
    expect(commits.indexOf('klara@example.net')).toBeLessThanOrEqual(4);
    for (let n = 0; n < 10; n++) await settle();
    for (let n = 0; n < 40; n++) expect(await storedFor(world, `user${n}`)).toBe(0);
    expect(await storedFor(world, 'klara')).toBe(1);
  });

  test('no more turns than their bound are taken before the event loop looks at what has come', async () => {
    const { world } = await watched(8, 16);
    const users = 40;
    for (let n = 0; n < 8 * users; n++) {
      world.message(`user${n % users}`, { headers: 'Expires: 60\r\n' });
      if (n % 64 === 0) await settle();
    }
    await settle();
    const gone = () => world.actors.counters()['actors.messages.gone']!;
    world.clock.advance(60_000);
    const steps: number[] = [];
    for (let before = gone(); before < 8 * users; before += steps.at(-1)!) {
      await new Promise((resolve) => setImmediate(resolve));
      steps.push(gone() - before);
      if (steps.length > 1_000) break;
    }
    expect(gone()).toBe(8 * users);
    expect(Math.max(...steps)).toBeGreaterThan(8);
    expect(Math.max(...steps)).toBeLessThanOrEqual(32);
  });

  test('those of one mailbox go a few at a time, and its own senders have their turns between', async () => {
    const { world, commits, scans } = await watched(8, 4);
    for (let n = 0; n < 30; n++) world.message('tomas', { headers: 'Expires: 60\r\n' });
    await settle();
    commits.length = 0;
    world.clock.advance(60_000);
    const transaction = world.message('tomas');
    await settle();
    expect(world.status(transaction)).toBe(202);
    for (let n = 0; n < 5; n++) await settle();
    expect(await storedFor(world, 'tomas')).toBe(1);
    expect(Math.max(...scans.map(({ found }) => found))).toBe(4);
    expect(commits.length).toBeGreaterThanOrEqual(8);
  });

  test('a deletion by the batch reads its own timer and none behind it', async () => {
    const { world, scans } = await watched(8, 16);
    for (let stored = 0; stored < 60; stored += 20) {
      // The queue of one account takes no more at a time.
      for (let n = 0; n < 20; n++) world.message('tomas');
      while ((await storedFor(world, 'tomas')) < stored + 20) await settle();
    }
    expect(await world.actors.accounts.purge('tomas@example.net')).toBe(60);
    while ((await storedFor(world, 'tomas')) > 0) {
      world.clock.advance(1);
      await settle();
    }
    await settle();
    const [first, ...others] = scans;
    expect(first?.limit).toBe(16);
    // The last look finds that its own timer is not there any more.
    expect(others.length).toBeGreaterThanOrEqual(4);
    expect(others.slice(0, -1).every(({ limit }) => limit === 1)).toBe(true);
  });
});
