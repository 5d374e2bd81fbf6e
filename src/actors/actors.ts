/** The actors of one node as whoever joins them to transports sees them. */

import type { AccountId, MsrpHandler, OperatorPort, SipHandler } from '../ports.js';
import type { PolicyRule } from './policy-rules.js';

/** What subscribers are told when they are to subscribe again (EVT-04). */
export interface Withdrawal {
  readonly reason: 'deactivated' | 'probation';
  /** Seconds, for `probation`. */
  readonly retryAfter: number;
}

/** Whoever starts the ports gives them these handlers; `start` before, `stop` after them. */
export interface Actors {
  /**
   * Resolves when numbers for messages are reserved and due timers are watched. `open` is called in
   * between and starts the ports: what is due at once finds them ready to send.
   */
  start(open?: () => Promise<void>): Promise<void>;
  /** Takes no further input and waits at most `graceMs` for what was taken to be committed. */
  stop(graceMs: number): Promise<void>;
  readonly sipHandler: SipHandler;
  readonly msrpHandler: MsrpHandler;
  /** For HTTP faces, and for embedders. */
  readonly accounts: OperatorPort;
  /** Requests that begin something get 503; what has begun goes on, deliveries included (U25). */
  drain(draining: boolean): void;
  isDraining(): boolean;
  /** Rules of operator policy, in place of those before. */
  setPolicy(rules: readonly PolicyRule[]): void;
  /**
   * Puts the metadata of an account in the external XDMS anew (D-83). Resolves when that is
   * durable, with false when it cannot be taken now or there is no external XDMS.
   */
  rebuildMetadata(account: AccountId): Promise<boolean>;
  /** Ends the subscriptions of the accounts in memory; resolves when that is durable (EVT-04). */
  withdraw(withdrawal: Withdrawal): Promise<void>;
  /** Plain counters by name, for metrics. */
  counters(): Readonly<Record<string, number>>;
}
