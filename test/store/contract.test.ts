/** Both stores against the published contract. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, test } from 'vitest';

import { openLevelStore } from '../../src/store/level.js';
import { createMemoryStore } from '../../src/store/memory.js';
import type { StoreHarness } from '../../src/testing/store-contract.js';
import { storeContract } from '../../src/testing/store-contract.js';
import { silent } from './silent.js';

async function levelHarness(): Promise<StoreHarness> {
  const directory = await mkdtemp(join(tmpdir(), 'poste-restante-store-'));
  const open = () => openLevelStore({ directory, durability: 'fsync', log: silent });
  let store = await open();
  return {
    store,
    // One process cannot let go of its directory without closing; dying is tested with a child.
    async reopen() {
      await store.close();
      store = await open();
      return store;
    },
    async dispose() {
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
}

function memoryHarness(): Promise<StoreHarness> {
  let store = createMemoryStore();
  return Promise.resolve({
    store,
    reopen: () => {
      store = store.crash();
      return Promise.resolve(store);
    },
    dispose: () => store.close(),
  });
}

describe.each([
  ['level', levelHarness],
  ['memory', memoryHarness],
] as const)('%s', (_name, make) => {
  test.each(storeContract)('$name', ({ run }) => run(make));
});
