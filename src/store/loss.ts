/** What is written down when a store was opened with less in it than was durable. */

import { counterRow, readCounter } from './counters.js';
import { counterRange, decodeKey, encodeKey } from './keys.js';
import type { Operation, Table } from './table.js';

/** Counts lost octets, so that `verify` finds them until `repair` has been told. */
export const lossCounter = '\0lost';
/** Further than any block that could have been taken since a counter was last written. */
const leap = 2 ** 33;

/** Numbers that the lost writes may have taken are not given out again. */
export async function lossRows(
  table: Pick<Table, 'get' | 'range'>,
  octets: number,
): Promise<Operation[]> {
  const key = encodeKey(['counter', lossCounter]);
  const operations: Operation[] = [];
  const counters = await table.range({ ...counterRange(), limit: 1_000 });
  for (const { key: counter } of counters) {
    if (counter.equals(key)) continue;
    operations.push(counterRow(counter, readCounter(table, counter) + leap));
  }
  operations.push(counterRow(key, readCounter(table, key) + octets));
  return operations;
}

/** Whether this is the record of a loss. */
export function isLoss(key: Buffer): boolean {
  const decoded = decodeKey(key);
  return decoded[0] === 'counter' && decoded[1] === lossCounter;
}
