import { expect, test } from 'vitest';

import { encodeKey } from '../../src/store/keys.js';
import { MemoryTable } from '../../src/store/memory-table.js';
import { migrate } from '../../src/store/migrate.js';
import type { Migration } from '../../src/store/migrate.js';
import { encodeRow } from '../../src/store/rows.js';

const key = encodeKey(['schema']);

function code(expected: string): Error {
  return expect.objectContaining({ code: expected }) as Error;
}

test('an empty table gets the schema at once', async () => {
  const table = new MemoryTable();
  await migrate(table, 3, []);
  expect(table.get(key)).toEqual(encodeRow(key, 3));
  await migrate(table, 3, []);
});

test('an older table goes through every step, and on from where it was cut off', async () => {
  const table = new MemoryTable();
  await migrate(table, 1, []);
  const ran: number[] = [];
  let fails = true;
  const step = (from: number): Migration => ({
    from,
    run() {
      ran.push(from);
      if (from === 2 && fails) return Promise.reject(new Error('cut off'));
      return Promise.resolve();
    },
  });
  const steps = [step(1), step(2), step(3)];
  await expect(migrate(table, 4, steps)).rejects.toThrow('cut off');
  expect(table.get(key)).toEqual(encodeRow(key, 2));
  fails = false;
  await migrate(table, 4, steps);
  expect(ran).toEqual([1, 2, 2, 3]);
  expect(table.get(key)).toEqual(encodeRow(key, 4));
});

test('STORE_NEWER, STORE_DAMAGED: a schema nothing leads on from is refused', async () => {
  const table = new MemoryTable();
  await migrate(table, 2, []);
  await expect(migrate(table, 1, [])).rejects.toThrow(code('STORE_NEWER'));
  await expect(migrate(table, 3, [])).rejects.toThrow(code('STORE_DAMAGED'));
  table.apply([{ key, value: encodeRow(key, 'two') }]);
  await expect(migrate(table, 2, [])).rejects.toThrow(code('STORE_DAMAGED'));
});
