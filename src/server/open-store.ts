/** The store of a server, on the disk that its settings name. */

import { storeCode } from '../actors/store-code.js';
import type { Settings } from '../config.js';
import type { Clock, KeyProvider, Log } from '../ports.js';
import { openLevelStore } from '../store/level.js';
import type { LevelStore } from '../store/level.js';
import { fileKeysOf } from './file-keys.js';

interface OpenStoreParts {
  readonly log: Log;
  readonly clock: Clock;
}

/** Nobody else has this store: what an earlier process left unfinished stays so, and goes. */
export async function openStore(
  { store, bounds }: Settings,
  { log, clock }: OpenStoreParts,
  keys?: KeyProvider,
): Promise<LevelStore> {
  const limits = { accounts: bounds.accounts * 2 };
  const { directory, durability } = store;
  const provider = keys ?? fileKeysOf(store);
  const sealed = provider && { keys: provider };
  const opened = await openLevelStore({ directory, durability, log, clock, limits, ...sealed });
  // In the background: whoever begins meanwhile is spared.
  opened.sweep(clock.now()).then(
    (swept) => swept > 0 && log.info({ swept }, 'unfinished uploads removed'),
    (error: unknown) => {
      const code = storeCode(error) ?? String(error);
      // A store that closes meanwhile is no news; the next start finds them again.
      if (code !== 'STORE_CLOSED') log.warn({ code }, 'unfinished uploads not removed');
    },
  );
  return opened;
}
