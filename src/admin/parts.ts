/** What every resource of the administration has at hand. */

import type { AccountId, Clock, Log, OperatorPort, ProvisioningPort } from '../ports.js';

export interface Histogram {
  /** Upper bounds, ascending, and how many were not above each. */
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
  readonly count: number;
}

export interface Intake {
  drain(draining: boolean): void;
  isDraining(): boolean;
}

export type LadderForm = 'text' | 'svg' | 'json';

/** What passed the server, told message by message; undefined: nothing of it is held. */
export interface Ladders {
  message(messageId: string, account: AccountId, form: LadderForm): string | undefined;
  call(callId: string, form: LadderForm): string | undefined;
}

export interface AdminParts {
  readonly accounts: OperatorPort;
  /** Absent: accounts cannot be provisioned here. */
  readonly provisioning: ProvisioningPort | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  /** Everything that is stored, as it is at the moment of the call; absent: not of this store. */
  readonly backup?: (() => AsyncIterable<Buffer>) | undefined;
  /** Whether requests that begin something are taken (U25). */
  readonly intake: Intake;
  /** How long commits have taken, in seconds; absent: the store does not tell. */
  readonly commitLatency?: (() => Histogram | undefined) | undefined;
  /** Absent: no trace is held. */
  readonly ladders?: Ladders | undefined;
  /** Asks for the counters of other processes anew; absent: there are none. */
  readonly refresh?: (() => Promise<void>) | undefined;
  /** Everything counted since the start, by name. */
  counters(): Readonly<Record<string, number>>;
}
