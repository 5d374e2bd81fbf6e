/** Durable rows and contents by account. Part of `ports.ts`. */

import type { Content } from './msrp.js';
import type { AssociationsPort, ProvisioningPort } from './accounts.js';

/** The canonical AoR of a served user without scheme, such as `bob@example.org`. */
export type AccountId = string;

/**
 * Where a row stands inside its account. Rows of one kind sort by what follows the kind:
 * `actor` an actor at rest by its address (`mailbox`, `subscription/3`); `ua` a virtual UA at rest
 * by the serial of its message; `timer` a durable timer by its time (ms), then address and name;
 * `outbox` a durable effect by its number; `seen` the digest of a submission whose message is gone.
 */
export type RowKey =
  | readonly ['actor', string]
  | readonly ['ua', number]
  | readonly ['timer', number, string]
  | readonly ['outbox', number]
  | readonly ['seen', number, string];

export type RowKind = RowKey[0];

export interface Row {
  readonly key: RowKey;
  /** Plain data: what MessagePack can hold. */
  readonly value: unknown;
}

/** What one turn changes. All or nothing. */
export interface Change {
  readonly puts: readonly Row[];
  readonly deletes: readonly RowKey[];
  /** Contents of messages to keep, by serial: octets, or an upload that was finished before. */
  readonly keeps: readonly { readonly serial: number; readonly content: Buffer | UploadId }[];
  /** Serials whose contents go. */
  readonly drops: readonly number[];
  /** The earliest durable timer of the account (ms since the epoch); null: none; absent: as before. */
  readonly wakeAt?: number | null;
}

export type UploadId = string;

export interface Loaded {
  readonly version: number;
  /** The rows of kind `actor` and `outbox`; the others are scanned or got when they are needed. */
  readonly rows: readonly Row[];
  readonly wakeAt: number | null;
  /** The rows of kind `ua` and `seen` of an account so small that they were read with the others. */
  readonly messages?: readonly Row[];
  /** Its rows of kind `timer`, in their order, if these were read with the others too. */
  readonly timers?: readonly Row[];
  /**
   * Of a larger account: the last of its rows of kind `ua` and `seen`, backwards, `seen` first. Where
   * one of kind `ua` is among them, so is every one of kind `seen`.
   */
  readonly latest?: readonly Row[];
}

export type StoreErrorCode =
  | 'STORE_STALE'
  | 'STORE_UNAVAILABLE'
  | 'STORE_UNKNOWN'
  | 'STORE_DAMAGED'
  | 'STORE_LOCKED'
  | 'STORE_NEWER'
  | 'STORE_CLOSED'
  | 'STORE_GONE'
  | 'STORE_CONFLICT'
  | 'STORE_INVALID'
  | 'STORE_KEY';

/**
 * Durable rows and contents by account. Errors are `StoreError`s with a code: `STORE_STALE`
 * another owner has written; `STORE_UNAVAILABLE` nothing was written; `STORE_UNKNOWN` it may have
 * been; `STORE_DAMAGED` a row fails its checksum; `STORE_LOCKED` another process holds it;
 * `STORE_NEWER` a later version of the software wrote it; `STORE_CLOSED` it was closed;
 * `STORE_GONE` the content or upload is no longer there; `STORE_CONFLICT` an account or identity
 * is there already, or not there, against what was asked; `STORE_INVALID` the caller broke the
 * contract: a key, number or value that cannot be stored, an upload that was not finished;
 * `STORE_KEY` the key that a sealed record needs is not there.
 */
export interface StorePort {
  /**
   * Everything returned is durable. `whole`: it pays for the caller to have an account with fewer rows
   * than so many as a whole; absent: what mostly pays.
   */
  load(account: AccountId, whole?: number): Promise<Loaded>;
  /** Rows of one kind in key order. Two calls may see different moments. */
  scan(account: AccountId, range: ScanRange): Promise<Row[]>;
  /** The values at these keys, undefined where there is no row. */
  get(account: AccountId, keys: readonly RowKey[]): Promise<readonly unknown[]>;
  /** Resolves with the new version once durable. */
  commit(account: AccountId, version: number, change: Change): Promise<number>;
  /** The account is passivated here: nothing is kept in memory for it. */
  release(account: AccountId): void;
  content(account: AccountId, serial: number): Promise<Content | undefined>;
  upload(account: AccountId): Promise<Upload>;
  /** Accounts whose `wakeAt` is not after `now`, earliest first. */
  due(now: number, limit: number): Promise<AccountId[]>;
  /** The earliest `wakeAt` of any account, or undefined. */
  nextDue(): Promise<number | undefined>;
  /**
   * False: the disk is behind with what was written before, and more would have to wait. Work that
   * nobody waits for goes slowly then. Absent: never so.
   */
  isCalm?(): boolean;
  /** Takes `count` numbers out of a named counter for good; returns the first. Durable. */
  reserve(counter: string, count: number): Promise<number>;
  /** Drops uploads begun before `before` (ms) that no commit kept; returns how many. */
  sweep(before: number): Promise<number>;
  /** Accounts that have rows, in the order of their octets, behind `after`. */
  accounts(range: AccountRange): Promise<readonly AccountId[]>;
  /** A directory of accounts that is kept beside them; absent: the store has none. */
  readonly provisioning?: ProvisioningPort;
  /** Identities that were learnt; absent: they do not outlive the process. */
  readonly associations?: AssociationsPort;
  close(): Promise<void>;
}

export interface AccountRange {
  readonly after?: AccountId;
  readonly limit: number;
}

export interface ScanRange {
  readonly kind: RowKind;
  /** Leave out everything up to this serial, time or number. */
  readonly after?: number;
  /** Leave out everything behind this serial, time or number. */
  readonly upTo?: number;
  readonly limit: number;
  /** Descending order. */
  readonly reverse?: boolean;
}

/** A content that is written piece by piece and stays invisible until a commit keeps it. */
export interface Upload {
  readonly id: UploadId;
  /**
   * `bytes` may be used for something else as soon as it has returned. A promise asks the writer to
   * wait; what goes wrong without one is heard at the next call.
   */
  write(offset: number, bytes: Buffer): void | Promise<void>;
  /** Durable when resolved. */
  finish(total: number): Promise<void>;
  abort(): Promise<void>;
}
