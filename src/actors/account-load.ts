/** An account as the store has it: its actors at rest, its outbox, its recent submissions. */

import type { Address } from '../machines/events.js';
import { definitionOf } from '../machines/index.js';
import type { AtRest } from '../machines/index.js';
import type { AccountId, Loaded, Row, StorePort } from '../ports.js';
import type { Digests } from './digests.js';
import type { OutboxEntry, OutboxRow } from './outbox.js';
import type { SeenKey } from './seen-rows.js';
import type { Actor } from './turn.js';

export interface LoadedAccount {
  readonly version: number;
  readonly wakeAt: number | null;
  readonly actors: Map<Address, Actor>;
  /** In the order of their numbers. */
  readonly outbox: readonly { readonly number: number; readonly row: OutboxRow }[];
  readonly digests: Digests;
  /** Rows of digests, oldest first. */
  readonly seen: readonly SeenKey[];
}

/** What came with an account besides, for its first turn: its memory does not keep it. */
export interface ReadAlong {
  readonly timers?: readonly Row[] | undefined;
  /** Rows of kind `ua`, and perhaps others. */
  readonly messages?: readonly Row[] | undefined;
}

/** Rows read at once, the latest first, behind the few that came with the account. */
const firstPage = 32;
const pageMax = 256;

export async function loadAccount(
  store: StorePort,
  account: AccountId,
  digests: Digests,
  window: Window,
  whole?: number,
): Promise<{ readonly loaded: LoadedAccount; readonly along: ReadAlong }> {
  const read = await store.load(account, whole);
  const { version, wakeAt, rows, messages, timers, latest } = read;
  const actors = new Map<Address, Actor>();
  const outbox: { number: number; row: OutboxRow }[] = [];
  for (const { key, value } of rows) {
    if (key[0] === 'actor') {
      const address = key[1] as Address;
      const atRest = value as AtRest;
      actors.set(address, { snapshot: definitionOf(address).revive(atRest), atRest });
    } else if (key[0] === 'outbox') {
      outbox.push({ number: key[1], row: value as OutboxRow });
    }
  }
  outbox.sort((one, other) => one.number - other.number);
  const along = { timers, messages };
  // Whoever never had a mailbox has neither messages nor digests of deleted ones.
  if (!actors.has('mailbox')) {
    return { loaded: { version, wakeAt, actors, outbox, digests, seen: [] }, along };
  }
  const seen = await seenKeys(store, account, window, read);
  const recent = seen
    .filter(([, time]) => time + window.keepMs > window.now)
    .map(([, time, digest]): [string, number] => [digest, time]);
  recent.push(
    ...(messages
      ? recentOf(messages, window)
      : await recentMessages(store, account, window, latest ?? [])),
  );
  recent.sort((one, other) => one[1] - other[1]);
  for (const [digest, receivedAt] of recent) digests.add(digest, receivedAt, window.now);
  return { loaded: { version, wakeAt, actors, outbox, digests, seen }, along };
}

interface Window {
  readonly now: number;
  readonly keepMs: number;
  readonly bound: number;
}

/** Oldest first. Of a larger account all have come where one of a message has, or none at all. */
async function seenKeys(
  store: StorePort,
  account: AccountId,
  window: Window,
  { messages, latest }: Loaded,
): Promise<SeenKey[]> {
  const isWhole = latest?.length === 0 || latest?.some(({ key }) => key[0] === 'ua');
  const came = messages ?? (isWhole ? latest : undefined);
  const rows = came ?? (await store.scan(account, { kind: 'seen', limit: window.bound }));
  const keys = rows.flatMap(({ key }) => (key[0] === 'seen' ? [key] : []));
  return keys.sort((one, other) => one[1] - other[1]);
}

/** Rows of the outbox that were not taken into memory. */
export async function outboxBehind(
  store: StorePort,
  account: AccountId,
  after: number,
  limit: number,
): Promise<readonly OutboxEntry[]> {
  const rows = await store.scan(account, { kind: 'outbox', after, limit });
  return rows.map(({ key, value }) => ({ number: key[1] as number, row: value as OutboxRow }));
}

function recentOf(messages: readonly Row[], window: Window): [string, number][] {
  return messages
    .filter(({ key }) => key[0] === 'ua')
    .map(submissionOf)
    .filter(({ receivedAt }) => receivedAt + window.keepMs > window.now)
    .map(({ digest, receivedAt }) => [digest, receivedAt]);
}

/**
 * Messages stored of late, by the digest of their submission; the latest have the highest serials.
 * `came`: those read already, backwards.
 */
async function recentMessages(
  store: StorePort,
  account: AccountId,
  window: Window,
  came: readonly Row[],
): Promise<[string, number][]> {
  const found: [string, number][] = [];
  let rows = came.filter(({ key }) => key[0] === 'ua');
  for (let page = firstPage; ; page = Math.min(pageMax, page * 4)) {
    for (const row of rows) {
      const { digest, receivedAt } = submissionOf(row);
      if (receivedAt + window.keepMs <= window.now || found.length === window.bound) return found;
      found.push([digest, receivedAt]);
    }
    const last = rows.at(-1)?.key;
    const range = { kind: 'ua', limit: page, reverse: true } as const;
    rows = await store.scan(account, last?.[0] === 'ua' ? { ...range, upTo: last[1] - 1 } : range);
    if (rows.length === 0) return found;
  }
}

function submissionOf(row: Row): { digest: string; receivedAt: number } {
  const { context } = row.value as AtRest;
  const { digest } = context['message'] as { readonly digest: string };
  return { digest, receivedAt: context['receivedAt'] as number };
}
