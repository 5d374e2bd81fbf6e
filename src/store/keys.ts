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

/** `wakeAt`, `actor` and `outbox` are neighbours: one range loads an account. */
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

/** Octets of one text in a key. */
const textMax = 4096;
const scratch = Buffer.allocUnsafe(8 * textMax);
let used = 0;

export function encodeKey(key: StoreKey): Buffer {
  used = 0;
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
      account(key[1], key[2][0]);
      row(key[2]);
      break;
    case 'wakeAt':
      account(key[1], 'wakeAt');
      break;
    case 'content':
    case 'large':
      account(key[1], key[0]);
      u64(key[2]);
      break;
    default:
      key satisfies never;
  }
  return Buffer.from(scratch.subarray(0, used));
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

function account(name: AccountId, kind: keyof typeof kinds): void {
  octet(tags.account);
  const start = used;
  text(name);
  escape(start);
  octet(0);
  octet(kinds[kind]);
}

/** Escapes what stands from `start` on, from its end so that nothing is overwritten. */
function escape(start: number): void {
  let marks = 0;
  for (let at = start; at < used; at++) if (scratch[at]! <= 1) marks++;
  if (marks === 0) return;
  let from = used;
  used += marks;
  let to = used;
  while (from > start) {
    const value = scratch[--from]!;
    if (value <= 1) {
      scratch[--to] = value + 1;
      scratch[--to] = 1;
    } else scratch[--to] = value;
  }
}

function octet(value: number): void {
  scratch[used++] = value;
}

function u16(value: number): void {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff) throw outOfRange(value);
  used = scratch.writeUInt16BE(value, used);
}

function u32(value: number): void {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) throw outOfRange(value);
  used = scratch.writeUInt32BE(value, used);
}

function u64(value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw outOfRange(value);
  used = scratch.writeUInt32BE(Math.floor(value / 0x100000000), used);
  used = scratch.writeUInt32BE(value >>> 0, used);
}

function outOfRange(value: number): StoreError {
  return new StoreError('STORE_INVALID', `${String(value)} is no number for a key`);
}

/** A lone surrogate would be written as U+FFFD, and two texts would share a key. */
const loneSurrogate = /\p{Surrogate}/u;

function text(value: string): void {
  if (value.length > textMax || loneSurrogate.test(value)) throw badText(value);
  const size = scratch.write(value, used, 'utf8');
  if (size > textMax) throw badText(value);
  used += size;
}

function badText(value: string): StoreError {
  return new StoreError(
    'STORE_INVALID',
    `text of ${value.length} characters is too long or not Unicode`,
  );
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
  used = 0;
  account(name, 'wakeAt');
  scratch[used - 1] = kind;
  // Behind the greatest number there is nothing: the range ends where it begins.
  if (from !== undefined && from > Number.MAX_SAFE_INTEGER) scratch[used - 1] = kind + 1;
  else if (from !== undefined && from > 0) u64(from);
  return Buffer.from(scratch.subarray(0, used));
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
