/**
 * Keys of the store, as octets that sort like the tuples they stand for.
 *
 *     0x01                                               schema of the store
 *     0x02 | name                                        counter
 *     0x03 | shard u16 | time u64 | account              accounts to wake
 *     0x04 | begun u64 | number u64                      uploads; begun 0: chunks to be reclaimed
 *     0x05 | number u64 | index u32                      chunks of uploads and large contents
 *     0x06 | account                                     provisioned accounts
 *     0x07 | identity                                    further identities of these
 *     0x08 | account                                     identities that S-CSCFs have told
 *     0x09 | account                                     data keys of accounts, wrapped
 *     0x10 | account 0x00 | kind u8 | …                  everything of an account
 *
 * Numbers are big-endian, text is UTF-8. In front of its end mark an account has 0x00 written as
 * 0x01 0x01 and 0x01 as 0x01 0x02, so no account is a prefix of another; 0xFF is never in UTF-8.
 */

import type { AccountId, RowKey, RowKind } from '../ports.js';
import { begin, escapedText, octet, text, u16, u32, u64, written } from './key-octets.js';
import { StoreError } from './store-error.js';

export type StoreKey =
  | readonly ['schema']
  | readonly ['counter', string]
  | readonly ['wake', number, number, AccountId]
  | readonly ['upload', number, number]
  | readonly ['chunk', number, number]
  | readonly ['provisioned', AccountId]
  | readonly ['identity', string]
  | readonly ['association', AccountId]
  | readonly ['dataKey', AccountId]
  | readonly ['wakeAt', AccountId]
  | readonly ['row', AccountId, RowKey]
  | readonly ['content', AccountId, number]
  | readonly ['large', AccountId, number];

/** Keys not below `from` and below `to`. */
export interface KeyRange {
  readonly from: Buffer;
  readonly to: Buffer;
}

const tags = {
  ...{ schema: 1, counter: 2, wake: 3, upload: 4, chunk: 5 },
  ...{ provisioned: 6, identity: 7, association: 8, dataKey: 9, account: 16 },
} as const;

/**
 * `wakeAt`, `actor` and `outbox` are neighbours: one range loads an account. Up to `seen` it is all of
 * a small one but the bodies.
 */
const kinds = {
  wakeAt: 1,
  actor: 2,
  outbox: 3,
  timer: 4,
  ua: 5,
  seen: 6,
  content: 7,
  large: 8,
} as const;

export function encodeKey(key: StoreKey): Buffer {
  begin();
  switch (key[0]) {
    case 'schema':
      octet(tags.schema);
      break;
    case 'counter':
      octet(tags.counter);
      text(key[1]);
      break;
    case 'wake':
      octet(tags.wake);
      u16(key[1]);
      u64(key[2]);
      text(key[3]);
      break;
    case 'upload':
      octet(tags.upload);
      u64(key[1]);
      u64(key[2]);
      break;
    case 'chunk':
      octet(tags.chunk);
      u64(key[1]);
      u32(key[2]);
      break;
    case 'provisioned':
    case 'identity':
    case 'association':
    case 'dataKey':
      octet(tags[key[0]]);
      text(key[1]);
      break;
    case 'row':
      account(key[1], kinds[key[2][0]]);
      row(key[2]);
      break;
    case 'wakeAt':
      account(key[1], kinds.wakeAt);
      break;
    case 'content':
    case 'large':
      account(key[1], kinds[key[0]]);
      u64(key[2]);
      break;
    default:
      key satisfies never;
  }
  return written();
}

function row(key: RowKey): void {
  switch (key[0]) {
    case 'actor':
      text(key[1]);
      break;
    case 'ua':
    case 'outbox':
      u64(key[1]);
      break;
    case 'timer':
    case 'seen':
      u64(key[1]);
      text(key[2]);
      break;
    default:
      key satisfies never;
  }
}

function account(name: AccountId, kind: number): void {
  octet(tags.account);
  escapedText(name);
  octet(0);
  octet(kind);
}

export function decodeKey(key: Buffer): StoreKey {
  switch (key[0]) {
    case tags.schema:
      return exactly(key, 1, ['schema']);
    case tags.counter:
      return ['counter', key.toString('utf8', 1)];
    case tags.wake:
      return ['wake', readU16(key, 1), readU64(key, 3), key.toString('utf8', 11)];
    case tags.upload:
      return exactly(key, 17, ['upload', readU64(key, 1), readU64(key, 9)]);
    case tags.chunk:
      return exactly(key, 13, ['chunk', readU64(key, 1), readU32(key, 9)]);
    case tags.provisioned:
      return ['provisioned', key.toString('utf8', 1)];
    case tags.identity:
      return ['identity', key.toString('utf8', 1)];
    case tags.association:
      return ['association', key.toString('utf8', 1)];
    case tags.dataKey:
      return ['dataKey', key.toString('utf8', 1)];
    case tags.account:
      return decodeAccount(key);
    default:
      throw damagedKey();
  }
}

function decodeAccount(key: Buffer): StoreKey {
  const end = key.indexOf(0, 1);
  if (end < 0) throw damagedKey();
  const name = unescape(key.subarray(1, end));
  const at = end + 2;
  switch (key[end + 1]) {
    case kinds.wakeAt:
      return exactly(key, at, ['wakeAt', name]);
    case kinds.actor:
      return ['row', name, ['actor', key.toString('utf8', at)]];
    case kinds.outbox:
      return exactly(key, at + 8, ['row', name, ['outbox', readU64(key, at)]]);
    case kinds.ua:
      return exactly(key, at + 8, ['row', name, ['ua', readU64(key, at)]]);
    case kinds.timer:
      return ['row', name, ['timer', readU64(key, at), key.toString('utf8', at + 8)]];
    case kinds.seen:
      return ['row', name, ['seen', readU64(key, at), key.toString('utf8', at + 8)]];
    case kinds.content:
      return exactly(key, at + 8, ['content', name, readU64(key, at)]);
    case kinds.large:
      return exactly(key, at + 8, ['large', name, readU64(key, at)]);
    default:
      throw damagedKey();
  }
}

function unescape(octets: Buffer): string {
  if (!octets.includes(1)) return octets.toString('utf8');
  const plain = Buffer.allocUnsafe(octets.length);
  let size = 0;
  for (let at = 0; at < octets.length; at++) {
    if (octets[at] !== 1) plain[size++] = octets[at]!;
    else {
      const mark = octets[++at];
      if (mark !== 1 && mark !== 2) throw damagedKey();
      plain[size++] = mark - 1;
    }
  }
  return plain.toString('utf8', 0, size);
}

function exactly(key: Buffer, size: number, decoded: StoreKey): StoreKey {
  if (key.length !== size) throw damagedKey();
  return decoded;
}

function readU16(key: Buffer, at: number): number {
  if (key.length < at + 2) throw damagedKey();
  return key.readUInt16BE(at);
}

function readU32(key: Buffer, at: number): number {
  if (key.length < at + 4) throw damagedKey();
  return key.readUInt32BE(at);
}

function readU64(key: Buffer, at: number): number {
  const value = readU32(key, at) * 0x100000000 + readU32(key, at + 4);
  if (!Number.isSafeInteger(value)) throw damagedKey();
  return value;
}

function damagedKey(): StoreError {
  return new StoreError('STORE_DAMAGED', 'a key is none of ours');
}

/** What `load` reads: `wakeAt`, then the rows of kind `actor`, then those of kind `outbox`. */
export function loadRange(name: AccountId): KeyRange {
  return { from: bound(name, kinds.wakeAt), to: bound(name, kinds.outbox + 1) };
}

/** What `load` reads, and everything about the messages but their bodies. */
export function wholeRange(name: AccountId): KeyRange {
  return { from: bound(name, kinds.wakeAt), to: bound(name, kinds.seen + 1) };
}

/** Everything about the messages but their bodies: rows of kind `ua`, then those of kind `seen`. */
export function messageRange(name: AccountId): KeyRange {
  return { from: bound(name, kinds.ua), to: bound(name, kinds.seen + 1) };
}

/** Rows of one kind; those with a number behind `after` and up to `upTo` when these are given. */
export function rowRange(
  name: AccountId,
  range: { readonly kind: RowKind; readonly after?: number; readonly upTo?: number },
): KeyRange {
  const kind = kinds[range.kind];
  return {
    from: bound(name, kind, range.after === undefined ? undefined : range.after + 1),
    to:
      range.upTo === undefined
        ? bound(name, kind + 1)
        : behind(name, kind, Math.max(-1, range.upTo)),
  };
}

function behind(name: AccountId, kind: number, upTo: number): Buffer {
  return upTo === Number.MAX_SAFE_INTEGER ? bound(name, kind + 1) : bound(name, kind, upTo + 1);
}

function bound(name: AccountId, kind: number, from?: number): Buffer {
  // Behind the greatest number there is nothing: the range ends where it begins.
  const isBehind = from !== undefined && from > Number.MAX_SAFE_INTEGER;
  begin();
  account(name, isBehind ? kind + 1 : kind);
  if (!isBehind && from !== undefined && from > 0) u64(from);
  return written();
}

/** Everything of one account. */
export function accountRows(name: AccountId): KeyRange {
  return { from: bound(name, 0), to: bound(name, 0xff) };
}

/** The wrapped data keys of all accounts. */
export const dataKeys: KeyRange = {
  from: Buffer.from([tags.dataKey]),
  to: Buffer.from([tags.dataKey + 1]),
};

/** Accounts of a shard to wake from `from` up to `upTo`, both included. */
export function wakeRange(shard: number, from: number, upTo: number): KeyRange {
  const to =
    upTo < Number.MAX_SAFE_INTEGER
      ? encodeKey(['wake', shard, upTo + 1, ''])
      : encodeKey(['wake', shard + 1, 0, '']);
  return { from: encodeKey(['wake', shard, from, '']), to };
}

/** Uploads begun from `from` on and before `before`. */
export function uploadRange(from: number, before: number): KeyRange {
  return { from: encodeKey(['upload', from, 0]), to: encodeKey(['upload', before, 0]) };
}

export function chunkRange(number: number): KeyRange {
  return { from: encodeKey(['chunk', number, 0]), to: encodeKey(['chunk', number + 1, 0]) };
}

/** Provisioned accounts behind `after`. */
export function provisionedRange(after: AccountId | undefined): KeyRange {
  return directoryRange('provisioned', after);
}

/** Identities of accounts behind `after` that S-CSCFs have told. */
export function associationRange(after: AccountId | undefined): KeyRange {
  return directoryRange('association', after);
}

function directoryRange(
  table: 'provisioned' | 'association',
  after: AccountId | undefined,
): KeyRange {
  const from = encodeKey([table, after ?? '']);
  return {
    from: after === undefined ? from : Buffer.concat([from, Buffer.from([0])]),
    to: Buffer.from([tags[table] + 1]),
  };
}

/** Everything of accounts behind `after`. */
export function accountRange(after: AccountId | undefined): KeyRange {
  return {
    from: after === undefined ? Buffer.from([tags.account]) : bound(after, 0xff),
    to: Buffer.from([tags.account + 1]),
  };
}

/** All counters. */
export function counterRange(): KeyRange {
  return { from: Buffer.from([tags.counter]), to: Buffer.from([tags.counter + 1]) };
}

/** Every key there can be. */
export const everything: KeyRange = { from: Buffer.from([0]), to: Buffer.from([0xff]) };
