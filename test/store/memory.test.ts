import { describe, expect, onTestFinished, test, vi } from 'vitest';

import type { Change } from '../../src/ports.js';
import { createMemoryStore } from '../../src/store/memory.js';
import { MemoryTable } from '../../src/store/memory-table.js';

const nothing: Change = { puts: [], deletes: [], keeps: [], drops: [] };
const bob = 'bob@example.org';

function put(serial: number, value: unknown): Change {
  return { ...nothing, puts: [{ key: ['ua', serial], value }] };
}

function code(expected: string): Error {
  return expect.objectContaining({ code: expected }) as Error;
}

describe('hold', () => {
  test('keeps commits waiting, all of which are one batch behind the first', async () => {
    const store = createMemoryStore();
    const { version } = await store.load(bob);
    const held = store.hold();
    const settled: number[] = [];
    const commits = [0, 1, 2].map(async (n) => {
      settled.push(await store.commit(bob, version + n, put(n, n)));
    });
    expect(held.waiting()).toBe(3);
    expect(await store.get(bob, [['ua', 0]])).toEqual([undefined]);
    expect(settled).toEqual([]);
    held.release();
    await Promise.all(commits);
    expect(settled).toEqual([version + 1, version + 2, version + 3]);
    expect(held.waiting()).toBe(0);
  });

  test('a load waits for the commits that are held', async () => {
    const store = createMemoryStore();
    const { version } = await store.load(bob);
    const held = store.hold();
    const change: Change = { ...nothing, puts: [{ key: ['actor', 'a'], value: 1 }], wakeAt: 9 };
    const commit = store.commit(bob, version, change);
    const loads = [store.load(bob), store.load(bob)];
    store.release(bob);
    loads.push(store.load(bob));
    held.release();
    for (const loaded of await Promise.all(loads)) {
      expect(loaded).toMatchObject({ rows: [{ key: ['actor', 'a'], value: 1 }], wakeAt: 9 });
    }
    expect(await commit).toBe(version + 1);
  });

  test('a commit that writes nothing does not overtake the one before it', async () => {
    const store = createMemoryStore();
    const { version } = await store.load(bob);
    const held = store.hold();
    const settled: string[] = [];
    const first = store.commit(bob, version, put(1, 1)).then(() => settled.push('first'));
    const second = store.commit(bob, version + 1, nothing).then(() => settled.push('second'));
    held.release();
    await Promise.all([first, second]);
    expect(settled).toEqual(['first', 'second']);
  });
});

describe('failNext', () => {
  test.each(['STORE_UNAVAILABLE', 'STORE_STALE', 'STORE_DAMAGED'] as const)(
    '%s: nothing is written, the account has to be loaded again',
    async (failure) => {
      const store = createMemoryStore();
      const { version } = await store.load(bob);
      store.failNext(failure);
      await expect(store.commit(bob, version, put(1, 1))).rejects.toThrow(code(failure));
      await expect(store.commit(bob, version, put(1, 1))).rejects.toThrow(code('STORE_STALE'));
      expect(await store.get(bob, [['ua', 1]])).toEqual([undefined]);
      await store.commit(bob, (await store.load(bob)).version, put(1, 2));
      expect(await store.get(bob, [['ua', 1]])).toEqual([2]);
    },
  );

  test.each([
    [true, 1],
    [false, undefined],
  ])('STORE_UNKNOWN: whether it was written (%s) shows in a load', async (written, value) => {
    const store = createMemoryStore();
    const { version } = await store.load(bob);
    store.failNext('STORE_UNKNOWN', written);
    const commit = store.commit(bob, version, { ...put(1, 1), wakeAt: 5 });
    await expect(commit).rejects.toThrow(code('STORE_UNKNOWN'));
    const again = await store.load(bob);
    expect(await store.get(bob, [['ua', 1]])).toEqual([value]);
    expect(again.wakeAt).toBe(written ? 5 : null);
    expect(await store.nextDue()).toBe(written ? 5 : undefined);
    await store.commit(bob, again.version, { ...nothing, wakeAt: 7 });
    expect(await store.due(10, 10)).toEqual([bob]);
  });

  test('STORE_STALE: nothing an owner sent off behind a failed commit is written', async () => {
    const store = createMemoryStore();
    const { version } = await store.load(bob);
    const eve = await store.load('eve');
    const held = store.hold();
    const first = store.commit(bob, version, put(1, 1));
    await new Promise((resolve) => setImmediate(resolve));
    const second = store.commit(bob, version + 1, put(2, 2));
    const other = store.commit('eve', eve.version, put(1, 'eve'));
    store.failNext('STORE_UNKNOWN');
    held.release();
    await expect(first).rejects.toThrow(code('STORE_UNKNOWN'));
    await expect(second).rejects.toThrow(code('STORE_STALE'));
    await other;
    expect(
      await store.get(bob, [
        ['ua', 1],
        ['ua', 2],
      ]),
    ).toEqual([undefined, undefined]);
    expect(await store.get('eve', [['ua', 1]])).toEqual(['eve']);
  });

  test('a reservation that failed gives nothing away, the next one nothing twice', async () => {
    const store = createMemoryStore();
    expect(await store.reserve('a', 2)).toBe(1);
    for (const written of [true, false]) {
      store.failNext('STORE_UNKNOWN', written);
      await expect(store.reserve('a', 2)).rejects.toThrow(code('STORE_UNKNOWN'));
    }
    expect(await store.reserve('a', 2)).toBe(5);
  });

  test('an upload whose chunk was not written cannot be finished', async () => {
    const store = createMemoryStore();
    const upload = await store.upload(bob);
    store.failNext('STORE_UNKNOWN');
    await upload.write(0, Buffer.alloc(65_536));
    await expect(upload.finish(65_536)).rejects.toThrow(code('STORE_UNKNOWN'));
    await expect(upload.write(0, Buffer.alloc(1))).rejects.toThrow(code('STORE_UNKNOWN'));
  });
});

describe('crash', () => {
  test('STORE_CLOSED: loses what waits, keeps what was acknowledged', async () => {
    const store = createMemoryStore();
    const { version } = await store.load(bob);
    const next = await store.commit(bob, version, put(1, 1));
    store.hold();
    const lost = [store.commit(bob, next, put(1, 2)), store.reserve('a', 1)];
    const again = store.crash();
    for (const each of lost) await expect(each).rejects.toThrow(code('STORE_CLOSED'));
    await expect(store.load(bob)).rejects.toThrow(code('STORE_CLOSED'));
    expect(await again.get(bob, [['ua', 1]])).toEqual([1]);
    expect((await again.load(bob)).version).toBeGreaterThan(next);
    expect(await again.reserve('a', 1)).toBe(1);
  });

  test('chunks that were being removed are removed by the next process', async () => {
    const store = createMemoryStore();
    const { version } = await store.load(bob);
    const content = Buffer.alloc(200_000, 1);
    const next = await store.commit(bob, version, { ...nothing, keeps: [{ serial: 1, content }] });
    const reading = (await store.content(bob, 1))!;
    await store.commit(bob, next, { ...nothing, drops: [1] });
    const again = store.crash();
    expect(await again.content(bob, 1)).toBeUndefined();
    expect(await again.sweep(0)).toBe(0);
    expect(reading.size).toBe(200_000);
  });
});

describe('a model of random commits, crashes and loads', () => {
  test('load gives what was acknowledged, and no more than was sent', async () => {
    let store = createMemoryStore();
    const expected = new Map<number, number>();
    let { version } = await store.load(bob);
    let seed = 12_345;
    const draw = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return (seed >>> 8) % below;
    };
    for (let step = 0; step < 300; step++) {
      const serial = draw(50);
      const how = draw(10);
      if (how === 0) {
        store = store.crash();
        ({ version } = await store.load(bob));
      } else if (how === 1) {
        const deletes = [['ua', serial]] as const;
        version = await store.commit(bob, version, { ...nothing, deletes });
        expected.delete(serial);
      } else {
        version = await store.commit(bob, version, put(serial, step));
        expected.set(serial, step);
      }
      const rows = await store.scan(bob, { kind: 'ua', limit: 100 });
      const sorted = [...expected].sort(([a], [b]) => a - b);
      expect(rows.map(({ key, value }) => [key[1], value])).toEqual(sorted);
    }
  });
});

test('an account with few rows is read in one range, and its messages come with it', async () => {
  const store = createMemoryStore();
  const ranges = vi.spyOn(MemoryTable.prototype, 'range');
  onTestFinished(() => ranges.mockRestore());
  const loaded = async (count: number) => {
    const { version } = await store.load(bob);
    const puts = Array.from({ length: count }, (_, n) => put(n, n).puts[0]!);
    await store.commit(bob, version, { ...nothing, puts });
    ranges.mockClear();
    const { messages } = await store.load(bob);
    return { messages: messages?.length, ranges: ranges.mock.calls.length };
  };
  expect(await loaded(23)).toEqual({ messages: 23, ranges: 1 });
  expect(await loaded(24)).toEqual({ messages: undefined, ranges: 2 });
});
