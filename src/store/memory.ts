/** The store in memory: the semantics of the store on disk, and hooks for tests. */

import type { Clock, Log, StoreErrorCode, StorePort } from '../ports.js';
import { AccountStore, storeLimits } from './account-store.js';
import { MemoryTable } from './memory-table.js';
import type { AccountStoreLimits } from './account-store.js';
import { takeBlocks } from './number-blocks.js';
import { StoreError } from './store-error.js';

export interface MemoryStoreOptions {
  readonly clock?: Pick<Clock, 'now'>;
  readonly log?: Log;
  readonly limits?: Partial<AccountStoreLimits>;
}

export interface MemoryStore extends StorePort {
  /** Holds writes back, as a slow disk does, until `release` is called. */
  hold(): {
    /** Commits and reservations that wait. */
    readonly waiting: () => number;
    readonly release: () => void;
  };
  /**
   * The next commit rejects with `code`. With `STORE_UNKNOWN` all commits of its batch do, and
   * `written` (default false) says whether they took effect; with any other code nothing happens.
   */
  failNext(code: StoreErrorCode, written?: boolean): void;
  /**
   * The process dies: what is not durable is lost, every pending call rejects with `STORE_CLOSED`.
   * Returns the store as the next process finds it.
   */
  crash(): MemoryStore;
}

const silent: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export function createMemoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  return storeOn(new MemoryTable(), options);
}

function storeOn(table: MemoryTable, options: MemoryStoreOptions): MemoryStore {
  const { blocks, operations } = takeBlocks(table);
  table.apply(operations);
  const store = new AccountStore({
    table,
    log: options.log ?? silent,
    clock: options.clock ?? Date,
    limits: { ...storeLimits, ...options.limits },
    defer: queueMicrotask,
    blocks,
  });
  let failure: StoreErrorCode | undefined;
  return {
    load: (account, whole) => store.load(account, whole),
    scan: (account, range) => store.scan(account, range),
    get: (account, keys) => store.get(account, keys),
    commit: (account, version, change) => {
      if (failure === undefined) return store.commit(account, version, change);
      const code = failure;
      failure = undefined;
      // As with any failure, the account has to be loaded again.
      store.release(account);
      return Promise.reject(new StoreError(code, 'told to fail'));
    },
    release: (account) => store.release(account),
    content: (account, serial) => store.content(account, serial),
    upload: (account) => store.upload(account),
    due: (now, limit) => store.due(now, limit),
    nextDue: () => store.nextDue(),
    reserve: (counter, count) => store.reserve(counter, count),
    sweep: (before) => store.sweep(before),
    accounts: (range) => store.accounts(range),
    provisioning: store.provisioning,
    associations: store.associations,
    close: () => store.close(),
    hold: () => {
      const release = table.hold();
      return { waiting: () => store.counts.pendingCommits, release };
    },
    failNext: (code, written = false) => {
      if (code === 'STORE_UNKNOWN') table.failNext(written);
      else failure = code;
    },
    crash: () => {
      store.kill();
      return storeOn(table.crash(), options);
    },
  };
}
