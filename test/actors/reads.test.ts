/** What is read of the store, and when: counted at its port, so that a start is known by no clock. */

import { expect, test } from 'vitest';
import type { ScanRange, StorePort } from '../../src/ports.js';
import { createMemoryStore } from '../../src/store/memory.js';
import type { MemoryStore } from '../../src/store/memory.js';
import { ManualClock } from '../../src/testing/clock.js';
import { limits } from '../flows/limits.js';
import { createWorld, settle, storedFor } from './world.js';
import type { World } from './world.js';

interface Reads {
  /** Calls that ask for something, and rows, accounts or values that come. */
  calls: number;
  rows: number;
  /** Accounts that were loaded. */
  loads: string[];
  /** Kinds of rows that were scanned. */
  scans: string[];
}

function counting(): { readonly reads: Reads; wrap(store: StorePort): StorePort } {
  const reads: Reads = { calls: 0, rows: 0, loads: [], scans: [] };
  const came = <One>(rows: readonly One[]): readonly One[] => {
    reads.calls++;
    reads.rows += rows.length;
    return rows;
  };
  const wrap = (store: StorePort): StorePort => ({
    ...store,
    load: async (account) => {
      reads.loads.push(account);
      const loaded = await store.load(account);
      came(loaded.rows);
      return loaded;
    },
    scan: async (account, range: ScanRange) => {
      reads.scans.push(range.kind);
      return [...came(await store.scan(account, range))];
    },
    get: async (account, keys) => came(await store.get(account, keys)),
    due: async (now, limit) => [...came(await store.due(now, limit))],
    accounts: async (range) => came(await store.accounts(range)),
  });
  return { reads, wrap };
}

const roomy = { ...limits, quota: { ...limits.quota, messages: 1_000, octets: 1_000_000 } };

/** A store with so many messages for so many users, as the next process finds it. */
async function filled(
  clock: ManualClock,
  { users, each, headers = '' }: { users: number; each: number; headers?: string },
): Promise<MemoryStore> {
  const options = { limits: roomy };
  const world = await createWorld({ clock, store: createMemoryStore({ clock }), options });
  const transactions = Array.from({ length: users * each }, (_, i) =>
    world.message(`user${i % users}`, { headers }),
  );
  while (transactions.some((one) => world.status(one) === undefined)) await settle();
  expect(transactions.filter((one) => world.status(one) !== 202)).toEqual([]);
  const remains = world.store.crash();
  await world.actors.stop(0);
  await settle();
  return remains;
}

async function startedOn(store: MemoryStore, clock: ManualClock) {
  const { reads, wrap } = counting();
  const world = await createWorld({ clock, store, wrap });
  await settle();
  return { world, reads };
}

async function accepted(world: World, to: string): Promise<void> {
  const transaction = world.message(to);
  await settle();
  expect(world.status(transaction)).toBe(202);
}

test('U15: a start reads as much of a large store as of a small one, and of no mailbox', async () => {
  const counts = [];
  for (const size of [
    { users: 70, each: 1 },
    { users: 280, each: 4 },
  ]) {
    const clock = new ManualClock();
    const { world, reads } = await startedOn(await filled(clock, size), clock);
    expect(reads.loads).toEqual([]);
    counts.push({ calls: reads.calls, rows: reads.rows });
    // The first 202 needs what is of its user.
    const before = reads.rows;
    await accepted(world, 'user7');
    expect(reads.loads).toEqual(['user7@example.net']);
    expect(reads.rows - before).toBeLessThanOrEqual(2 * size.each + 2);
  }
  expect(counts[1]).toEqual(counts[0]);
});

test('U14: whoever wakes for what expires does not read what came of late', async () => {
  const clock = new ManualClock();
  const headers = 'Expires: 10\r\n';
  const store = await filled(clock, { users: 5, each: 2, headers });
  clock.advance(60_000);
  const { reads, wrap } = counting();
  const world = await createWorld({ clock, store, wrap, bounds: { surveyMs: 0 } });
  await settle();
  expect(reads.loads.toSorted()).toEqual([0, 1, 2, 3, 4].map((n) => `user${n}@example.net`));
  // Timers and messages of small mailboxes come with the load.
  expect(reads.scans).toEqual([]);
  for (const user of [0, 1, 2, 3, 4]) expect(await storedFor(world, `user${user}`)).toBe(0);
});

test('U14: a message for a large mailbox that nobody has in memory needs nothing but its load', async () => {
  const clock = new ManualClock();
  const store = await filled(clock, { users: 1, each: 100 });
  clock.advance(60_000);
  const { reads, wrap } = counting();
  const options = { limits: roomy };
  const world = await createWorld({ clock, store, wrap, options, bounds: { surveyMs: 0 } });
  await accepted(world, 'user0');
  expect(reads.loads).toEqual(['user0@example.net']);
  expect(reads.scans).toEqual([]);
  // One look at the due timers, and what the load brought.
  expect(reads.rows).toBeLessThanOrEqual(2);
});
