/** The contract of StorePort, for any test runner: what every store has to do. */

import type { StorePort } from '../ports.js';
import { contentCases } from './store-contract-contents.js';
import { provisioningCases } from './store-contract-provisioning.js';
import { rowCases } from './store-contract-rows.js';
import { wakeCases } from './store-contract-wakes.js';

export interface StoreHarness {
  readonly store: StorePort;
  /** Lets the process of the store end without a farewell and opens it anew. */
  reopen(): Promise<StorePort>;
  /** Ends everything and removes what is stored. */
  dispose(): Promise<void>;
}

export interface StoreContractCase {
  readonly name: string;
  run(make: () => Promise<StoreHarness>): Promise<void>;
}

/** Every case makes a store of its own and asserts with `node:assert`. */
export const storeContract: readonly StoreContractCase[] = [
  ...rowCases,
  ...wakeCases,
  ...contentCases,
  ...provisioningCases,
].map(({ name, check }) => ({
  name,
  async run(make) {
    const harness = await make();
    try {
      await check(harness);
    } finally {
      await harness.dispose();
    }
  },
}));
