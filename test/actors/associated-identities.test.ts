/** Identities that S-CSCFs have told, and their mirror in the store (RFC 7315 4.1). */

import { expect, test } from 'vitest';
import { AssociatedIdentities } from '../../src/actors/associated-identities.js';
import type { Association, AssociationsPort } from '../../src/ports.js';
import { createMemoryStore } from '../../src/store/memory.js';
import { StoreError } from '../../src/store/store-error.js';
import { ManualClock } from '../../src/testing/clock.js';
import { settle } from './world.js';

const bob = 'bob@example.net';
const day = 86_400_000;

function open(store: AssociationsPort | undefined, bound = 10) {
  const clock = new ManualClock();
  const lines: object[] = [];
  const keep = (fields: object): void => void lines.push(fields);
  const log = { debug: keep, info: keep, warn: keep, error: keep };
  const table = new AssociatedIdentities({ bound, lastingMs: 8 * day, clock, log, store });
  return { clock, lines, table };
}

/** A table that notes what is written to it. */
function noting(): AssociationsPort & { readonly puts: Association[] } {
  const puts: Association[] = [];
  return {
    puts,
    list: () => Promise.resolve([]),
    put: (association) => {
      puts.push(association);
      return Promise.resolve();
    },
  };
}

test('U22: a store that does not take them keeps nobody from being found', async () => {
  const put = () => Promise.reject(new StoreError('STORE_UNAVAILABLE', 'full'));
  const { table, lines } = open({ list: () => Promise.resolve([]), put });
  table.replace(bob, ['+1'], 0);
  await settle();
  expect(table.accountOf('+1')).toBe(bob);
  expect(lines).toEqual([{ code: 'STORE_UNAVAILABLE', account: bob }]);
});

test('U22: rows that cannot be read are no reason not to start', async () => {
  const list = () => Promise.reject(new StoreError('STORE_DAMAGED', 'a record'));
  const { table, lines } = open({ list, put: () => Promise.resolve() });
  await table.load();
  expect(lines).toEqual([{ code: 'STORE_DAMAGED' }]);
  table.replace(bob, ['+1'], 0);
  expect(table.accountOf('+1')).toBe(bob);
});

test('U22: a registration that is refreshed often is not written as often', () => {
  const store = noting();
  const { table, clock } = open(store);
  table.replace(bob, ['+1'], 600_000);
  for (let n = 0; n < 7 * 24 * 10; n++) {
    clock.advance(360_000);
    table.replace(bob, ['+1'], 600_000);
  }
  expect(table.accountOf('+1')).toBe(bob);
  expect(store.puts.length).toBeGreaterThan(3);
  expect(store.puts.length).toBeLessThan(10);
  // Nothing was told of him ever.
  table.replace('eve@example.net', [], 600_000);
  table.refresh('eve@example.net', 600_000);
  expect(store.puts.some(({ account }) => account !== bob)).toBe(false);
});

test('U22: more than the bound in the store: those that end first make room', async () => {
  const store = createMemoryStore().associations!;
  const first = open(store, 3_000);
  for (let n = 0; n < 2_500; n++) {
    const account = `u${String(9_999 - n)}@example.net`;
    first.table.replace(account, [`+${n}`], n);
  }
  await settle();
  const { table } = open(store, 2_000);
  await table.load();
  expect(table.size).toBe(2_000);
  expect(table.accountOf('+499')).toBeUndefined();
  expect(table.accountOf('+500')).toBe('u9499@example.net');
  await settle();
  expect(await store.list({ limit: 9_999 })).toHaveLength(2_000);
});

test('U22: what has run out goes with what changes later', async () => {
  const store = createMemoryStore().associations!;
  const { table, clock } = open(store);
  for (let n = 0; n < 3; n++) table.replace(`u${n}@example.net`, [`+${n}`], 0);
  clock.advance(9 * day);
  table.replace(bob, ['+9'], 0);
  await settle();
  expect(table.size).toBe(1);
  expect((await store.list({ limit: 9 })).map(({ account }) => account)).toEqual([bob]);
});

test('U22: without a table in the store they are kept in memory', async () => {
  const { table } = open(undefined);
  await table.load();
  table.replace(bob, ['+1'], 0);
  expect(table.accountOf('+1')).toBe(bob);
});
