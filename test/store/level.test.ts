import { mkdtemp, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Level } from 'level';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import type { Change } from '../../src/ports.js';
import { encodeKey } from '../../src/store/keys.js';
import type { LevelStore, LevelStoreOptions } from '../../src/store/level.js';
import { openLevelStore } from '../../src/store/level.js';
import { storeSchema } from '../../src/store/migrate.js';
import { encodeRow } from '../../src/store/rows.js';
import { ManualClock } from '../../src/testing/clock.js';
import { silent } from './silent.js';

const nothing: Change = { puts: [], deletes: [], keeps: [], drops: [] };
const bob = 'bob@example.org';

let directory: string;
let clock: ManualClock;
let stores: LevelStore[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'poste-restante-level-'));
  clock = new ManualClock();
  stores = [];
});

afterEach(async () => {
  for (const store of stores) await store.close();
  await rm(directory, { recursive: true });
});

async function openStore(options: Partial<LevelStoreOptions> = {}): Promise<LevelStore> {
  const store = await openLevelStore({
    directory: join(directory, 'data'),
    durability: 'fsync',
    log: silent,
    clock,
    ...options,
  });
  stores.push(store);
  return store;
}

function put(serial: number, value: unknown): Change {
  return { ...nothing, puts: [{ key: ['ua', serial], value }] };
}

function code(expected: string): Error {
  return expect.objectContaining({ code: expected }) as Error;
}

/** Works on the table beneath while no store has it open. */
async function withTable(work: (table: Level<Buffer, Buffer>) => Promise<void>): Promise<void> {
  const options = { keyEncoding: 'buffer', valueEncoding: 'buffer', compression: false } as const;
  const table = new Level<Buffer, Buffer>(join(directory, 'data'), options);
  await table.open();
  try {
    await work(table);
  } finally {
    await table.close();
  }
}

describe('group commit', () => {
  test('commits of all accounts that come while a batch is under way share the next one', async () => {
    const store = await openStore();
    const loaded = await Promise.all(
      Array.from({ length: 64 }, (_, n) => store.load(`user${n}@example.org`)),
    );
    const before = store.stats();
    const commits = loaded.map(async ({ version }, n) => {
      let latest = version;
      for (let serial = 1; serial <= 20; serial++) {
        latest = await store.commit(`user${n}@example.org`, latest, put(serial, n));
      }
    });
    await Promise.all(commits);
    const after = store.stats();
    expect(after.commits - before.commits).toBe(64 * 20);
    expect(after.batches - before.batches).toBeLessThan(200);
    expect(after).toMatchObject({ pendingCommits: 0, pendingBytes: 0, accounts: 64 });
  });

  test('a batch ends at its bound of octets', async () => {
    const store = await openStore({ limits: { batchBytes: 10_000 } });
    const { version } = await store.load(bob);
    const before = store.stats().batches;
    const content = Buffer.alloc(4_000);
    const commits = Array.from({ length: 10 }, (_, n) =>
      store.commit(bob, version + n, { ...nothing, keeps: [{ serial: n, content }] }),
    );
    await Promise.all(commits);
    expect(store.stats().batches - before).toBe(5);
  });

  test('STORE_UNAVAILABLE: beyond the bound of commits, and taken again when they are done', async () => {
    const store = await openStore({ limits: { pendingCommits: 3 } });
    const loaded = await Promise.all(['a', 'b', 'c', 'd'].map((name) => store.load(name)));
    const commits = ['a', 'b', 'c', 'd'].map((name, n) =>
      store.commit(name, loaded[n]!.version, put(1, name)),
    );
    const outcomes = await Promise.allSettled(commits);
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
    ]);
    await expect(commits[3]).rejects.toThrow(code('STORE_UNAVAILABLE'));
    expect(await store.get('d', [['ua', 1]])).toEqual([undefined]);
    await store.commit('d', (await store.load('d')).version, put(1, 'd'));
    expect(await store.get('d', [['ua', 1]])).toEqual(['d']);
  });

  test('STORE_UNAVAILABLE: beyond the bound of octets; one alone above it is taken', async () => {
    const store = await openStore({ limits: { pendingBytes: 1_000 } });
    const content = Buffer.alloc(2_000);
    const { version } = await store.load(bob);
    const big = store.commit(bob, version, { ...nothing, keeps: [{ serial: 1, content }] });
    await expect(store.reserve('a', 1)).rejects.toThrow(code('STORE_UNAVAILABLE'));
    await big;
    expect(await store.reserve('a', 1)).toBe(1);
    expect(store.stats().refused).toBe(1);
  });

  test('STORE_UNAVAILABLE: beyond the bounds of accounts and uploads', async () => {
    const store = await openStore({ limits: { accounts: 1, uploads: 1 } });
    await store.load('a');
    await expect(store.load('b')).rejects.toThrow(code('STORE_UNAVAILABLE'));
    store.release('a');
    await store.load('b');
    const upload = await store.upload('b');
    await expect(store.upload('b')).rejects.toThrow(code('STORE_UNAVAILABLE'));
    await upload.abort();
    await (await store.upload('b')).finish(0);
    await store.upload('b');
  });

  test('STORE_UNAVAILABLE: an upload with too many gaps', async () => {
    const store = await openStore();
    const upload = await store.upload(bob);
    const scatter = async (): Promise<void> => {
      for (let n = 0; n < 2_000; n++) await upload.write(2 * n, Buffer.from('x'));
    };
    await expect(scatter()).rejects.toThrow(code('STORE_UNAVAILABLE'));
  });
});

test('LevelDB says that it is not behind with what was written', async () => {
  const store = await openStore();
  expect(store.isCalm?.()).toBe(true);
});

describe('opening', () => {
  test('STORE_LOCKED: a directory somebody holds', async () => {
    await openStore();
    await expect(openStore()).rejects.toThrow(code('STORE_LOCKED'));
  });

  test('STORE_DAMAGED: a MANIFEST that is not whole', async () => {
    await (await openStore()).close();
    const data = join(directory, 'data');
    const manifest = (await readdir(data)).find((name) => name.startsWith('MANIFEST'))!;
    const file = await open(join(data, manifest), 'r+');
    await file.write(Buffer.alloc(40, 0x5a), 0, 40, 8);
    await file.close();
    await expect(openStore()).rejects.toThrow(code('STORE_DAMAGED'));
  });

  test('STORE_DAMAGED: tables without CURRENT, which stay as they are', async () => {
    const store = await openStore();
    await store.commit(bob, (await store.load(bob)).version, put(1, 'kept'));
    await store.close();
    const current = join(directory, 'data', 'CURRENT');
    const octets = await readFile(current);
    await rm(current);
    await expect(openStore()).rejects.toThrow(code('STORE_DAMAGED'));
    await writeFile(current, octets);
    expect(await (await openStore()).get(bob, [['ua', 1]])).toEqual(['kept']);
  });

  test('STORE_UNAVAILABLE: a path that is a file', async () => {
    await writeFile(join(directory, 'data'), '');
    await expect(openStore()).rejects.toThrow(code('STORE_UNAVAILABLE'));
  });

  test('STORE_NEWER: a schema of later software', async () => {
    await (await openStore()).close();
    const key = encodeKey(['schema']);
    await withTable((table) => table.put(key, encodeRow(key, storeSchema + 1)));
    await expect(openStore()).rejects.toThrow(code('STORE_NEWER'));
  });

  test('STORE_DAMAGED: a LevelDB of somebody else', async () => {
    await withTable((table) => table.put(Buffer.from('theirs'), Buffer.from('1')));
    await expect(openStore()).rejects.toThrow(code('STORE_DAMAGED'));
  });
});

describe('damage', () => {
  async function flip(key: Buffer, at: number): Promise<void> {
    await withTable(async (table) => {
      const record = Buffer.from(await table.get(key));
      record[at]! ^= 4;
      await table.put(key, record);
    });
  }

  test('STORE_DAMAGED: a flipped bit in rows, contents and chunks is never data', async () => {
    const store = await openStore();
    const { version } = await store.load(bob);
    const keeps = [
      { serial: 1, content: Buffer.alloc(500, 1) },
      { serial: 2, content: Buffer.alloc(100_000, 2) },
    ];
    const puts = [
      { key: ['ua', 1], value: { state: 'idle' } },
      { key: ['actor', 'mailbox'], value: { state: 'away' } },
    ] as const;
    await store.commit(bob, version, { puts, deletes: [], keeps, drops: [] });
    await store.close();
    await flip(encodeKey(['row', bob, ['ua', 1]]), 9);
    await flip(encodeKey(['row', bob, ['actor', 'mailbox']]), 9);
    await flip(encodeKey(['content', bob, 1]), 100);
    await flip(encodeKey(['chunk', 1, 1]), 100);
    const again = await openStore();
    await expect(again.get(bob, [['ua', 1]])).rejects.toThrow(code('STORE_DAMAGED'));
    const scan = again.scan(bob, { kind: 'ua', limit: 1 });
    await expect(scan).rejects.toThrow(code('STORE_DAMAGED'));
    await expect(again.load(bob)).rejects.toThrow(code('STORE_DAMAGED'));
    await expect(again.content(bob, 1)).rejects.toThrow(code('STORE_DAMAGED'));
    const large = (await again.content(bob, 2))!;
    expect((await large.read(65_535, 1)).equals(Buffer.from([2]))).toBe(true);
    const read = async (): Promise<Buffer> => large.read(65_536, 1);
    await expect(read()).rejects.toThrow(code('STORE_DAMAGED'));
    expect(again.stats().damaged).toBe(4);
  });

  test('a flipped bit in an octet of a table file is never data', async () => {
    const store = await openStore();
    const { version } = await store.load(bob);
    await store.commit(bob, version, put(1, 'a value that is easy to find'));
    await store.close();
    // Opening anew moves the log into a table file.
    await (await openStore()).close();
    const data = join(directory, 'data');
    let flipped = 0;
    for (const name of await readdir(data)) {
      if (!name.endsWith('.ldb')) continue;
      const octets = await readFile(join(data, name));
      const at = octets.indexOf('easy');
      if (at < 0) continue;
      octets[at]! ^= 1;
      await writeFile(join(data, name), octets);
      flipped++;
    }
    expect(flipped).toBe(1);
    const again = await openStore();
    await expect(again.get(bob, [['ua', 1]])).rejects.toThrow(code('STORE_DAMAGED'));
  });

  test('a damaged entry of the wake index lets the others be woken', async () => {
    const store = await openStore();
    for (const [name, wakeAt] of [
      ['a', 1],
      ['b', 2],
    ] as const) {
      await store.commit(name, (await store.load(name)).version, { ...nothing, wakeAt });
    }
    await store.close();
    await flip(encodeKey(['wake', 0, 1, 'a']), 1);
    const again = await openStore();
    expect(await again.nextDue()).toBe(2);
    expect(await again.due(5, 10)).toEqual(['b']);
  });
});

describe('a disk that fails', () => {
  /** LevelDB begins a file for every 64 kB, which it cannot when its directory is gone. */
  async function loseDirectory(store: LevelStore): Promise<string> {
    await rename(join(directory, 'data'), join(directory, 'gone'));
    const content = Buffer.alloc(60_000);
    let { version } = await store.load(bob);
    for (let serial = 1; serial < 100; serial++) {
      try {
        version = await store.commit(bob, version, {
          ...put(serial, serial),
          keeps: [{ serial, content }],
        });
      } catch (error) {
        return (error as { code: string }).code;
      }
    }
    return 'none';
  }

  test('commits are refused while it is away and taken when it is back', async () => {
    const store = await openStore({ writeBufferBytes: 65_536, retryMs: 1_000 });
    await store.commit('eve', (await store.load('eve')).version, put(1, 'kept'));
    expect(await loseDirectory(store)).toBe('STORE_UNKNOWN');
    await expect(store.load(bob)).rejects.toThrow(code('STORE_UNAVAILABLE'));
    clock.advance(1_000);
    await expect(store.load(bob)).rejects.toThrow(code('STORE_UNAVAILABLE'));
    expect(await readdir(directory)).toEqual(['gone']);
    await rename(join(directory, 'gone'), join(directory, 'data'));
    // Not before the next attempt is due.
    await expect(store.load(bob)).rejects.toThrow(code('STORE_UNAVAILABLE'));
    clock.advance(1_000);
    const { version } = await store.load(bob);
    await store.commit(bob, version, put(500, 'again'));
    expect(
      await store.get(bob, [
        ['ua', 1],
        ['ua', 500],
      ]),
    ).toEqual([1, 'again']);
    expect(await store.get('eve', [['ua', 1]])).toEqual(['kept']);
    expect(store.stats().reopens).toBe(1);
  });

  test('close ends cleanly while it is away', async () => {
    const store = await openStore({ writeBufferBytes: 65_536 });
    expect(await loseDirectory(store)).toBe('STORE_UNKNOWN');
    await store.close();
    await expect(store.load(bob)).rejects.toThrow(code('STORE_CLOSED'));
    await rename(join(directory, 'gone'), join(directory, 'data'));
  });
});

describe('chunks', () => {
  test('of dropped, aborted and swept contents are removed from the table', async () => {
    const store = await openStore();
    const { version } = await store.load(bob);
    const content = Buffer.alloc(300_000);
    let next = await store.commit(bob, version, { ...nothing, keeps: [{ serial: 1, content }] });
    next = await store.commit(bob, next, { ...nothing, keeps: [{ serial: 2, content }] });
    await store.commit(bob, next, { ...nothing, drops: [1] });
    const aborted = await store.upload(bob);
    await aborted.write(0, content);
    await aborted.abort();
    const swept = await store.upload(bob);
    await swept.write(0, content);
    await swept.finish(content.length);
    expect(await store.sweep(clock.now() + 1)).toBe(1);
    await store.close();
    await withTable(async (table) => {
      const range = { gte: encodeKey(['upload', 0, 0]), lt: encodeKey(['wakeAt', '']) };
      const keys = await table.keys(range).all();
      expect(keys).toEqual([0, 1, 2, 3, 4].map((index) => encodeKey(['chunk', 2, index])));
    });
  });

  test('STORE_GONE: a content that is dropped while it is read', async () => {
    const store = await openStore();
    const { version } = await store.load(bob);
    const content = Buffer.alloc(300_000);
    const next = await store.commit(bob, version, { ...nothing, keeps: [{ serial: 1, content }] });
    const reading = (await store.content(bob, 1))!;
    expect((await reading.read(0, 10)).length).toBe(10);
    await store.commit(bob, next, { ...nothing, drops: [1] });
    await store.sweep(0);
    const read = async (): Promise<Buffer> => reading.read(200_000, 10);
    await expect(read()).rejects.toThrow(code('STORE_GONE'));
  });
});
