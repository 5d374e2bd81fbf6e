/** A shard of a front that was killed, which has not ended yet. */

import type { Clock } from '../ports.js';

/** ms for which the process of an earlier front may still hold the store of its shard. */
const orphanMs = 10_000;
const retryMs = 50;

/**
 * Opens the store of a shard. The front has its own, so whoever holds this one is a shard whose
 * front is gone, and that ends. Rejects with STORE_LOCKED when it does not, and at once with any
 * other error.
 */
export async function afterOrphan<Store>(open: () => Promise<Store>, clock: Clock): Promise<Store> {
  const until = clock.now() + orphanMs;
  for (;;) {
    try {
      return await open();
    } catch (error) {
      const { code } = error as { readonly code?: unknown };
      if (code !== 'STORE_LOCKED' || clock.now() >= until) throw error;
    }
    await new Promise<void>((resume) => clock.after(retryMs, resume));
  }
}
