/** SIP over UDP and TCP at the transaction-user boundary. */

import type { SipPort } from '../../ports.js';
import type { SipAddress, SipEndpointOptions } from './options.js';

/** A running or startable SIP node. */
export interface SipEndpoint extends SipPort {
  /** The open listeners, in the order of the options; empty before `start`. */
  readonly addresses: readonly SipAddress[];
  /** Everything counted since the beginning and the sizes of the tables, by name. */
  counters(): Record<string, number>;
}

/** Makes an endpoint; nothing is opened before `start`. */
export function createSipEndpoint(options: SipEndpointOptions): SipEndpoint {
  throw new Error(`${options.listeners.length} listeners`);
}
