/** The contract of StorePort on waking, counters and closing. */

import assert from 'node:assert/strict';

import type { Change } from '../ports.js';
import type { StoreCheck } from './store-contract-rows.js';
import { inTwoLives, nothing, put, rejects, write } from './store-contract-rows.js';

const bob = 'bob@example.org';

function wake(wakeAt: number | null): Change {
  return { ...nothing, wakeAt };
}

export const wakeCases: readonly StoreCheck[] = [
  {
    name: 'due gives the earliest accounts first, nextDue the earliest time',
    async check({ store, reopen }) {
      assert.equal(await store.nextDue(), undefined);
      assert.deepEqual(await store.due(1e15, 10), []);
      for (const [name, at] of [
        ['c', 30],
        ['a', 300],
        ['b', 2],
      ] as const) {
        await write(store, name, wake(at));
      }
      for await (const each of inTwoLives(store, reopen)) {
        assert.equal(await each.nextDue(), 2);
        assert.deepEqual(await each.due(1, 10), []);
        assert.deepEqual(await each.due(30, 10), ['b', 'c']);
        assert.deepEqual(await each.due(1e15, 2), ['b', 'c']);
        assert.deepEqual(await each.due(1e15, 0), []);
        assert.deepEqual(await each.due(1e15, 3), ['b', 'c', 'a']);
      }
    },
  },
  {
    name: 'wakeAt moves, stays when absent, goes with null',
    async check({ store }) {
      await write(store, bob, wake(50));
      assert.equal(await store.nextDue(), 50);
      await write(store, bob, nothing);
      assert.equal((await store.load(bob)).wakeAt, 50);
      await write(store, bob, wake(90));
      assert.equal(await store.nextDue(), 90);
      await write(store, bob, wake(20));
      assert.equal(await store.nextDue(), 20);
      assert.deepEqual(await store.due(100, 10), [bob]);
      await write(store, bob, wake(null));
      assert.equal(await store.nextDue(), undefined);
      assert.equal((await store.load(bob)).wakeAt, null);
    },
  },
  {
    name: 'reserve never gives a number twice, over restarts and side by side',
    async check({ store, reopen }) {
      const counts = [1, 5, 2, 1, 9];
      const taken: number[] = [];
      for await (const each of inTwoLives(store, reopen)) {
        const firsts = await Promise.all(counts.map((count) => each.reserve('serials', count)));
        firsts.forEach((first, at) => {
          for (let n = 0; n < counts[at]!; n++) taken.push(first + n);
        });
      }
      assert.equal(new Set(taken).size, taken.length);
      assert.equal(taken.length, 36);
      assert.ok(Math.min(...taken) >= 1);
    },
  },
  {
    name: 'counters do not know each other, and take no odd counts',
    async check({ store }) {
      await store.reserve('a', 1000);
      assert.equal(await store.reserve('__proto__', 2), 1);
      assert.equal(await store.reserve('__proto__', 1), 3);
      for (const count of [0, -1, 1.5, Number.NaN, Infinity]) {
        await rejects(store.reserve('a', count), 'STORE_INVALID');
      }
    },
  },
  {
    name: 'STORE_CLOSED: a closed store takes nothing, and has written what it took',
    async check({ store, reopen }) {
      const { version } = await store.load(bob);
      const commit = store.commit(bob, version, put({ key: ['ua', 1], value: 1 }));
      await store.close();
      await commit;
      await rejects(store.load(bob), 'STORE_CLOSED');
      await rejects(store.reserve('a', 1), 'STORE_CLOSED');
      assert.deepEqual(await (await reopen()).get(bob, [['ua', 1]]), [1]);
    },
  },
];
