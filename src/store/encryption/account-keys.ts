/** The data keys of accounts: made, unwrapped, kept while they are needed, and erased. */

import { randomBytes } from 'node:crypto';
import type { AccountId, KeyProvider } from '../../ports.js';
import { sizeOf } from '../commit-queue.js';
import type { CommitQueue } from '../commit-queue.js';
import { accountRows, encodeKey } from '../keys.js';
import { decodeRow, encodeRow } from '../rows.js';
import { StoreError } from '../store-error.js';
import type { Operation, Table } from '../table.js';
import { DataKey, dataKeyBytes } from './data-key.js';

export interface AccountKeysParts {
  readonly table: Table;
  readonly queue: CommitQueue;
  readonly provider: KeyProvider;
}

/** The key of an account, for as long as somebody may write with it. */
export interface AccountKey {
  readonly dataKey: DataKey;
  /** Part of every commit until one of them is durable; then `written` is called. */
  readonly unwritten: Operation | undefined;
  written(): void;
}

interface Entry extends AccountKey {
  unwritten: Operation | undefined;
  isLoaded: boolean;
  uploads: number;
}

/** Who writes: whoever has loaded the account, or one of its uploads. */
export type KeyHolder = 'load' | 'upload';

/** Keys in memory that nobody holds: reading faces ask for the same ones again. */
const idleMax = 10_000;

export class AccountKeys {
  readonly #parts: AccountKeysParts;
  readonly #entries = new Map<AccountId, Entry>();
  /** Answers on their way, so that one account never has two keys. */
  readonly #opening = new Map<AccountId, Promise<Entry | undefined>>();
  readonly #idle = new Set<AccountId>();
  readonly #erasing = new Map<AccountId, Promise<void>>();

  constructor(parts: AccountKeysParts) {
    this.#parts = parts;
  }

  /** For writing, until `release`; the load of an account holds its key once, however often asked. */
  async hold(account: AccountId, holder: KeyHolder): Promise<AccountKey> {
    for (;;) {
      await this.#erasing.get(account);
      const entry = (await this.#open(account)) ?? (await this.#create(account));
      // It was erased, or forgotten, while this waited.
      if (this.#entries.get(account) !== entry) continue;
      if (holder === 'load') entry.isLoaded = true;
      else entry.uploads++;
      this.#idle.delete(account);
      return entry;
    }
  }

  release(account: AccountId, holder: KeyHolder): void {
    const entry = this.#entries.get(account);
    if (!entry) return;
    if (holder === 'load') entry.isLoaded = false;
    else entry.uploads--;
    if (!isHeld(entry)) this.#rest(account);
  }

  #rest(account: AccountId): void {
    this.#idle.add(account);
    if (this.#idle.size <= idleMax) return;
    const [oldest] = this.#idle;
    this.#idle.delete(oldest!);
    this.#entries.delete(oldest!);
  }

  /** For reading; undefined: nothing of the account was ever sealed. */
  async of(account: AccountId): Promise<DataKey | undefined> {
    return (await this.#open(account))?.dataKey;
  }

  /**
   * Removes the key of an account that has no row and is held by nobody: what is left of its
   * records in older files, and in copies without the key, is read by nobody any more.
   */
  async erase(account: AccountId): Promise<void> {
    if (this.#erasing.has(account) || isHeld(this.#entries.get(account))) return;
    const erased = this.#erase(account).finally(() => this.#erasing.delete(account));
    this.#erasing.set(account, erased);
    await erased;
  }

  async #erase(account: AccountId): Promise<void> {
    const { table, queue } = this.#parts;
    const [row] = await table.keys({ ...accountRows(account), limit: 1 });
    if (row !== undefined || isHeld(this.#entries.get(account))) return;
    this.#entries.delete(account);
    this.#idle.delete(account);
    const operations = [{ key: encodeKey(['dataKey', account]), value: undefined }];
    const bytes = sizeOf(operations);
    queue.admit(bytes);
    await queue.write(operations, bytes);
  }

  /** Undefined: the account has none yet. */
  #open(account: AccountId): Promise<Entry | undefined> {
    const entry = this.#entries.get(account);
    if (entry) return Promise.resolve(entry);
    let opening = this.#opening.get(account);
    if (!opening) {
      opening = this.#unwrap(account).finally(() => this.#opening.delete(account));
      this.#opening.set(account, opening);
    }
    return opening;
  }

  async #unwrap(account: AccountId): Promise<Entry | undefined> {
    const key = encodeKey(['dataKey', account]);
    const record = this.#parts.table.get(key);
    if (record === undefined) return undefined;
    const { name, wrapped } = decodeWrapped(key, record);
    const dataKey = await unwrapped(this.#parts.provider, name, wrapped);
    // Wrapped anew by the key of today, so that the one of yesterday can go (`store rekey`).
    const isCurrent = name === this.#parts.provider.current;
    const row = isCurrent ? undefined : await this.#row(account, dataKey);
    return this.#keep(account, dataKey, row);
  }

  async #create(account: AccountId): Promise<Entry> {
    const dataKey = randomBytes(dataKeyBytes);
    const row = await this.#row(account, dataKey);
    // Somebody else was faster: one account has one key.
    return this.#entries.get(account) ?? this.#keep(account, dataKey, row);
  }

  #keep(account: AccountId, dataKey: Buffer, row: Operation | undefined): Entry {
    const entry: Entry = {
      dataKey: new DataKey(dataKey),
      unwritten: row,
      written: () => {
        entry.unwritten = undefined;
      },
      isLoaded: false,
      uploads: 0,
    };
    this.#entries.set(account, entry);
    this.#rest(account);
    return entry;
  }

  async #row(account: AccountId, dataKey: Buffer): Promise<Operation> {
    return wrappedRow(this.#parts.provider, encodeKey(['dataKey', account]), dataKey);
  }
}

function isHeld(entry: Entry | undefined): boolean {
  return entry !== undefined && (entry.isLoaded || entry.uploads > 0);
}

/** The row of a data key, wrapped by the current key. Rejects with STORE_UNAVAILABLE. */
export async function wrappedRow(
  provider: KeyProvider,
  key: Buffer,
  dataKey: Buffer,
): Promise<Operation> {
  try {
    const wrapped = await provider.wrap(dataKey);
    return { key, value: encodeRow(key, [provider.current, wrapped]) };
  } catch (error) {
    throw new StoreError('STORE_UNAVAILABLE', 'a data key cannot be wrapped', error);
  }
}

export function decodeWrapped(
  key: Buffer,
  record: Buffer,
): { readonly name: string; readonly wrapped: Buffer } {
  const value = decodeRow(key, record);
  if (Array.isArray(value)) {
    const [name, wrapped] = value as unknown[];
    if (typeof name === 'string' && Buffer.isBuffer(wrapped)) return { name, wrapped };
  }
  throw new StoreError('STORE_DAMAGED', 'a data key is not as it was wrapped');
}

/** Rejects with STORE_KEY without the wrapping key, with STORE_UNAVAILABLE when nobody answers. */
export async function unwrapped(
  provider: KeyProvider,
  name: string,
  wrapped: Buffer,
): Promise<Buffer> {
  let dataKey: Buffer | undefined;
  try {
    dataKey = await provider.unwrap(name, wrapped);
  } catch (error) {
    throw new StoreError('STORE_UNAVAILABLE', `"${name}" does not unwrap a data key`, error);
  }
  if (!dataKey) throw new StoreError('STORE_KEY', `there is no key "${name}"`);
  return dataKey;
}
