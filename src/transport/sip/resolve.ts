/** The next hop of a request as addresses to try (RFC 3263). */

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

/** Where a request is to go, as its next-hop URI says. */
export interface NextHop {
  /** Host without brackets. */
  readonly host: string;
  readonly port?: number;
  readonly transport?: 'udp' | 'tcp';
}

/** One address to try. A transport that is absent is chosen by the size of the request. */
export interface Target {
  readonly address: string;
  readonly port: number;
  readonly transport?: 'udp' | 'tcp';
}

/** Returns the targets best first, as a value when nothing has to be asked. Empty: none. */
export type Resolve = (hop: NextHop) => readonly Target[] | Promise<readonly Target[]>;

const defaultPort = 5060;
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

function targetOf(hop: NextHop, address: string): Target {
  const port = hop.port ?? defaultPort;
  return hop.transport ? { address, port, transport: hop.transport } : { address, port };
}
