/** `store reshard`: nothing is lost, nothing is there twice, wherever it is cut off. */

import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import fileSystem from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { reshard } from '../../src/cli/reshard.js';
import { backupOf, restoreStores } from '../../src/cli/store-copy.js';
import { withStores } from '../../src/cli/stores.js';
import {
  claimLayout,
  frontDirectory,
  shardAmong,
  shardDirectory,
} from '../../src/cluster/layout.js';
import { createFileKeys } from '../../src/store/encryption/file-keys.js';
import { openLevelStore } from '../../src/store/level.js';
import type { LevelStore } from '../../src/store/level.js';
import { sumOf } from '../../src/store/verify.js';
import { silent } from '../store/silent.js';

/** What is done to the disk until it is cut off: renaming and removing are the steps. */
const steps = { left: Infinity };
const { rename, rm } = fileSystem;
const counted =
  <P extends unknown[], R>(act: (...parameters: P) => Promise<R>) =>
  (...parameters: P): Promise<R> =>
    steps.left-- > 0 ? act(...parameters) : Promise.reject(new Error('cut off'));

beforeAll(() => replace({ rename: counted(rename), rm: counted(rm) }));
afterAll(() => replace({ rename, rm }));

/** For whoever has imported them, too. */
function replace(functions: Pick<typeof fileSystem, 'rename' | 'rm'>): void {
  Object.assign(fileSystem, functions);
  syncBuiltinESMExports();
}

const users = Array.from({ length: 12 }, (_, n) => `user${n}@example.org`);
const large = randomBytes(150_000);
const secret = randomBytes(32).toString('base64');
const keys = createFileKeys(new Map([['first', secret]]), 'first');

let root: string;
let data: string;
beforeEach(() => {
  steps.left = Infinity;
  root = mkdtempSync(join(tmpdir(), 'poste-reshard-'));
  data = join(root, 'data');
});
afterEach(() => {
  steps.left = Infinity;
  rmSync(root, { recursive: true });
});

const opened = (directory: string, isSealed = false): Promise<LevelStore> =>
  openLevelStore({ directory, durability: 'os', log: silent, ...(isSealed && { keys }) });

/** Two messages for everyone, one of them large for a few; one user has another identity. */
async function fill(store: LevelStore, accounts: readonly string[]): Promise<void> {
  for (const account of accounts) {
    const { version } = await store.load(account);
    const content = account.startsWith('user1') ? large : Buffer.from(`large of ${account}`);
    await store.commit(account, version, {
      ...{ deletes: [], drops: [], wakeAt: 5_000 },
      puts: [
        { key: ['ua', 1], value: { of: account } },
        { key: ['ua', 2], value: { of: account } },
        { key: ['timer', 5_000, 'ua/1 expiry'], value: true },
      ],
      keeps: [
        { serial: 1, content: Buffer.from(`small of ${account}`) },
        { serial: 2, content },
      ],
    });
  }
}

/** As it is without shards. */
async function fillOne(isSealed = false): Promise<void> {
  const store = await opened(data, isSealed);
  await fill(store, users);
  await store.provisioning!.put({
    ...{ account: users[0]!, identities: ['+12025550147'], disabled: false, limits: {} },
  });
  expect(await store.reserve('serial/store.example.org', 100)).toBe(1);
  await store.close();
}

/** Everything is where a server with so many shards looks for it. */
async function holds(shards: number, isSealed = false): Promise<void> {
  const directories =
    shards === 1 ? [data] : Array.from({ length: shards }, (_, n) => shardDirectory(data, n));
  const stores: LevelStore[] = [];
  for (const directory of directories) stores.push(await opened(directory, isSealed));
  const front = shards === 1 ? stores[0]! : await opened(frontDirectory(data));
  for (const account of users) {
    const store = stores[shardAmong(account, shards)]!;
    expect((await store.scan(account, { kind: 'ua', limit: 10 })).map(({ key }) => key[1])).toEqual(
      [1, 2],
    );
    const small = await store.content(account, 1);
    expect((await small!.read(0, 100)).toString()).toBe(`small of ${account}`);
    const second = (await store.content(account, 2))!;
    const octets = await second.read(0, second.size);
    if (account.startsWith('user1')) expect(octets.equals(large)).toBe(true);
    else expect(octets.toString()).toBe(`large of ${account}`);
  }
  const due: string[] = [];
  for (const store of stores) due.push(...(await store.due(10_000, 100)));
  expect(due.sort()).toEqual([...users].sort());
  for (const store of new Set([front, stores[shardAmong(users[0]!, shards)]!])) {
    expect(store.provisioning!.find('+12025550147')).toMatchObject({ account: users[0] });
  }
  // What was given out once is not given out again.
  expect(await front.reserve('serial/store.example.org', 1)).toBeGreaterThan(100);
  for (const store of new Set([front, ...stores])) await store.close();
}

test('cluster.shards: from one store to two, three, and back to one', async () => {
  await fillOne();
  const expected = { accounts: users.length, messages: 2 * users.length };
  expect(await reshard(data, '2', {})).toEqual({ from: 1, to: 2, ...expected });
  await holds(2);
  await claimLayout(data, 2);
  expect(await reshard(data, '3', {})).toEqual({ from: 2, to: 3, ...expected });
  await holds(3);
  const totals = sumOf(await withStores(data, (store) => store.verify(() => undefined)));
  expect(totals).toMatchObject({ ...expected, findings: 0 });
  expect(await reshard(data, '1', {})).toEqual({ from: 3, to: 1, ...expected });
  await holds(1);
  expect(readdirSync(data).filter((name) => /^(?:front|shard|former|reshard)/.test(name))).toEqual(
    [],
  );
});

test('cluster.shards: sealed contents that get other numbers need the keys', async () => {
  await fillOne(true);
  // Nothing has to be sealed anew: one store has drawn all numbers.
  await reshard(data, '2', {});
  await holds(2, true);
  await expect(reshard(data, '1', {})).rejects.toMatchObject({ code: 'STORE_KEY' });
  const file = join(root, 'key');
  writeFileSync(file, secret);
  const config = join(root, 'config.yaml');
  writeFileSync(
    config,
    `store: { encryption: { current: first, keys: { first: ${JSON.stringify(file)} } } }\n`,
  );
  await reshard(data, '1', { config });
  await holds(1, true);
});

test.each([
  ['1', '2'],
  ['2', '3'],
  ['3', '1'],
])('CLUSTER_LAYOUT: cut off at every step from %s to %s, it goes on', async (from, to) => {
  await fillOne();
  await reshard(data, from, {});
  const kept = join(root, 'kept');
  cpSync(data, kept, { recursive: true });
  for (let step = 0; ; step++) {
    rmSync(data, { recursive: true });
    cpSync(kept, data, { recursive: true });
    steps.left = step;
    const cut = await reshard(data, to, {}).then(
      () => false,
      (error: unknown) => {
        expect(String(error)).toContain('cut off');
        return true;
      },
    );
    steps.left = Infinity;
    if (!cut) break;
    if (existsSync(join(data, 'reshard.json'))) {
      await expect(claimLayout(data, Number(to))).rejects.toMatchObject({ code: 'CLUSTER_LAYOUT' });
    }
    await reshard(data, to, {});
    await holds(Number(to));
    expect(step).toBeLessThan(60);
  }
});

test('CLUSTER_LAYOUT: before the new stores are whole it can be given up', async () => {
  await fillOne();
  await reshard(data, '2', {});
  let tried = 1;
  for (steps.left = 1; !existsSync(join(data, 'reshard.json')); steps.left = ++tried) {
    await expect(reshard(data, '3', {})).rejects.toThrow('cut off');
  }
  steps.left = Infinity;
  expect(await reshard(data, '2', {})).toMatchObject({ from: 2, to: 2 });
  await claimLayout(data, 2);
  await holds(2);
});

test('U26: a backup of all shards in one file, brought back as it was', async () => {
  await fillOne();
  await reshard(data, '3', {});
  const pieces = await gathered(backupOf(data));
  const octets = Buffer.concat(pieces);
  const copy = join(root, 'copy');
  await expect(
    restoreStores(copy, backupStream([octets.subarray(0, octets.length - 5)])),
  ).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
  expect(existsSync(copy)).toBe(false);
  rmSync(data, { recursive: true });
  expect(await restoreStores(data, backupStream(pieces))).toMatchObject({ shards: 3 });
  await holds(3);
});

async function* backupStream(pieces: readonly Buffer[]): AsyncGenerator<Buffer> {
  await Promise.resolve();
  yield* pieces;
}

async function gathered(octets: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const pieces: Buffer[] = [];
  for await (const piece of octets) pieces.push(piece);
  return pieces;
}
