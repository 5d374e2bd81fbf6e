/** The contract of StorePort, for any test runner: what every store has to do. */

import type { StorePort } from '../ports.js';

export interface StoreHarness {
  readonly store: StorePort;
  /** Lets the process of the store die without a farewell and opens it anew. */
  reopen(): Promise<StorePort>;
  /** Ends everything and removes what is stored. */
  dispose(): Promise<void>;
}

export interface StoreContractCase {
  readonly name: string;
  run(make: () => Promise<StoreHarness>): Promise<void>;
}
export declare const storeContract: readonly StoreContractCase[];
