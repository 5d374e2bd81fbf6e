/** The schema of the store: what stands where. */

import { encodeKey, everything } from './keys.js';
import { decodeRow, encodeRow } from './rows.js';
import { StoreError } from './store-error.js';
import type { Table } from './table.js';

/** The schema this version writes. */
export const storeSchema = 2;

/**
 * Brings a table from schema `from` to the next one. It may be cut off anywhere and then runs
 * again, so every step must be safe to do twice.
 */
export interface Migration {
  readonly from: number;
  run(table: Table): Promise<void>;
}

/** In order, without gaps, up to `storeSchema`. */
const migrations: readonly Migration[] = [
  // Contents that are written from here on have files, of which no earlier version knows.
  { from: 1, run: () => Promise.resolve() },
];

/** Writes the schema into an empty table, brings an older one up, refuses a newer one. */
export async function migrate(
  table: Table,
  target = storeSchema,
  steps: readonly Migration[] = migrations,
): Promise<void> {
  let schema = await readSchema(table);
  if (schema === undefined) {
    const [first] = await table.keys({ ...everything, limit: 1 });
    if (first) throw new StoreError('STORE_DAMAGED', 'there are rows, but none with a schema');
    await writeSchema(table, target);
    return;
  }
  if (schema > target) {
    throw new StoreError('STORE_NEWER', `schema ${schema} is above ${target}`);
  }
  while (schema < target) {
    const step = steps.find(({ from }) => from === schema);
    if (!step) throw new StoreError('STORE_DAMAGED', `nothing leads on from schema ${schema}`);
    await step.run(table);
    schema++;
    await writeSchema(table, schema);
  }
}

async function readSchema(table: Table): Promise<number | undefined> {
  const key = encodeKey(['schema']);
  const record = await table.fetch(key);
  if (record === undefined) return undefined;
  const schema = decodeRow(key, record);
  if (typeof schema !== 'number' || !Number.isSafeInteger(schema)) {
    throw new StoreError('STORE_DAMAGED', 'the schema is no number');
  }
  return schema;
}

async function writeSchema(table: Table, schema: number): Promise<void> {
  const key = encodeKey(['schema']);
  await table.write([{ key, value: encodeRow(key, schema) }]);
}
