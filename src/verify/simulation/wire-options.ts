/** What a simulation down to the octets is asked for, and what it counts. */

import type { StorePort } from '../../ports.js';
import type { DiskFigures } from './disk.js';
import type { Traffic } from './network.js';
import { networkFaults } from './weather.js';

/** What may go wrong, each on its own. */
export const wireFaultKinds = [
  ...networkFaults,
  'refusal',
  'slow-peer',
  'client-crash',
  'crash',
  'disk-full',
  'disk-sync',
  'slow-disk',
  'torn-write',
  'clock-jump',
] as const;
export type WireFaultKind = (typeof wireFaultKinds)[number];

export interface WireOptions {
  readonly seed: number;
  readonly hours: number;
  readonly users: number;
  /** All of them unless told otherwise. */
  readonly faults?: readonly WireFaultKind[];
  /** Stands between the server and its store; a test plants defects here. */
  readonly wrap?: (store: StorePort) => StorePort;
  readonly onHour?: (hour: number, figures: WireFigures) => void;
}

export interface WireFigures {
  /** Turns of accounts. */
  inputs: number;
  messages: number;
  large: number;
  acknowledged: number;
  /** Messages that came to their users, however often. */
  delivered: number;
  /** Of those, what its user had got before; each is counted once more below, by its cause. */
  repeated: number;
  /** A retrieval gives out what is stored, also what was retrieved before and kept. */
  retrievedAgain: number;
  /** Its client had refused it, died, or was cut off before it had said that the user has it. */
  pushedUnconfirmed: number;
  /** The client had said so, and the server has never heard of it. */
  pushedUnheard: number;
  /** The server has heard of it, and its disk did not take that in. */
  pushedUnwritten: number;
  retrievals: number;
  /** Of those delivered, what came as a file. */
  spooled: number;
  /** Questions to the XDMS. */
  xcap: number;
  reports: number;
  registrations: number;
  waiting: number;
  crashes: number;
  clientCrashes: number;
  partitions: number;
  clockJumps: number;
  /** Of all kinds. */
  faults: number;
}

export interface WireResult {
  readonly figures: WireFigures;
  readonly traffic: Readonly<Traffic>;
  readonly disk: Readonly<DiskFigures>;
  /** Of everything that was on the wire. */
  readonly digest: string;
  readonly failure:
    { readonly property: string; readonly text: string; readonly hour: number } | undefined;
  readonly seconds: number;
}
