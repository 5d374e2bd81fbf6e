/** Virtual UAs that are read before they are asked for. */

import { beforeEach, expect, test } from 'vitest';
import { ChangeBuilder } from '../../src/actors/change.js';
import { RestingActors } from '../../src/actors/resting-actors.js';
import type { Address } from '../../src/machines/events.js';
import type { AtRest } from '../../src/machines/index.js';
import type { Row, RowKey, ScanRange } from '../../src/ports.js';

const rowOf = (serial: number): AtRest => ({ schema: 1, state: 'stored', context: { serial } });
const uaOf = (serial: number): Address => `ua/${serial}`;

let stored: Set<number>;
let pending: Map<Address, { atRest: AtRest | undefined }>;
let looks: { gets: number; scans: number };
let resting: RestingActors;

beforeEach(() => {
  stored = new Set(Array.from({ length: 200 }, (_, i) => i + 1));
  pending = new Map();
  looks = { gets: 0, scans: 0 };
  resting = new RestingActors({
    account: 'bob@example.org',
    store: {
      get: (_account, keys: readonly RowKey[]) => {
        looks.gets++;
        const serials = keys.map((key) => key[1] as number);
        return Promise.resolve(serials.map((one) => (stored.has(one) ? rowOf(one) : undefined)));
      },
      scan: (_account, { after = 0, limit }: ScanRange) => {
        looks.scans++;
        const found = [...stored].filter((serial) => serial > after).slice(0, limit);
        return Promise.resolve(
          found.map((serial): Row => ({ key: ['ua', serial], value: rowOf(serial) })),
        );
      },
    },
    pending: { pending: (one) => pending.get(one), pendingAddresses: () => pending.keys() },
  });
});

async function read(serial: number): Promise<AtRest | undefined> {
  if (!resting.has(uaOf(serial))) await resting.read([uaOf(serial)]);
  expect(resting.has(uaOf(serial))).toBe(true);
  const atRest = resting.get(uaOf(serial));
  resting.turned();
  return atRest;
}

test('one after the other: a look for many of them', async () => {
  for (let serial = 1; serial <= 200; serial++) expect(await read(serial)).toEqual(rowOf(serial));
  expect(looks.gets + looks.scans).toBeLessThan(12);
});

test('here and there: a look for each, and no more is read', async () => {
  for (const serial of [90, 7, 120, 3, 60]) expect(await read(serial)).toEqual(rowOf(serial));
  expect(looks).toEqual({ gets: 5, scans: 0 });
  await resting.read([uaOf(1), uaOf(100), uaOf(200)]);
  const known = [1, 2, 100, 200].filter((serial) => resting.has(uaOf(serial)));
  expect(known).toEqual([1, 100, 200]);
  expect(looks.scans).toBe(0);
});

test('a row that a turn has changed is not taken from what was read before', async () => {
  for (let serial = 1; serial <= 4; serial++) await read(serial);
  const change = new ChangeBuilder();
  change.putActor(uaOf(6), undefined);
  resting.altered(change);
  stored.delete(6);
  expect(await read(5)).toEqual(rowOf(5));
  expect(await read(6)).toBeUndefined();
});

test('what a commit under way will write counts, also when rows behind are read', async () => {
  pending.set(uaOf(5), { atRest: undefined });
  for (let serial = 1; serial <= 4; serial++) await read(serial);
  expect(await read(5)).toBeUndefined();
  // The commit is done: the row of that time was not kept.
  pending.clear();
  stored.delete(5);
  expect(await read(5)).toBeUndefined();
});

test('what nobody has asked for is let go when a session is over', async () => {
  for (let serial = 1; serial <= 4; serial++) await read(serial);
  resting.rest();
  expect(resting.has(uaOf(5))).toBe(false);
});

test('a turn that is taken again finds what it has seen, the next turn asks anew', () => {
  pending.set(uaOf(5), { atRest: rowOf(5) });
  expect(resting.has(uaOf(5))).toBe(true);
  pending.clear();
  expect(resting.has(uaOf(5))).toBe(true);
  expect(resting.get(uaOf(5))).toEqual(rowOf(5));
  resting.turned();
  expect(resting.has(uaOf(5))).toBe(false);
});
