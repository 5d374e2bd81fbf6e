/** What a store of ours can do beyond its port; others have nothing to tell. */

import type { AdminParts } from '../admin/parts.js';
import type { StorePort } from '../ports.js';
import type { LevelStore } from '../store/level.js';

/** Others are copied by their own means. */
export function storeFaces(store: StorePort): Pick<AdminParts, 'backup' | 'commitLatency'> {
  if (!isOurs(store)) return {};
  return { backup: () => store.backup(), commitLatency: () => store.commitLatency() };
}

export function storeCounters(store: StorePort): Record<string, number> {
  if (!isOurs(store)) return {};
  const counts = Object.entries(store.stats());
  return Object.fromEntries(counts.map(([name, one]) => [`store.${name}`, one]));
}

function isOurs(store: StorePort): store is LevelStore {
  return 'stats' in store && 'backup' in store && 'commitLatency' in store;
}
