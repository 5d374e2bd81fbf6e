/** Facts of requests that are passed on to a user who is available (D-12). */

import type { TargetFacts } from './facts.js';

/** How a request may be passed on to a user who is available. */
export interface ForwardFacts {
  /** Max-Forwards as it came, 70 when absent. */
  readonly hops: number;
  /** Where the route of the request leads behind us: the S-CSCF that has sent it here. */
  readonly through?: TargetFacts;
}

/** What a message that was passed on in vain brings along when it is to be stored. */
export interface DeferredFacts {
  /** When it came, ms since the epoch. */
  readonly receivedAt: number;
  /** Of the forward that still waits for a late answer. */
  readonly forward?: number;
}
