/** The actors of one node, ready to be joined to transports. */

import type { MsrpHandler, SipHandler } from '../ports.js';
import type { ActorsOptions } from './options.js';

/** Whoever starts the ports gives them these handlers; `start` before, `stop` after them. */
export interface Actors {
  /** Resolves when numbers for messages are reserved and due timers are watched. */
  start(): Promise<void>;
  /** Takes no further input and waits at most `graceMs` for what was taken to be committed. */
  stop(graceMs: number): Promise<void>;
  readonly sipHandler: SipHandler;
  readonly msrpHandler: MsrpHandler;
  /** Plain counters by name, for metrics. */
  counters(): Readonly<Record<string, number>>;
}

export function createActors(options: ActorsOptions): Actors {
  throw new Error(`not assembled yet: ${options.hostname}`);
}
