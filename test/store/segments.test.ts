/** Large contents that have a file beside LevelDB: kept, read, copied, checked, removed. */

import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Content, KeyProvider } from '../../src/ports.js';
import {
  beginReshard,
  builtDirectory,
  endReshard,
  settleReshard,
} from '../../src/cluster/reshard.js';
import { shardDirectory } from '../../src/cluster/layout.js';
import { divide } from '../../src/store/division.js';
import { createFileKeys } from '../../src/store/encryption/file-keys.js';
import { openLevelStore } from '../../src/store/level.js';
import type { LevelStore } from '../../src/store/level.js';
import { openMaintenance, restoreStore } from '../../src/store/maintenance.js';
import { rowChunks, slotBytes } from '../../src/store/segment-records.js';
import type { Finding } from '../../src/store/verify.js';
import { silent } from './silent.js';

const bob = 'bob@example.org';
const nothing = { puts: [], deletes: [], keeps: [], drops: [] };
/** Twenty chunks and a little: four records and a short one in the file. */
const size = 20 * 65_536 + 777;
const octets = randomBytes(size);
const keys = createFileKeys(new Map([['one', randomBytes(32).toString('base64')]]), 'one');

let root: string;
let data: string;
let store: LevelStore;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'poste-segments-'));
  data = join(root, 'data');
  store = await open();
});
afterEach(async () => {
  await store.close();
  await rm(root, { recursive: true });
});

function open(directory = data, provider?: KeyProvider): Promise<LevelStore> {
  const keyed = provider && { keys: provider };
  return openLevelStore({ directory, durability: 'fsync', log: silent, ...keyed });
}

/** Message 1 of Bob with the octets as its content. */
async function keep(to = store, serial = 1): Promise<void> {
  const upload = await to.upload(bob);
  for (let at = 0; at < size; at += 50_000)
    await upload.write(at, octets.subarray(at, at + 50_000));
  await upload.finish(size);
  const { version } = await to.load(bob);
  const puts = [{ key: ['ua', serial], value: { a: 1 } }] as const;
  await to.commit(bob, version, { ...nothing, puts, keeps: [{ serial, content: upload.id }] });
  to.release(bob);
}

async function drop(serial = 1): Promise<void> {
  const { version } = await store.load(bob);
  await store.commit(bob, version, { ...nothing, deletes: [['ua', serial]], drops: [serial] });
  store.release(bob);
}

async function readAll(content: Content, step = 65_536): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let at = 0; at < content.size; at += step) parts.push(await content.read(at, step));
  return Buffer.concat(parts);
}

function files(directory = data): string[] {
  const contents = join(directory, 'contents');
  return existsSync(contents) ? readdirSync(contents) : [];
}

function sum(whole: Buffer): string {
  return createHash('sha256').update(whole).digest('hex');
}

async function findings(): Promise<Finding[]> {
  const found: Finding[] = [];
  const maintenance = await openMaintenance(data);
  await maintenance.verify((finding) => found.push(finding));
  await maintenance.close();
  return found;
}

describe('a content beyond 1 MiB', () => {
  test('D-14: stands in a file behind its first chunks, and is read in pieces of any size', async () => {
    await keep();
    const [name] = files();
    expect(statSync(join(data, 'contents', name!)).size).toBe(4 * slotBytes + 5 + 777);
    await store.close();
    store = await open();
    for (const step of [10_000, 65_536, 70_001, size]) {
      const content = (await store.content(bob, 1))!;
      expect(content.size).toBe(size);
      expect(sum(await readAll(content, step))).toBe(sum(octets));
    }
    expect(await findings().catch((error: unknown) => error)).toMatchObject({
      code: 'STORE_LOCKED',
    });
    await store.close();
    expect(await findings()).toEqual([]);
    store = await open();
  });

  test('its file goes when it is dropped, and who still reads it hears so', async () => {
    await keep();
    const content = (await store.content(bob, 1))!;
    expect((await content.read(17 * 65_536, 10)).length).toBe(10);
    await drop();
    await expect.poll(() => files()).toEqual([]);
    const late = (await store.content(bob, 1)) ?? content;
    await expect(Promise.resolve(late.read(0, 10))).rejects.toMatchObject({ code: 'STORE_GONE' });
  });

  test('nothing stays of one that is aborted, nor of one that its process left behind', async () => {
    const aborted = await store.upload(bob);
    for (let at = 0; at < size; at += 65_536) {
      await aborted.write(at, octets.subarray(at, at + 65_536));
    }
    await aborted.abort();
    expect(files()).toEqual([]);
    const left = await store.upload(bob);
    for (let at = 0; at < size; at += 65_536) {
      await left.write(at, octets.subarray(at, at + 65_536));
    }
    await expect.poll(() => files()).toHaveLength(1);
    await store.close();
    store = await open();
    expect(files()).toHaveLength(1);
    expect(await store.sweep(Number.MAX_SAFE_INTEGER)).toBe(1);
    expect(files()).toEqual([]);
  });

  test('sealed: no octet of it is in the file, and it comes back whole', async () => {
    const sealed = await open(join(root, 'sealed'), keys);
    await keep(sealed);
    const [name] = files(join(root, 'sealed'));
    const raw = readFileSync(join(root, 'sealed', 'contents', name!));
    const from = rowChunks * 65_536;
    expect(raw.includes(octets.subarray(from, from + 32))).toBe(false);
    expect(sum(await readAll((await sealed.content(bob, 1))!))).toBe(sum(octets));
    await sealed.close();
  });
});

describe('copies of a store with files', () => {
  test('a backup while it serves is whole, whatever is dropped meanwhile', async () => {
    await keep();
    const pieces: Buffer[] = [];
    for await (const piece of store.backup()) {
      if (pieces.length === 0) await drop();
      pieces.push(piece);
      expect(files()).toHaveLength(1);
    }
    await expect.poll(() => files()).toEqual([]);
    const copy = join(root, 'copy');
    await restoreStore(copy, Readable.from(pieces));
    const restored = await open(copy);
    expect(sum(await readAll((await restored.content(bob, 1))!))).toBe(sum(octets));
    await restored.close();
  });

  test('accounts that are divided anew take their files with them', async () => {
    await keep();
    const other = await open(join(root, 'other'), keys);
    await keep(other, 2);
    await other.close();
    await store.close();
    const to = join(root, 'one');
    await divide({
      from: { shards: [data, join(root, 'other')] },
      to: { shards: [to] },
      shardOf: () => 0,
      keys,
    });
    const one = await open(to, keys);
    for (const serial of [1, 2]) {
      expect(sum(await readAll((await one.content(bob, serial))!))).toBe(sum(octets));
    }
    await one.close();
    store = await open();
  });
});

describe('an upload that nobody has kept', () => {
  test('its half written file is no damage, and is in no copy', async () => {
    const left = await store.upload(bob);
    for (let at = 0; at < size; at += 65_536) {
      await left.write(at, octets.subarray(at, at + 65_536));
    }
    await expect.poll(() => files()).toHaveLength(1);
    const pieces: Buffer[] = [];
    for await (const piece of store.backup()) pieces.push(piece);
    expect(Buffer.concat(pieces).length).toBeLessThan(17 * 65_536);
    await store.close();
    truncateSync(join(data, 'contents', files()[0]!), 3 * slotBytes - 1);
    expect(await findings()).toEqual([]);
    store = await open();
    expect(await store.sweep(Number.MAX_SAFE_INTEGER)).toBe(1);
    expect(files()).toEqual([]);
  });
});

describe('many', () => {
  test('all that are dropped at once go, with one sync of the directory for many', async () => {
    for (const serial of [1, 2, 3, 4, 5]) await keep(store, serial);
    expect(files()).toHaveLength(5);
    const { version } = await store.load(bob);
    const serials = [1, 2, 3, 4, 5];
    const deletes = serials.map((serial) => ['ua', serial] as const);
    await store.commit(bob, version, { ...nothing, deletes, drops: serials });
    store.release(bob);
    await expect.poll(() => files()).toEqual([]);
    await store.close();
    expect(await findings()).toEqual([]);
    store = await open();
  });
});

describe('another number of shards', () => {
  test('files of the former store do not stand beside those of the new ones', async () => {
    await keep();
    await store.close();
    await beginReshard(data, 1, 2);
    const { shards, front } = { shards: [0, 1].map((n) => shardDirectory('', n)), front: 'front' };
    const built = builtDirectory(data);
    await divide({
      from: { shards: [data] },
      to: { front: join(built, front), shards: shards.map((name) => join(built, name)) },
      shardOf: () => 1,
    });
    await settleReshard(data, 1, 2);
    await endReshard(data, { from: 1, to: 2, phase: 'move' });
    expect(readdirSync(data)).not.toContain('contents');
    store = await open(join(data, shards[1]!));
    expect(sum(await readAll((await store.content(bob, 1))!))).toBe(sum(octets));
  });
});

describe('damage', () => {
  test('an octet that flipped is no content, and is found where it is', async () => {
    await keep();
    await store.close();
    const path = join(data, 'contents', files()[0]!);
    const raw = readFileSync(path);
    raw[slotBytes + 1_000]! ^= 1;
    writeFileSync(path, raw);
    const found = await findings();
    expect(found.map(({ code, where }) => `${code} ${where}`)).toEqual([
      expect.stringMatching(/^STORE_DAMAGED chunk \d+ 17$/),
      'STORE_INCOMPLETE content 1 of bob@example.org',
    ]);
    store = await open();
    const content = (await store.content(bob, 1))!;
    await expect(readAll(content)).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
    const maintained = found[0]!.key;
    await store.close();
    const maintenance = await openMaintenance(data);
    expect((await maintenance.get(maintained))!.length).toBe(65_541);
    await maintenance.remove([maintained]);
    await maintenance.close();
    store = await open();
    await expect.poll(() => files()).toEqual([]);
  });

  test('a file that is cut off, or not there, makes the content incomplete', async () => {
    await keep();
    await store.close();
    const path = join(data, 'contents', files()[0]!);
    truncateSync(path, slotBytes);
    expect((await findings()).map(({ code }) => code)).toEqual(['STORE_INCOMPLETE']);
    await rm(path);
    expect((await findings()).map(({ code }) => code)).toEqual(['STORE_INCOMPLETE']);
    store = await open();
    const content = (await store.content(bob, 1))!;
    await expect(readAll(content)).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
  });

  test('a file that nobody knows is an orphan, and goes by its repair', async () => {
    await keep();
    await drop();
    await expect.poll(() => files()).toEqual([]);
    await store.close();
    writeFileSync(join(data, 'contents', '77'), Buffer.alloc(100));
    const found = await findings();
    expect(found.map(({ code }) => code)).toContain('STORE_ORPHAN');
    const maintenance = await openMaintenance(data);
    await maintenance.remove(found.map(({ key }) => key));
    await maintenance.close();
    store = await open();
    await expect.poll(() => existsSync(join(data, 'contents', '77'))).toBe(false);
  });
});
