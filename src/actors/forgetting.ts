/** What the store remembers of the deleted messages of an account, taken away page by page. */

import type { AccountId, StorePort } from '../ports.js';
import { ChangeBuilder } from './change.js';

export interface Forgetting {
  /** Resolves when what was committed is durable. */
  drained(): Promise<void>;
  commit(change: ChangeBuilder): void;
  /** The account has left memory: somebody else goes on. */
  isDropped(): boolean;
}

const page = 256;

/** Resolves when no digest is left, or when the account has left memory. */
export async function forgetDigests(
  store: Pick<StorePort, 'scan'>,
  account: AccountId,
  { drained, commit, isDropped }: Forgetting,
): Promise<void> {
  for (;;) {
    await drained();
    if (isDropped()) return;
    const rows = await store.scan(account, { kind: 'seen', limit: page });
    if (isDropped() || rows.length === 0) return;
    const change = new ChangeBuilder();
    for (const { key } of rows) change.remove(key);
    commit(change);
  }
}
