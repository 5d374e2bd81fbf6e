/** The contract of StorePort on rows and versions. */

import assert from 'node:assert/strict';

import type { Change, Row, RowKey, StoreErrorCode, StorePort } from '../ports.js';
import type { StoreHarness } from './store-contract.js';

export interface StoreCheck {
  readonly name: string;
  check(harness: StoreHarness): Promise<void>;
}

export const nothing: Change = { puts: [], deletes: [], keeps: [], drops: [] };

/** A change of rows only. */
export function put(...puts: readonly Row[]): Change {
  return { ...nothing, puts };
}

/** Loads and commits. */
export async function write(store: StorePort, account: string, change: Change): Promise<number> {
  const { version } = await store.load(account);
  return store.commit(account, version, change);
}

export async function rejects(outcome: unknown, code: StoreErrorCode): Promise<void> {
  await assert.rejects(
    Promise.resolve(outcome),
    (error: { code?: unknown }) => error.code === code,
  );
}

/** The store, and then the same one after its process has died. */
export async function* inTwoLives(
  store: StorePort,
  reopen: () => Promise<StorePort>,
): AsyncGenerator<StorePort> {
  yield store;
  yield await reopen();
}

const bob = 'bob@example.org';

export const rowCases: readonly StoreCheck[] = [
  {
    name: 'an account that was never written loads empty',
    async check({ store }) {
      const loaded = await store.load(bob);
      assert.deepEqual(loaded.rows, []);
      assert.equal(loaded.wakeAt, null);
      assert.ok(Number.isSafeInteger(loaded.version));
    },
  },
  {
    name: 'what was committed is there after the process has died',
    async check({ store, reopen }) {
      const value = { state: 'idle', n: 1, big: 2 ** 50, list: [1, 'ü', null, true, -1.5] };
      await write(store, bob, { ...put({ key: ['actor', 'mailbox'], value }), wakeAt: 77 });
      const loaded = await (await reopen()).load(bob);
      assert.deepEqual(loaded.rows, [{ key: ['actor', 'mailbox'], value }]);
      assert.equal(loaded.wakeAt, 77);
    },
  },
  {
    name: 'octets in a value come back as they are and belong to the reader',
    async check({ store }) {
      const octets = Buffer.from([0, 255, 1, 254]);
      await write(store, bob, put({ key: ['actor', 'a'], value: { octets } }));
      octets.fill(7);
      for (let round = 0; round < 2; round++) {
        const [value] = await store.get(bob, [['actor', 'a']]);
        const read = (value as { octets: Buffer }).octets;
        assert.deepEqual([...read], [0, 255, 1, 254]);
        read.fill(9);
      }
    },
  },
  {
    name: 'load returns rows of kind actor and outbox in key order, and no others',
    async check({ store }) {
      const keys: RowKey[] = [
        ['outbox', 9],
        ['outbox', 300],
        ['actor', 'mailbox'],
        ['actor', 'subscription/3'],
        ['ua', 1],
        ['timer', 5, 'ua/1 expires'],
        ['seen', 4, 'digest'],
      ];
      await write(store, bob, put(...keys.map((key, value) => ({ key, value }))));
      const { rows } = await store.load(bob);
      const sorted = rows.map(({ key }) => key);
      assert.deepEqual(sorted, [keys[2], keys[3], keys[0], keys[1]]);
    },
  },
  {
    name: 'messages and timers that load returns, if it does, are all there are, or the latest',
    async check({ store }) {
      for (const count of [3, 300]) {
        const keys = Array.from({ length: count }, (_, n): RowKey[] => [
          ['ua', n],
          ['seen', n, 'digest'],
          ['timer', n, 'ua/1 expires'],
        ]).flat();
        await write(store, bob, put(...keys.map((key, value) => ({ key, value }))));
        const { messages, latest, timers } = await store.load(bob);
        const uas = await store.scan(bob, { kind: 'ua', limit: 1000 });
        const seen = await store.scan(bob, { kind: 'seen', limit: 1000 });
        const all = [...uas, ...seen];
        if (messages) assert.deepEqual(messages, all);
        if (latest) assert.deepEqual(latest, all.toReversed().slice(0, latest.length));
        if (timers) assert.deepEqual(timers, await store.scan(bob, { kind: 'timer', limit: 1000 }));
      }
    },
  },
  {
    name: 'accounts whose names begin alike do not see each other',
    async check({ store }) {
      const names = ['a', 'a\0', 'a\0b', 'a\x01', 'ab', 'a\u00ff', '', 'A', '__proto__'];
      for (const name of names) await write(store, name, put({ key: ['ua', 1], value: name }));
      for (const name of names) {
        const rows = await store.scan(name, { kind: 'ua', limit: 10 });
        assert.deepEqual(rows, [{ key: ['ua', 1], value: name }]);
      }
    },
  },
  {
    name: 'scan goes up and down, between numbers, up to a limit',
    async check({ store }) {
      const serials = [1, 2, 255, 256, 65_536, 2 ** 32, Number.MAX_SAFE_INTEGER];
      await write(store, bob, put(...serials.map((n) => ({ key: ['ua', n] as const, value: n }))));
      const scan = async (range: object): Promise<unknown[]> =>
        (await store.scan(bob, { kind: 'ua', limit: 100, ...range })).map(({ value }) => value);
      assert.deepEqual(await scan({}), serials);
      assert.deepEqual(await scan({ reverse: true }), serials.toReversed());
      assert.deepEqual(await scan({ limit: 2 }), [1, 2]);
      assert.deepEqual(await scan({ limit: 2, reverse: true }), serials.slice(-2).toReversed());
      assert.deepEqual(await scan({ limit: 0 }), []);
      assert.deepEqual(await scan({ after: 2 }), serials.slice(2));
      assert.deepEqual(await scan({ upTo: 256 }), serials.slice(0, 4));
      assert.deepEqual(await scan({ after: 1, upTo: 256, reverse: true }), [256, 255, 2]);
      assert.deepEqual(await scan({ after: 256, upTo: 256 }), []);
      assert.deepEqual(await scan({ after: 300, upTo: 2 }), []);
      assert.deepEqual(await scan({ after: Number.MAX_SAFE_INTEGER }), []);
      assert.deepEqual(await scan({ upTo: Number.MAX_SAFE_INTEGER }), serials);
    },
  },
  {
    name: 'timers of one time are all found by that time',
    async check({ store }) {
      const timers = ['a x', 'a y', 'b x'].map((name) => ({
        key: ['timer', 1_700_000_000_000, name] as const,
        value: null,
      }));
      await write(store, bob, put(...timers, { key: ['timer', 1_700_000_000_001, 'a'], value: 0 }));
      const rows = await store.scan(bob, { kind: 'timer', upTo: 1_700_000_000_000, limit: 9 });
      assert.deepEqual(rows, timers);
    },
  },
  {
    name: 'get answers in the order of its keys, undefined for what is not there',
    async check({ store }) {
      const row = { key: ['ua', 2], value: null } as const;
      await write(store, bob, put(row, { key: ['seen', 3, 'd'], value: 'v' }));
      const values = await store.get(bob, [
        ['seen', 3, 'd'],
        ['ua', 1],
        ['ua', 2],
      ]);
      assert.deepEqual(values, ['v', undefined, null]);
    },
  },
  {
    name: 'deletes remove, and a put of the same change wins',
    async check({ store }) {
      const one = { key: ['ua', 1], value: 'old' } as const;
      const two = { key: ['ua', 2], value: 'old' } as const;
      await write(store, bob, put(one, two));
      const change = put({ key: ['ua', 1], value: 'new' });
      await write(store, bob, {
        ...change,
        deletes: [
          ['ua', 1],
          ['ua', 2],
          ['ua', 3],
        ],
      });
      assert.deepEqual(
        await store.get(bob, [
          ['ua', 1],
          ['ua', 2],
        ]),
        ['new', undefined],
      );
    },
  },
  {
    name: 'a change that cannot be stored writes nothing at all',
    async check({ store }) {
      const { version } = await store.load(bob);
      const bad = put({ key: ['ua', 1], value: 1 }, { key: ['ua', -1], value: 1 });
      await rejects(store.commit(bob, version, bad), 'STORE_INVALID');
      assert.deepEqual(await store.get(bob, [['ua', 1]]), [undefined]);
      await rejects(store.load('\ud800'), 'STORE_INVALID');
    },
  },
  {
    name: 'STORE_STALE: a version that is not the latest is refused',
    async check({ store }) {
      const { version } = await store.load(bob);
      const next = await store.commit(bob, version, put({ key: ['ua', 1], value: 1 }));
      await rejects(store.commit(bob, version, put({ key: ['ua', 1], value: 2 })), 'STORE_STALE');
      assert.equal(await store.commit(bob, next, nothing), next + 1);
      assert.deepEqual(await store.get(bob, [['ua', 1]]), [1]);
    },
  },
  {
    name: 'STORE_STALE: who loaded before another owner did is refused',
    async check({ store }) {
      const first = await store.load(bob);
      const second = await store.load(bob);
      assert.notEqual(first.version, second.version);
      await rejects(store.commit(bob, first.version, nothing), 'STORE_STALE');
      await store.commit(bob, second.version, nothing);
    },
  },
  {
    name: 'STORE_STALE: nothing is taken for an account that was released or never loaded',
    async check({ store }) {
      const { version } = await store.load(bob);
      store.release(bob);
      await rejects(store.commit(bob, version, nothing), 'STORE_STALE');
      await rejects(store.commit('eve@example.org', version, nothing), 'STORE_STALE');
    },
  },
  {
    name: 'an owner may run ahead of its commits',
    async check({ store, reopen }) {
      const { version } = await store.load(bob);
      const commits = [0, 1, 2, 3].map((n) =>
        store.commit(bob, version + n, put({ key: ['ua', 1], value: n })),
      );
      const versions = await Promise.all(commits);
      assert.deepEqual(
        versions,
        [1, 2, 3, 4].map((n) => version + n),
      );
      assert.deepEqual(await (await reopen()).get(bob, [['ua', 1]]), [3]);
    },
  },
  {
    name: 'load waits for what an owner before sent off',
    async check({ store }) {
      const first = await store.load(bob);
      const commit = store.commit(bob, first.version, put({ key: ['actor', 'a'], value: 1 }));
      const [{ rows }] = await Promise.all([store.load(bob), commit]);
      assert.deepEqual(rows, [{ key: ['actor', 'a'], value: 1 }]);
    },
  },
  {
    name: 'versions are never handed out again after a restart',
    async check({ store, reopen }) {
      const first = await store.load(bob);
      const last = await store.commit(bob, first.version, put({ key: ['ua', 1], value: 1 }));
      const again = await reopen();
      assert.ok((await again.load(bob)).version > last);
      await rejects(again.commit(bob, last, nothing), 'STORE_STALE');
    },
  },
];
