/** U26: mailboxes out of one store at rest and into another. */

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withStores } from '../../src/cli/stores.js';
import { exportStore, importStore } from '../../src/cli/store-transfer.js';
import {
  layoutOf,
  shardAmong,
  shardDirectory,
  storeDirectories,
} from '../../src/cluster/layout.js';
import { openLevelStore } from '../../src/store/level.js';
import { sumOf } from '../../src/store/verify.js';
import { silent } from '../store/silent.js';

const fixture = fileURLToPath(new URL('../fixtures/store-v1/files', import.meta.url));

let directory: string;
let from: string;
let to: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'poste-transfer-'));
  [from, to, file] = ['from', 'to', 'all.mailbox'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  cpSync(fixture, from, { recursive: true });
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Everything of a message but for its number, and its octets. */
async function contents(of: string, account: string): Promise<unknown[]> {
  const shards = (await layoutOf(of)) ?? 1;
  const own = shards === 1 ? of : shardDirectory(of, shardAmong(account, shards));
  const store = await openLevelStore({ directory: own, durability: 'os', log: silent });
  const rows = await store.scan(account, { kind: 'ua', limit: 100 });
  const found = await Promise.all(
    rows.map(async ({ key, value }) => {
      const {
        serial: _serial,
        timerAt: _timer,
        ...context
      } = (value as { context: object }).context as Record<string, unknown>;
      const content = await store.content(account, key[1] as number);
      return { ...context, octets: (await content!.read(0, content!.size)).toString('base64') };
    }),
  );
  await store.close();
  return found;
}

/** Settings of a server with so many shards. */
function config(shards: number): { readonly config: string } {
  const path = join(directory, `${shards}.yaml`);
  writeFileSync(path, JSON.stringify({ cluster: { shards } }));
  return { config: path };
}

test.each([1, 3])(
  'U26: a store at rest is written out and brought into an empty one of %i, byte for byte',
  async (shards) => {
    const options = config(shards);
    await exportStore(from, file, [], {});
    const before = readFileSync(join(from, 'CURRENT'), 'utf8');
    expect(await importStore(to, file, options)).toEqual({ accounts: 2, kept: 5, known: 0 });
    expect(await layoutOf(to)).toBe(shards);
    // What stands there is found whatever the settings say of new directories.
    expect(await importStore(to, file, {})).toEqual({ accounts: 2, kept: 0, known: 5 });
    for (const account of ['bob@example.org', 'carol@example.org']) {
      const expected = await contents(from, account);
      expect(expected.length).toBeGreaterThan(0);
      expect(await contents(to, account)).toEqual(expected);
    }
    expect(before).toContain('MANIFEST');
    const [main] = storeDirectories(to, shards);
    const store = await openLevelStore({ directory: main!, durability: 'os', log: silent });
    expect(store.provisioning!.find('+12025550147')).toMatchObject({ account: 'bob@example.org' });
    await store.close();
    const totals = await withStores(to, (one) =>
      one.verify(({ code, where }) => expect.fail(`${code} ${where}`)),
    );
    expect(sumOf(totals)).toMatchObject({ messages: 5, findings: 0 });
  },
);

test('U26: what is divided among shards is written out whole', async () => {
  await exportStore(from, file, [], {});
  await importStore(to, file, config(3));
  const again = join(directory, 'again.mailbox');
  await exportStore(to, again, [], {});
  const last = join(directory, 'last');
  expect(await importStore(last, again, config(1))).toMatchObject({ accounts: 2, kept: 5 });
  for (const account of ['bob@example.org', 'carol@example.org']) {
    expect(await contents(last, account)).toEqual(await contents(from, account));
  }
});

test('CLUSTER_LAYOUT: a directory is not written into as if it had another number of shards', async () => {
  await exportStore(from, file, [], {});
  await importStore(to, file, config(3));
  const other = importStore(to, file, config(2));
  await expect(other).rejects.toMatchObject({ code: 'CLUSTER_LAYOUT' });
});

test('U26: some accounts alone; a damaged stream leaves the other store empty', async () => {
  await exportStore(from, file, ['sip:carol@example.org'], {});
  const whole = readFileSync(file);
  const altered = Buffer.from(whole);
  altered[altered.length - 50]! ^= 1;
  writeFileSync(file, altered);
  const one = config(1);
  await expect(importStore(to, file, one)).rejects.toMatchObject({ code: 'MAILBOX_DAMAGED' });
  const store = await openLevelStore({ directory: to, durability: 'os', log: silent });
  expect(await store.accounts({ limit: 10 })).toEqual([]);
  await store.close();
  writeFileSync(file, whole);
  expect(await importStore(to, file, {})).toEqual({ accounts: 1, kept: 1, known: 0 });
});

test('U26: a store that is not there, or that a server has open, is not written out', async () => {
  const nowhere = join(directory, 'nowhere');
  await expect(exportStore(nowhere, file, [], {})).rejects.toMatchObject({ code: 'ENOENT' });
  const held = await openLevelStore({ directory: from, durability: 'os', log: silent });
  await expect(exportStore(from, file, [], {})).rejects.toMatchObject({ code: 'STORE_LOCKED' });
  await held.close();
});
