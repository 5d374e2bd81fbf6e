/** The store of a simulation, judged by the invariants of the explorer, account by account. */

import type { Row, RowKind, StorePort } from '../ports.js';
import { firstState, defaultBounds } from './bounded-account.js';
import type { AccountState } from './bounded-account.js';
import { messagesOf } from './account-view.js';
import { invariants } from './invariants.js';
import { nameOf, type Breach } from './scene.js';

const limit = 10_000;

/** The first thing that is wrong; `named`: references in the document, when nothing is under way. */
export async function judgeStore(
  store: StorePort,
  named: ReadonlySet<string> | undefined,
): Promise<Breach | undefined> {
  const stored = new Set<string>();
  for (const account of await store.accounts({ limit })) {
    const state = await stateOf(store, account);
    for (const invariant of invariants) {
      if (invariant.name === 'metadata') continue;
      const text = invariant.broken(state);
      if (text !== undefined) return { property: invariant.name, text: `${account}: ${text}` };
    }
    for (const { serial } of messagesOf(state)) stored.add(String(serial));
    const late = named && overdue(state);
    if (late !== undefined) return { property: 'ends', text: `${account}: ${late}` };
  }
  if (named === undefined) return undefined;
  const references = new Set([...named].map((one) => one.replace(/^sip:|@.*$/g, '')));
  const wrong = [...stored, ...references].find((one) => !(stored.has(one) && references.has(one)));
  if (wrong === undefined) return undefined;
  return { property: 'metadata', text: `${wrong} is in the store or in the document alone` };
}

/** What should have happened while all was well. */
function overdue({ store }: AccountState): string | undefined {
  for (const { key } of store.rows.values())
    if (key[0] === 'outbox') return 'an effect is not done';
  return undefined;
}

/** The ids of all messages in the store, as their senders have written them. */
export async function storedMessages(store: StorePort): Promise<Set<string>> {
  const ids = new Set<string>();
  for (const account of await store.accounts({ limit })) {
    for (const { serial } of messagesOf(await stateOf(store, account))) {
      const content = await store.content(account, serial);
      if (!content) continue;
      const octets = await content.read(0, content.size);
      const id = /<<(\w+)>>/.exec(octets.toString('latin1'))?.[1];
      if (id !== undefined) ids.add(id);
    }
  }
  return ids;
}

async function stateOf(store: StorePort, account: string): Promise<AccountState> {
  const rows = new Map<string, Row>();
  const contents = new Set<number>();
  const { rows: loaded } = await store.load(account);
  const kinds: readonly RowKind[] = ['ua', 'timer'];
  const scanned = await Promise.all(kinds.map((kind) => store.scan(account, { kind, limit })));
  for (const row of [loaded, ...scanned].flat()) {
    rows.set(nameOf(row.key), row);
    if (row.key[0] === 'ua' && (await store.content(account, row.key[1]))) contents.add(row.key[1]);
  }
  return { ...firstState(defaultBounds), store: { rows, contents }, memory: undefined };
}
