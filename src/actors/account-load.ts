/** An account as the store has it: its actors at rest, its outbox, its recent submissions. */

import type { Address } from '../machines/events.js';
import { definitionOf } from '../machines/index.js';
import type { AtRest } from '../machines/index.js';
import type { AccountId, Row, StorePort } from '../ports.js';
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

/** Rows read at once, the latest first: mostly few have come of late, so that more come later. */
const firstPage = 8;
const pageMax = 256;

export async function loadAccount(
  store: StorePort,
  account: AccountId,
  digests: Digests,
  window: { readonly now: number; readonly keepMs: number; readonly bound: number },
): Promise<LoadedAccount> {
  const { version, wakeAt, rows, messages } = await store.load(account);
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
  // Whoever never had a mailbox has neither messages nor digests of deleted ones.
  if (!actors.has('mailbox')) return { version, wakeAt, actors, outbox, digests, seen: [] };
  const seen =
    messages?.filter(({ key }) => key[0] === 'seen') ??
    (await store.scan(account, { kind: 'seen', limit: window.bound }));
  const keys = seen.map(({ key }) => key as SeenKey);
  const recent = keys
    .filter(([, time]) => time + window.keepMs > window.now)
    .map(([, time, digest]): [string, number] => [digest, time]);
  recent.push(
    ...(messages ? recentOf(messages, window) : await recentMessages(store, account, window)),
  );
  recent.sort((one, other) => one[1] - other[1]);
  for (const [digest, receivedAt] of recent) digests.add(digest, receivedAt, window.now);
  return { version, wakeAt, actors, outbox, digests, seen: keys };
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

function recentOf(
  messages: readonly Row[],
  window: { readonly now: number; readonly keepMs: number },
): [string, number][] {
  return messages
    .filter(({ key }) => key[0] === 'ua')
    .map(submissionOf)
    .filter(({ receivedAt }) => receivedAt + window.keepMs > window.now)
    .map(({ digest, receivedAt }) => [digest, receivedAt]);
}

/** Messages stored of late, by the digest of their submission; the latest have the highest serials. */
async function recentMessages(
  store: StorePort,
  account: AccountId,
  window: { readonly now: number; readonly keepMs: number; readonly bound: number },
): Promise<[string, number][]> {
  const found: [string, number][] = [];
  let upTo: number | undefined;
  for (let page = firstPage; found.length < window.bound; page = Math.min(pageMax, page * 4)) {
    const range = { kind: 'ua', limit: page, reverse: true } as const;
    const rows = await store.scan(account, upTo === undefined ? range : { ...range, upTo });
    for (const row of rows) {
      const { digest, receivedAt } = submissionOf(row);
      if (receivedAt + window.keepMs <= window.now) return found;
      found.push([digest, receivedAt]);
    }
    const last = rows.at(-1);
    if (rows.length < page || last?.key[0] !== 'ua') return found;
    upTo = last.key[1] - 1;
  }
  return found;
}

function submissionOf(row: Row): { digest: string; receivedAt: number } {
  const { context } = row.value as AtRest;
  const { digest } = context['message'] as { readonly digest: string };
  return { digest, receivedAt: context['receivedAt'] as number };
}
