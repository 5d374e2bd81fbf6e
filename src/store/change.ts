/** What one commit writes, as operations on the table. */

import type { AccountId, Change, RowKey, UploadId } from '../ports.js';
import type { AccountKey } from './encryption/account-keys.js';
import { addContent, decodeLarge, largeRows } from './contents.js';
import { encodeKey } from './keys.js';
import { condemn } from './reclaimer.js';
import { encodeOctets, encodeRow } from './rows.js';
import type { Operation, Table } from './table.js';
import type { Uploads } from './uploads.js';

export interface ChangeContext {
  readonly table: Table;
  readonly uploads: Uploads;
  readonly drawUpload: () => number;
  /** Numbers of chunks that commits on their way keep, by account and serial. */
  readonly largeOnTheirWay: Map<string, number>;
}

export interface ChangeRows {
  readonly operations: readonly Operation[];
  /** Chunks wait for their removal. */
  readonly condemned: boolean;
  /** To be told when the commit is written or has failed. */
  readonly kept: { settled(): void } | undefined;
}

/** The account before the change. */
export interface Changing {
  readonly wakeAt: number | null;
  /** Absent: the store does not seal. */
  readonly key: AccountKey | undefined;
}

/** All shards are owned by the one process that holds the store, so they share one index. */
export const wakeShard = 0;

const nothing = Buffer.alloc(0);

export function changeRows(
  account: AccountId,
  change: Change,
  before: Changing,
  context: ChangeContext,
): ChangeRows {
  const operations: Operation[] = [];
  const dataKey = before.key?.dataKey;
  let kept: KeptUploads | undefined;
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
      if (typeof content === 'string') {
        kept ??= new KeptUploads(context);
        for (const row of kept.rows(account, serial, content)) operations.push(row);
      } else addContent(operations, account, serial, content, context.drawUpload, dataKey);
    }
    wake(account, change, before, operations);
    if (before.key?.unwritten && operations.length > 0) operations.push(before.key.unwritten);
  } catch (error) {
    kept?.settled();
    throw error;
  }
  return { operations, condemned, kept };
}

/** Uploads that a commit on its way makes contents of. */
class KeptUploads {
  readonly #context: ChangeContext;
  readonly #numbers: number[] = [];
  readonly #names: string[] = [];

  constructor(context: ChangeContext) {
    this.#context = context;
  }

  rows(account: AccountId, serial: number, upload: UploadId): Operation[] {
    const { uploads, largeOnTheirWay } = this.#context;
    const { large, operation } = uploads.keep(account, upload);
    this.#numbers.push(large.number);
    const name = nameOf(account, serial);
    largeOnTheirWay.set(name, large.number);
    this.#names.push(name);
    return [operation, ...largeRows(account, serial, large)];
  }

  settled(): void {
    const { uploads, largeOnTheirWay } = this.#context;
    for (const number of this.#numbers) uploads.kept(number);
    for (const name of this.#names) largeOnTheirWay.delete(name);
  }
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
  before: Changing,
  operations: Operation[],
): void {
  if (wakeAt === undefined || wakeAt === before.wakeAt) return;
  const key = encodeKey(['wakeAt', account]);
  if (before.wakeAt !== null) {
    const former = encodeKey(['wake', wakeShard, before.wakeAt, account]);
    operations.push({ key: former, value: undefined });
  }
  if (wakeAt === null) {
    operations.push({ key, value: undefined });
    return;
  }
  const index = encodeKey(['wake', wakeShard, wakeAt, account]);
  operations.push({ key, value: encodeRow(key, wakeAt) });
  operations.push({ key: index, value: encodeOctets(index, nothing) });
}
