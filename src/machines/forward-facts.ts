/** Facts of requests that are passed on to a user who is available (D-12). */

import type { TargetFacts } from './facts.js';

/** How a request may be passed on to a user who is available. */
export interface ForwardFacts {
  /** Max-Forwards as it came, 70 when absent. */
  readonly hops: number;
  /** Where the route of the request leads behind us: the S-CSCF that has sent it here. */
  readonly through?: TargetFacts;
  /** Digest of the offer of an INVITE. */
  readonly offer?: string;
}

/** What a message that was passed on in vain brings along when it is to be stored. */
export interface DeferredFacts {
  /** When it came, ms since the epoch. */
  readonly receivedAt: number;
  /** Of the forward that still waits for a late answer. */
  readonly forward?: number;
}

/** Requests for users who are available (D-12). */
export interface ForwardLimits {
  /** What is passed on instead of being stored at once. */
  readonly mode: 'off' | 'messages' | 'all';
  /** Whom it goes to: one client after the other, or all at the same time (U10). */
  readonly devices: 'one' | 'all';
  /** Requests of one account that are passed on at a time; further ones are stored at once. */
  readonly count: number;
  /** ms until a message is stored although the user may still answer. */
  readonly waitMs: number;
  /** INVITEs of one account that are passed on, and their sessions, at a time. */
  readonly bridges: number;
  /** ms that clients may ring. */
  readonly ringMs: number;
  /** ms that a session may last. */
  readonly sessionMs: number;
}
