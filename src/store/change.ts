/** What one commit writes, as operations on the table. */

import type { AccountId, Change, RowKey } from '../ports.js';
import type { AccountKey } from './encryption/account-keys.js';
import { contentRows, decodeLarge, largeRows } from './contents.js';
import { encodeKey } from './keys.js';
import { condemn } from './reclaimer.js';
import { encodeOctets, encodeRow } from './rows.js';
import type { Operation, Table } from './table.js';
import type { Uploads } from './uploads.js';

export interface ChangeContext {
  readonly table: Table;
  readonly uploads: Uploads;
  /** As it is before this change. */
  readonly wakeAt: number | null;
  readonly drawUpload: () => number;
  /** Absent: the store does not seal. */
  readonly key: AccountKey | undefined;
  /** Numbers of chunks that commits on their way keep, by account and serial. */
  readonly largeOnTheirWay: Map<string, number>;
}

export interface ChangeRows {
  readonly operations: readonly Operation[];
  /** Chunks wait for their removal. */
  readonly condemned: boolean;
  /** Call when the commit is written or has failed. */
  readonly settled: () => void;
}

/** All shards are owned by the one process that holds the store, so they share one index. */
export const wakeShard = 0;

const nothing = Buffer.alloc(0);

export function changeRows(account: AccountId, change: Change, context: ChangeContext): ChangeRows {
  const operations: Operation[] = [];
  const kept: number[] = [];
  const names: string[] = [];
  const settled = (): void => {
    for (const number of kept) context.uploads.kept(number);
    for (const name of names) context.largeOnTheirWay.delete(name);
  };
  const dataKey = context.key?.dataKey;
  let condemned = false;
  try {
    for (const key of change.deletes) {
      operations.push({ key: encodeKey(['row', account, key]), value: undefined });
    }
    for (const { key: rowKey, value } of change.puts) {
      const key = encodeKey(['row', account, rowKey]);
      operations.push({ key, value: encodeRow(key, value, isMark(rowKey) ? undefined : dataKey) });
    }
    for (const serial of change.drops) {
      condemned = drop(account, serial, context, operations) || condemned;
    }
    for (const { serial, content } of change.keeps) {
      if (typeof content !== 'string') {
        const draw = (): number => context.drawUpload();
        for (const row of contentRows(account, serial, content, draw, dataKey)) {
          operations.push(row);
        }
        continue;
      }
      const { large, operation } = context.uploads.keep(account, content);
      kept.push(large.number);
      const name = nameOf(account, serial);
      context.largeOnTheirWay.set(name, large.number);
      names.push(name);
      operations.push(operation, ...largeRows(account, serial, large));
    }
    wake(account, change, context, operations);
    if (context.key?.unwritten && operations.length > 0) operations.push(context.key.unwritten);
  } catch (error) {
    settled();
    throw error;
  }
  return { operations, condemned, settled };
}

/** Its key says everything: there is nothing to seal. */
function isMark([kind]: RowKey): boolean {
  return kind === 'timer' || kind === 'seen';
}

function nameOf(account: AccountId, serial: number): string {
  return `${serial} ${account}`;
}

/** Returns whether there are chunks to be removed. */
function drop(
  account: AccountId,
  serial: number,
  context: ChangeContext,
  operations: Operation[],
): boolean {
  operations.push({ key: encodeKey(['content', account, serial]), value: undefined });
  const key = encodeKey(['large', account, serial]);
  let number = context.largeOnTheirWay.get(nameOf(account, serial));
  if (number === undefined) {
    const record = context.table.get(key);
    if (record === undefined) return false;
    number = decodeLarge(key, record).number;
  }
  operations.push({ key, value: undefined }, condemn(number));
  return true;
}

function wake(
  account: AccountId,
  { wakeAt }: Change,
  context: ChangeContext,
  operations: Operation[],
): void {
  if (wakeAt === undefined || wakeAt === context.wakeAt) return;
  const key = encodeKey(['wakeAt', account]);
  if (context.wakeAt !== null) {
    const before = encodeKey(['wake', wakeShard, context.wakeAt, account]);
    operations.push({ key: before, value: undefined });
  }
  if (wakeAt === null) {
    operations.push({ key, value: undefined });
    return;
  }
  const index = encodeKey(['wake', wakeShard, wakeAt, account]);
  operations.push({ key, value: encodeRow(key, wakeAt) });
  operations.push({ key: index, value: encodeOctets(index, nothing) });
}
