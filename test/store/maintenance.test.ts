import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Level } from 'level';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeKey } from '../../src/store/keys.js';
import { openLevelStore } from '../../src/store/level.js';
import type { LevelStore } from '../../src/store/level.js';
import { openMaintenance, repairStore, restoreStore } from '../../src/store/maintenance.js';
import { encodeOctets } from '../../src/store/rows.js';
import type { Finding } from '../../src/store/verify.js';
import { ManualClock } from '../../src/testing/clock.js';
import { silent } from './silent.js';

const bob = 'bob@example.org';
const large = randomBytes(200_000);

let root: string;
let data: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'poste-maintenance-'));
  data = join(root, 'data');
});
afterEach(() => rm(root, { recursive: true }));

async function withStore<Result>(
  work: (store: LevelStore) => Promise<Result>,
  directory = data,
): Promise<Result> {
  const clock = new ManualClock();
  const store = await openLevelStore({ directory, durability: 'fsync', log: silent, clock });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** Two messages of Bob, one of them large, and one of Nia; Bob waits for a timer. */
async function fill(store: LevelStore): Promise<void> {
  const one = { puts: [], deletes: [], keeps: [], drops: [] };
  const { version } = await store.load(bob);
  await store.commit(bob, version, {
    ...one,
    puts: [
      { key: ['ua', 1], value: { a: 1 } },
      { key: ['ua', 2], value: { a: 2 } },
      { key: ['timer', 5_000, 'ua/1 expiry'], value: true },
    ],
    keeps: [
      { serial: 1, content: Buffer.from('hello') },
      { serial: 2, content: large },
    ],
    wakeAt: 5_000,
  });
  const nia = await store.load('nia@example.com');
  await store.commit('nia@example.com', nia.version, {
    ...one,
    puts: [{ key: ['ua', 3], value: { a: 3 } }],
    keeps: [{ serial: 3, content: Buffer.alloc(0) }],
  });
}

async function tamper(work: (table: Level<Buffer, Buffer>) => Promise<void>): Promise<void> {
  const encodings = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const;
  const table = new Level<Buffer, Buffer>(data, encodings);
  await table.open();
  try {
    await work(table);
  } finally {
    await table.close();
  }
}

async function verified(): Promise<{ findings: Finding[]; messages: number }> {
  const store = await openMaintenance(data);
  try {
    const findings: Finding[] = [];
    const { messages } = await store.verify((finding) => findings.push(finding));
    return { findings, messages };
  } finally {
    await store.close();
  }
}

async function collect(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

function pieces(octets: Buffer, size: number): AsyncIterable<Buffer> {
  const all: Buffer[] = [];
  for (let at = 0; at < octets.length; at += size) all.push(octets.subarray(at, at + size));
  return Readable.from(all);
}

describe('verify', () => {
  test('finds nothing in a store that is whole', async () => {
    await withStore(fill);
    expect(await verified()).toEqual({ findings: [], messages: 3 });
  });

  const content = encodeKey(['content', bob, 1]);
  const message = encodeKey(['row', bob, ['ua', 1]]);
  const alone = encodeKey(['content', bob, 9]);
  const chunk = encodeKey(['chunk', 4_000, 0]);
  const wake = encodeKey(['wake', 0, 7, bob]);
  test.each([
    ['a flipped bit', content, 'flip', 'STORE_DAMAGED', 'content 1 of bob@example.org'],
    ['a record that is cut off', message, 'cut', 'STORE_DAMAGED', 'ua 1 of bob@example.org'],
    ['a content that is gone', content, 'delete', 'STORE_INCOMPLETE', `message 1 of ${bob}`],
    ['a message that is gone', message, 'delete', 'STORE_ORPHAN', 'content 1 of bob@example.org'],
    ['a content without message', alone, 'add', 'STORE_ORPHAN', 'content 9 of bob@example.org'],
    ['chunks without content', chunk, 'add', 'STORE_ORPHAN', 'chunks 4000'],
    ['a wake entry nobody waits for', wake, 'add', 'STORE_ORPHAN', `wake entry of ${bob}`],
    ['an unknown key', Buffer.from([99]), 'add', 'STORE_DAMAGED', 'a key that is none of ours'],
  ])('finds %s', async (_name, key, change, code, where) => {
    await withStore(fill);
    await tamper(async (table) => {
      if (change === 'delete') await table.del(key);
      else if (change === 'add') await table.put(key, encodeOctets(key, Buffer.from('x')));
      else {
        const record = Buffer.from(await table.get(key));
        record[record.length - 1]! ^= 1;
        await table.put(key, change === 'cut' ? record.subarray(0, 3) : record);
      }
    });
    const { findings } = await verified();
    expect(findings.map(({ code: found, where: at }) => [found, at])).toContainEqual([code, where]);
  });

  test('finds a chunk that is gone, and an account that nothing wakes', async () => {
    await withStore(fill);
    await tamper(async (table) => {
      for await (const key of table.keys()) {
        if (key[0] === 5 && key.readUInt32BE(key.length - 4) === 1) await table.del(key);
        if (key[0] === 3) await table.del(key);
      }
    });
    const { findings } = await verified();
    expect(findings.map(({ code, where }) => [code, where]).sort()).toEqual([
      ['STORE_INCOMPLETE', 'content 2 of bob@example.org'],
      ['STORE_INCOMPLETE', 'wake time of bob@example.org'],
    ]);
  });

  test('a store that a server has open is not touched', async () => {
    await withStore(async () => {
      await expect(openMaintenance(data)).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    });
  });
});

describe('repair', () => {
  test('chunks that nobody knows are condemned, and reclaimed by the next server', async () => {
    await withStore(fill);
    const keys = [0, 1].map((index) => encodeKey(['chunk', 4_000, index]));
    const orphans = keys.map((key) => ({ key, value: encodeOctets(key, Buffer.from('x')) }));
    await tamper(async (table) => {
      for (const { key, value } of orphans) await table.put(key, value);
    });
    const { findings } = await verified();
    const store = await openMaintenance(data);
    await store.remove(findings.map(({ key: found }) => found));
    await store.close();
    expect((await verified()).findings).toEqual([]);
    await withStore((opened) => opened.sweep(0));
    await tamper(async (table) => {
      for (const key of keys) expect(await table.get(key)).toBeUndefined();
    });
  });

  test('files that LevelDB cannot open are made readable; what is whole is still there', async () => {
    await withStore(fill);
    const manifest = (await readdir(data)).find((name) => name.startsWith('MANIFEST'))!;
    await writeFile(join(data, manifest), randomBytes(100));
    await expect(openMaintenance(data)).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
    await repairStore(data);
    expect(await verified()).toEqual({ findings: [], messages: 3 });
  });
});

describe('backup', () => {
  test('is of one moment while the store is in use, and comes back whole', async () => {
    const octets = await withStore(async (store) => {
      await fill(store);
      const stream = store.backup();
      const first = await stream.next();
      const { version } = await store.load('later@example.org');
      await store.commit('later@example.org', version, {
        ...{ puts: [{ key: ['ua', 9], value: 1 }], deletes: [], drops: [] },
        keeps: [{ serial: 9, content: Buffer.from('late') }],
      });
      return Buffer.concat([first.value!, await collect(stream)]);
    });
    const copy = join(root, 'copy');
    const records = await restoreStore(copy, pieces(octets, 1_000));
    expect(records).toBeGreaterThan(8);
    await withStore(async (store) => {
      const content = await store.content(bob, 2);
      expect(Buffer.from(await content!.read(0, large.length)).equals(large)).toBe(true);
      expect(await store.content('later@example.org', 9)).toBeUndefined();
    }, copy);
  });

  test('one that is cut off, altered or none leaves no store', async () => {
    const octets = await withStore(async (store) => {
      await fill(store);
      return collect(store.backup());
    });
    const altered = Buffer.from(octets);
    altered[100_000]! ^= 1;
    const copy = join(root, 'copy');
    for (const [bad, code] of [
      [octets.subarray(0, octets.length - 1), 'STORE_DAMAGED'],
      [octets.subarray(0, 1_000), 'STORE_DAMAGED'],
      [Buffer.concat([octets, Buffer.from('x')]), 'STORE_DAMAGED'],
      [altered, 'STORE_DAMAGED'],
      [Buffer.from('something else, long enough'), 'STORE_INVALID'],
      [Buffer.alloc(0), 'STORE_INVALID'],
    ] as const) {
      await expect(restoreStore(copy, pieces(bad, 65_536))).rejects.toMatchObject({ code });
      expect(existsSync(copy)).toBe(false);
    }
  });

  test('a directory that holds something is left alone', async () => {
    await withStore(fill);
    await expect(restoreStore(data, pieces(Buffer.alloc(0), 1))).rejects.toMatchObject({
      code: 'STORE_CONFLICT',
    });
    expect((await verified()).messages).toBe(3);
    expect(await readFile(join(data, 'CURRENT'), 'utf8')).toContain('MANIFEST');
  });
});
