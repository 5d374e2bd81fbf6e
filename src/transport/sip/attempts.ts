/** The ways a request can take to its next hop, best first (RFC 3261 18.1.1, RFC 3263 4). */

import type { Network } from './network.js';
import type { SipTransport } from './options.js';
import type { Target } from './resolve.js';

/** One way: a transport and an address. */
export interface Attempt {
  readonly transport: SipTransport;
  readonly address: string;
  readonly port: number;
  /** Number of the target it leads to. */
  readonly target: number;
}

/**
 * A request too large for a datagram goes by TCP, and by UDP after all where TCP is refused
 * (18.1.1). A target without a transport is reached by UDP when there is a socket for it.
 */
export function attemptsTo(
  targets: readonly Target[],
  isLarge: boolean,
  network: Network,
): Attempt[] {
  const attempts: Attempt[] = [];
  for (const [target, { address, port, transport = 'udp' }] of targets.entries()) {
    const byDatagram = transport === 'udp' && network.reaches('udp', address);
    if (!byDatagram || isLarge) {
      const stream = transport === 'udp' ? 'tcp' : transport;
      attempts.push({ transport: stream, address, port, target });
    }
    if (byDatagram) attempts.push({ transport: 'udp', address, port, target });
  }
  return attempts;
}
