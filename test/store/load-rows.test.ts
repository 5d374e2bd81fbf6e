/** How often the table is asked for what an account is loaded with. */

import { describe, expect, test } from 'vitest';
import { encodeKey } from '../../src/store/keys.js';
import { loadRows } from '../../src/store/load-rows.js';
import { MemoryTable } from '../../src/store/memory-table.js';
import { decodeRow, encodeRow } from '../../src/store/rows.js';
import type { RowKey } from '../../src/ports.js';
import type { Entry, TableRange } from '../../src/store/table.js';

const account = 'bob@example.org';
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

interface Rows {
  readonly messages?: number;
  readonly seen?: number;
  readonly outbox?: number;
}

/** A mailbox with so many messages, each with a timer, and digests of some that are gone. */
async function tableWith({ messages = 0, seen = 0, outbox = 0 }: Rows): Promise<MemoryTable> {
  const keys: RowKey[] = [
    ['actor', 'mailbox'],
    ...range(1, outbox).map((number): RowKey => ['outbox', number]),
    ...range(1, messages).map((serial): RowKey => ['timer', 1_000 + serial, `ua/${serial} expiry`]),
    ...range(1, messages).map((serial): RowKey => ['ua', serial]),
    ...range(1, seen).map((at): RowKey => ['seen', at, `digest${at}`]),
  ];
  const table = new MemoryTable();
  const wakeAt = encodeKey(['wakeAt', account]);
  const operations = keys.map((row) => {
    const key = encodeKey(['row', account, row]);
    return { key, value: encodeRow(key, row[1]) };
  });
  await table.write([{ key: wakeAt, value: encodeRow(wakeAt, 1_001) }, ...operations]);
  return table;
}

async function loaded(table: MemoryTable, whole?: number) {
  const asked: Entry[][] = [];
  const counting = {
    range: async (bounds: TableRange) => {
      const entries = await table.range(bounds);
      asked.push(entries);
      return entries;
    },
  };
  const decode = ({ key, value }: Entry) => decodeRow(key, value);
  return {
    ...(await loadRows(counting, account, decode, whole)),
    asked: asked.map((one) => one.length),
  };
}

describe('U14: the load of an account asks', () => {
  test('once where it is small, and brings its timers and messages along', async () => {
    const { asked, rows, messages, timers, latest, wakeAt } = await loaded(
      await tableWith({ messages: 8, seen: 3, outbox: 2 }),
    );
    expect(asked).toHaveLength(1);
    expect(rows.map(({ key }) => key[0])).toEqual(['actor', 'outbox', 'outbox']);
    expect(messages).toHaveLength(11);
    expect(timers?.map(({ key }) => key[1])).toEqual(range(1_001, 1_008));
    expect(latest).toBeUndefined();
    expect(wakeAt).toBe(1_001);
  });

  test('once where whoever loads it has a use for all of it, up to what was said', async () => {
    const table = await tableWith({ messages: 30 });
    const { asked, timers, messages } = await loaded(table, 64);
    expect(asked).toEqual([62]);
    expect(timers).toHaveLength(30);
    expect(messages).toHaveLength(30);
    expect((await loaded(table, 62)).asked).toEqual([62, 8]);
  });

  test.each([40, 4_000])('twice where it holds %i messages, for as many rows', async (messages) => {
    const { asked, rows, latest, wakeAt, ...more } = await loaded(await tableWith({ messages }));
    expect(asked).toEqual([24, 8]);
    expect(rows).toEqual([{ key: ['actor', 'mailbox'], value: 'mailbox' }]);
    expect(latest?.map(({ key }) => key[1])).toEqual(range(messages - 7, messages).toReversed());
    expect(wakeAt).toBe(1_001);
    expect(more.messages).toBeUndefined();
    expect(more.timers).toBeUndefined();
  });

  test('twice where some of its messages are gone: these come first', async () => {
    const { asked, latest } = await loaded(await tableWith({ messages: 40, seen: 2 }));
    expect(asked).toEqual([24, 8]);
    const kinds = latest?.map(({ key }) => key[0]);
    expect(kinds).toEqual(['seen', 'seen', 'ua', 'ua', 'ua', 'ua', 'ua', 'ua']);
  });

  test('three times where its outbox is large, and misses nothing of it', async () => {
    const { asked, rows } = await loaded(await tableWith({ messages: 40, outbox: 100 }));
    expect(asked).toEqual([24, 102, 8]);
    expect(rows).toHaveLength(101);
  });
});

test('a timer that is damaged refuses no message: who looks for it meets it', async () => {
  const table = await tableWith({ messages: 3 });
  const key = encodeKey(['row', account, ['timer', 1_002, 'ua/2 expiry']]);
  await table.write([{ key, value: Buffer.from('none') }]);
  const { messages, timers } = await loaded(table);
  expect(messages).toHaveLength(3);
  expect(timers).toBeUndefined();
});
