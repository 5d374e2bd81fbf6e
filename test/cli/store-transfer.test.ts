/** U26: mailboxes out of one store at rest and into another. */

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exportStore, importStore } from '../../src/cli/store-transfer.js';
import { openLevelStore } from '../../src/store/level.js';
import { openMaintenance } from '../../src/store/maintenance.js';
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
  const store = await openLevelStore({ directory: of, durability: 'os', log: silent });
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

test('U26: a store at rest is written out and brought into an empty one, byte for byte', async () => {
  await exportStore(from, file, [], {});
  const before = readFileSync(join(from, 'CURRENT'), 'utf8');
  expect(await importStore(to, file, {})).toEqual({ accounts: 2, kept: 5, known: 0 });
  expect(await importStore(to, file, {})).toEqual({ accounts: 2, kept: 0, known: 5 });
  for (const account of ['bob@example.org', 'carol@example.org']) {
    const expected = await contents(from, account);
    expect(expected.length).toBeGreaterThan(0);
    expect(await contents(to, account)).toEqual(expected);
  }
  expect(before).toContain('MANIFEST');
  const store = await openLevelStore({ directory: to, durability: 'os', log: silent });
  expect(store.provisioning!.find('+12025550147')).toMatchObject({ account: 'bob@example.org' });
  await store.close();
  const maintenance = await openMaintenance(to);
  const totals = await maintenance.verify(({ code, where }) => expect.fail(`${code} ${where}`));
  await maintenance.close();
  expect(totals).toMatchObject({ messages: 5, findings: 0 });
});

test('U26: some accounts alone; a damaged stream leaves the other store empty', async () => {
  await exportStore(from, file, ['sip:carol@example.org'], {});
  const whole = readFileSync(file);
  const altered = Buffer.from(whole);
  altered[altered.length - 50]! ^= 1;
  writeFileSync(file, altered);
  await expect(importStore(to, file, {})).rejects.toMatchObject({ code: 'MAILBOX_DAMAGED' });
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
