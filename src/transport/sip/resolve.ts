/** The next hop of a request as addresses to try (RFC 3263). */

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { NextHop } from './next-hop.js';
import type { SipTransport } from './options.js';

export type { NextHop } from './next-hop.js';

/** One address to try. A transport that is absent is chosen by the size of the request. */
export interface Target {
  readonly address: string;
  readonly port: number;
  readonly transport?: SipTransport;
}

/** Returns the targets best first, as a value when nothing has to be asked. Empty: none. */
export type Resolve = (hop: NextHop) => readonly Target[] | Promise<readonly Target[]>;

const targetsMax = 8;

/** Numeric addresses as they are, names by their A and AAAA records in the order of the system. */
export const resolveAddress: Resolve = (hop) => {
  if (isIP(hop.host) !== 0) return [targetOf(hop, hop.host)];
  return lookup(hop.host, { all: true, verbatim: true }).then(
    (records) => records.slice(0, targetsMax).map(({ address }) => targetOf(hop, address)),
    // A name that cannot be resolved is a next hop without addresses: the request fails for it.
    () => [],
  );
};

/** An address of the hop by the transport and port that its URI names or implies. */
export function targetOf(hop: NextHop, address: string): Target {
  const transport = hop.transport ?? (hop.secure ? 'tls' : undefined);
  const port = hop.port ?? defaultPort(transport);
  return transport ? { address, port, transport } : { address, port };
}

/** RFC 3261 19.1.2, RFC 7118 5.3. */
export function defaultPort(transport: SipTransport | undefined): number {
  if (transport === 'tls') return 5061;
  if (transport === 'ws') return 80;
  return transport === 'wss' ? 443 : 5060;
}
