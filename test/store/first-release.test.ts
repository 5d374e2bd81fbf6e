/** A store that the first release has written: every kind of row is read, served and migrated. */

import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createImClient } from '../../src/client/connect.js';
import { settingsOf } from '../../src/config.js';
import { startServer } from '../../src/server.js';
import { decodeKey, encodeKey, everything } from '../../src/store/keys.js';
import { openLevelTable } from '../../src/store/level-table.js';
import type { LevelTable } from '../../src/store/level-table.js';
import { openLevelStore } from '../../src/store/level.js';
import { openMaintenance } from '../../src/store/maintenance.js';
import { migrate } from '../../src/store/migrate.js';
import type { Migration } from '../../src/store/migrate.js';
import { decodeOctets, encodeRow } from '../../src/store/rows.js';
import { ManualClock } from '../../src/testing/clock.js';
import { silent } from './silent.js';

/** A minute after the store was written. */
const then = 1_795_242_604_000;
const bob = 'bob@example.org';
const fixture = fileURLToPath(new URL('../fixtures/store-v1/files', import.meta.url));

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'poste-first-'));
  cpSync(fixture, directory, { recursive: true });
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function openTable(): Promise<LevelTable> {
  return openLevelTable({
    ...{ directory, sync: false, log: silent, clock: Date, retryMs: 1_000 },
    ...{ writeBufferBytes: 1_048_576, cacheBytes: 1_048_576 },
  });
}

test('a store of the first release has nothing that verify would find', async () => {
  const maintenance = await openMaintenance(directory);
  const totals = await maintenance.verify(({ code, where }) => expect.fail(`${code} ${where}`));
  await maintenance.close();
  expect(totals).toMatchObject({ accounts: 2, messages: 5, findings: 0, records: 43 });
});

test('a store of the first release: every kind of row is read', async () => {
  const clock = new ManualClock(then);
  const store = await openLevelStore({ directory, durability: 'os', log: silent, clock });
  const { rows, wakeAt } = await store.load(bob);
  expect(wakeAt).toBeTypeOf('number');
  const addresses = rows.flatMap(({ key }) => (key[0] === 'actor' ? [key[1]] : []));
  expect(addresses).toEqual(['mailbox', 'subscription/3']);
  expect(rows.filter(({ key }) => key[0] === 'outbox')).toHaveLength(6);
  for (const [kind, count] of [
    ['ua', 4],
    ['timer', 6],
    ['seen', 1],
  ] as const) {
    expect(await store.scan(bob, { kind, limit: 100 })).toHaveLength(count);
  }
  const binary = await store.content(bob, 3);
  expect((await binary!.read(0, 10_000)).includes(Buffer.from([0, 255, 13, 10]))).toBe(true);
  const large = await store.content(bob, 4);
  expect(large!.size).toBeGreaterThan(70_000);
  const octets = await large!.read(0, 70_000);
  expect(octets.equals(Buffer.alloc(70_000, 'large '))).toBe(true);
  expect(store.provisioning!.find('+12025550147')).toMatchObject({
    ...{ account: bob, limits: { messages: 500, push: false } },
  });
  expect(await store.accounts({ limit: 10 })).toEqual([bob, 'carol@example.org']);
  expect(await store.due(then, 10)).toContain(bob);
  expect(await store.reserve('serial/store.example.org', 1)).toBeGreaterThan(65);
  expect(await store.sweep(then)).toBe(1);
  await store.close();
});

test('a store of the first release is served: what is new, what was read, settings, ids', async () => {
  const server = await startServer(
    settingsOf({
      sip: { listen: [{ transport: 'udp', port: 0 }] },
      msrp: { port: 0 },
      store: { directory },
      identity: { hostname: 'store.example.org', domains: ['example.org'] },
      log: { level: 'silent' },
    }),
    { clock: new ManualClock(then) },
  );
  const client = createImClient({
    aor: `sip:${bob}`,
    server: { host: '127.0.0.1', port: server.sip[0]!.port, transport: 'udp' },
    identity: 'asserted',
    deferredUri: 'sip:Deferred@store.example.org',
  });
  try {
    await client.start();
    expect(await server.accounts.summary(bob)).toMatchObject({
      ...{ messages: 4, unread: 3, available: true, settings: { offlineDelivery: false } },
    });
    const { messages } = await client.retrieve();
    expect(messages.map(({ body }) => body.toString('latin1').slice(0, 13))).toEqual([
      ...['read and kept', 'new', '\0\xff\r\n', 'large large l'],
    ]);
    expect(await client.send('sip:carol@example.org', 'more')).toMatchObject({ status: 202 });
    const stored = await server.accounts.histories('carol@example.org', { limit: 10 });
    expect(stored.map(({ serial }) => serial)).toEqual([65, 66]);
  } finally {
    await client.stop();
    await server.stop(0);
  }
});

test('STORE_NEWER: what a later version has written is refused, and stays as it is', async () => {
  const table = await openTable();
  const key = encodeKey(['schema']);
  const later = encodeRow(key, 99);
  await table.write([{ key, value: later }]);
  await table.close();
  const opened = openLevelStore({ directory, durability: 'os', log: silent });
  await expect(opened).rejects.toMatchObject({ code: 'STORE_NEWER' });
  const again = await openTable();
  expect(await again.fetch(key)).toEqual(later);
  expect(await again.keys({ ...everything, limit: 100 })).toHaveLength(43);
  await again.close();
});

/** A step that rewrites each message, a few in one batch, and can be cut off behind any of these. */
function rewriting(from: number, batches: number): Migration {
  return {
    from,
    async run(table) {
      const entries = await table.range({ ...everything, limit: 1_000 });
      const messages = entries.filter(({ key }) => {
        const decoded = decodeKey(key);
        return decoded[0] === 'row' && decoded[2][0] === 'ua';
      });
      for (const [index, { key, value }] of messages.entries()) {
        if (index === batches) throw new Error('the process ends here');
        const body = decodeOctets(key, value);
        const isDone = body.subarray(-5).toString('latin1') === `-to-${from + 1}`;
        if (!isDone) await table.write([{ key, value: marked(key, body, from + 1) }]);
      }
    },
  };
}

function marked(key: Buffer, body: Buffer, schema: number): Buffer {
  return encodeRow(key, Buffer.concat([body, Buffer.from(`-to-${schema}`)]));
}

test.each([0, 1, 2, 3, 4])(
  'a migration that ends behind %i of its batches goes on where it was, and does nothing twice',
  async (batches) => {
    let table = await openTable();
    await expect(migrate(table, 2, [rewriting(1, batches)])).rejects.toThrow('ends here');
    await table.close();
    // Half migrated, it is neither served by this version nor lost to the next one.
    table = await openTable();
    await migrate(table, 3, [rewriting(1, Infinity), rewriting(2, Infinity)]);
    const entries = await table.range({ ...everything, limit: 1_000 });
    await table.close();
    const messages = entries.filter(({ key }) => {
      const decoded = decodeKey(key);
      return decoded[0] === 'row' && decoded[2][0] === 'ua';
    });
    expect(messages).toHaveLength(5);
    for (const { value } of messages) {
      expect(value.toString('latin1').match(/-to-2/g)).toHaveLength(1);
      expect(value.toString('latin1').match(/-to-3/g)).toHaveLength(1);
    }
    const opened = openLevelStore({ directory, durability: 'os', log: silent });
    await expect(opened).rejects.toMatchObject({ code: 'STORE_NEWER' });
  },
);
