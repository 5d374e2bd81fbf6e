/** The embedded directory of accounts: two small tables of the store, and a bounded cache. */

import type { AccountId, AccountRange, ProvisionedAccount, ProvisioningPort } from '../ports.js';
import type { CommitQueue } from './commit-queue.js';
import { sizeOf } from './commit-queue.js';
import { counterRow, readCounter } from './counters.js';
import { encodeKey, provisionedRange } from './keys.js';
import { decodeRow, encodeRow } from './rows.js';
import { StoreError } from './store-error.js';
import type { Operation, Table } from './table.js';

/** A row as it will be when the writes under way are done; undefined: it goes. */
interface Pending {
  readonly value: unknown;
  readonly writer: object;
}

type DirectoryKey = readonly ['provisioned', AccountId] | readonly ['identity', string];

export interface ProvisioningParts {
  readonly table: Table;
  readonly queue: CommitQueue;
  /** Identities kept in memory, those of nobody included. */
  readonly cached: number;
  /** Throws when the store is closed. */
  assertOpen(): void;
  /** Resolves when the table can be read; rejects when it cannot. */
  ready(): Promise<void>;
}

/** Raised with the first account: a store without any looks nobody up. */
const usedKey = encodeKey(['counter', '\0provisioned']);

/** Further identities of one account. */
const identitiesMax = 1_000;

/** Characters of an identity. */
const nameMax = 1_024;

export class Provisioning implements ProvisioningPort {
  readonly #parts: ProvisioningParts;
  /** Least recently used first. */
  readonly #cache = new Map<string, ProvisionedAccount | undefined>();
  readonly #pending = new Map<string, Pending>();
  #used: boolean | undefined;

  constructor(parts: ProvisioningParts) {
    this.#parts = parts;
  }

  find(identity: string): ProvisionedAccount | undefined {
    const cache = this.#cache;
    const known = cache.get(identity);
    if (known !== undefined || cache.has(identity)) {
      cache.delete(identity);
      cache.set(identity, known);
      return known;
    }
    if (!isName(identity)) return undefined;
    this.#parts.assertOpen();
    this.#used ??= readCounter(this.#parts.table, usedKey) > 1;
    if (!this.#used) return undefined;
    const account = this.#read(['identity', identity]) as string | undefined;
    const found = this.#read(['provisioned', account ?? identity]) as
      ProvisionedAccount | undefined;
    cache.set(identity, found);
    if (cache.size > this.#parts.cached) {
      const [oldest] = cache.keys();
      cache.delete(oldest!);
    }
    return found;
  }

  async list({ after, limit }: AccountRange): Promise<readonly ProvisionedAccount[]> {
    this.#parts.assertOpen();
    await this.#parts.ready();
    const rows = await this.#parts.table.range({ ...provisionedRange(after), limit });
    return rows.map(({ key, value }) => decodeRow(key, value) as ProvisionedAccount);
  }

  async put(record: ProvisionedAccount, when?: 'absent' | 'present'): Promise<void> {
    const { account } = record;
    await this.#begin();
    const former = this.#expected(['provisioned', account]) as ProvisionedAccount | undefined;
    if (when === 'absent' && former) throw conflict(`${account} is there already`);
    if (when === 'present' && !former) throw conflict(`${account} is not there`);
    const identities = this.#own(record);
    const rows: [DirectoryKey, unknown][] = [
      [['provisioned', account], { ...record, identities }],
      ...identities.map((one): [DirectoryKey, unknown] => [['identity', one], account]),
    ];
    const kept = new Set(identities);
    for (const one of former?.identities ?? []) {
      if (!kept.has(one)) rows.push([['identity', one], undefined]);
    }
    await this.#write(rows);
  }

  async remove(account: AccountId): Promise<boolean> {
    await this.#begin();
    const former = this.#expected(['provisioned', account]) as ProvisionedAccount | undefined;
    if (!former) return false;
    await this.#write([
      [['provisioned', account], undefined],
      ...former.identities.map((one): [DirectoryKey, unknown] => [['identity', one], undefined]),
    ]);
    return true;
  }

  /** The identities without repetition; throws when one is somebody else's. */
  #own({ account, identities }: ProvisionedAccount): readonly string[] {
    const other = this.#expected(['identity', account]);
    if (other !== undefined) throw conflict(`${account} is an identity of another account`);
    const own = new Set(identities);
    own.delete(account);
    if (own.size > identitiesMax) {
      throw new StoreError('STORE_INVALID', `more than ${identitiesMax} identities`);
    }
    if (![account, ...own].every(isName)) {
      throw new StoreError('STORE_INVALID', 'an identity is too long or not Unicode');
    }
    for (const identity of own) {
      const holder = this.#expected(['identity', identity]);
      const taken = holder !== undefined && holder !== account;
      if (taken || this.#expected(['provisioned', identity]) !== undefined) {
        throw conflict(`${identity} belongs to another account`);
      }
    }
    return [...own];
  }

  async #begin(): Promise<void> {
    this.#parts.assertOpen();
    await this.#parts.ready();
  }

  #read(key: DirectoryKey): unknown {
    const encoded = encodeKey(key);
    const record = this.#parts.table.get(encoded);
    return record === undefined ? undefined : decodeRow(encoded, record);
  }

  /** What stands there when the writes under way are done: two writers never both win. */
  #expected(key: DirectoryKey): unknown {
    const pending = this.#pending.get(nameOf(key));
    return pending ? pending.value : this.#read(key);
  }

  /** What is asked meanwhile is answered as before; nobody is served by what is not durable. */
  async #write(rows: readonly (readonly [DirectoryKey, unknown])[]): Promise<void> {
    const { queue } = this.#parts;
    const operations = rows.map(([key, value]): Operation => {
      const encoded = encodeKey(key);
      return { key: encoded, value: value === undefined ? undefined : encodeRow(encoded, value) };
    });
    if (this.#used !== true) operations.push(counterRow(usedKey, 2));
    const bytes = sizeOf(operations);
    queue.admit(bytes);
    const writer = {};
    for (const [key, value] of rows) this.#pending.set(nameOf(key), { value, writer });
    try {
      await queue.write(operations, bytes);
    } finally {
      // Also when nobody knows whether it was written.
      if (this.#used !== true) this.#used = undefined;
      for (const [key] of rows) {
        const name = nameOf(key);
        if (this.#pending.get(name)?.writer === writer) this.#pending.delete(name);
      }
      this.#forget(rows);
    }
  }

  /** Every identity of an account has the same record in the cache. */
  #forget(rows: readonly (readonly [DirectoryKey, unknown])[]): void {
    for (const [[, name]] of rows) this.#cache.delete(name);
  }
}

/** What a peer writes may be longer than anything that is kept. */
function isName(identity: string): boolean {
  return identity.length <= nameMax && !/\p{Surrogate}/u.test(identity);
}

function nameOf(key: DirectoryKey): string {
  return `${key[0]} ${key[1]}`;
}

function conflict(message: string): StoreError {
  return new StoreError('STORE_CONFLICT', message);
}
