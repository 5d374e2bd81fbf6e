/** The stores of a data directory: one, or those of its front and its shards. */

import { basename } from 'node:path';
import { layoutOf, storeDirectories } from '../cluster/layout.js';
import { openMaintenance } from '../store/maintenance.js';
import type { StoreMaintenance } from '../store/maintenance.js';

/** Says which of several it is; nothing where there is one. */
export type StoreName = { readonly store?: string };

export interface StoreAt {
  readonly directory: string;
  readonly name: StoreName;
}

/** The front first. */
export async function storesOf(directory: string): Promise<readonly StoreAt[]> {
  const shards = (await layoutOf(directory)) ?? 1;
  if (shards === 1) return [{ directory, name: {} }];
  return storeDirectories(directory, shards).map((one) => ({
    directory: one,
    name: { store: basename(one) },
  }));
}

/** One after the other. */
export async function withStores<Result>(
  directory: string,
  work: (store: StoreMaintenance, name: StoreName) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const { directory: one, name } of await storesOf(directory)) {
    const store = await openMaintenance(one);
    try {
      results.push(await work(store, name));
    } finally {
      await store.close();
    }
  }
  return results;
}
