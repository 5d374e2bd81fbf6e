/**
 * The account of whoever has none. Its mailbox goes through the same checks in the same order and
 * always refuses, so that nobody learns who has an account (D-63); nothing of it is stored.
 */

import type { StorePort } from '../ports.js';

/** No AoR has this form, so nobody is ever served under it. */
export const nobody = 'nobody';

/** Empty, and stays so. */
export function createNobodyStore(): StorePort {
  const absent = (): never => {
    throw new Error('nobody has no contents');
  };
  return {
    load: () => Promise.resolve({ version: 0, rows: [], wakeAt: null }),
    scan: () => Promise.resolve([]),
    get: (_account, keys) => Promise.resolve(keys.map(() => undefined)),
    commit: (_account, version) => Promise.resolve(version + 1),
    release: () => undefined,
    content: () => Promise.resolve(undefined),
    upload: absent,
    due: () => Promise.resolve([]),
    nextDue: () => Promise.resolve(undefined),
    reserve: absent,
    sweep: () => Promise.resolve(0),
    accounts: () => Promise.resolve([]),
    close: () => Promise.resolve(),
  };
}
