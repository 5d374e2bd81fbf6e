/** What an XCAP server is told when it is made. */

import type { Clock, HttpAuthentication, Log, Trace } from '../../ports.js';
import type { XcapUsage } from './usage.js';

export interface XcapTls {
  /** PEM: the certificate with its chain, and its key. */
  readonly certificate: Buffer;
  readonly key: Buffer;
}

export interface XcapServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Path of the XCAP root, such as `/xcap`. */
  readonly root: string;
  readonly tls?: XcapTls;
  /** Those that are served beside `xcap-caps`. */
  readonly usages: readonly XcapUsage[];
  /** Absent: only trusted proxies say who somebody is. */
  readonly authentication?: HttpAuthentication;
  /** Aggregation proxies whose asserted identities count, as CIDR blocks. */
  readonly trustedProxies: readonly string[];
  /** The value of Server. */
  readonly product: string;
  readonly log: Log;
  /** Sees what comes and goes, without bodies. */
  readonly trace?: { readonly trace: Trace; readonly clock: Clock };
  readonly limits?: Partial<XcapLimits>;
}

export interface XcapLimits {
  readonly connections: number;
  readonly connectionsPerPeer: number;
  /** Octets of a body. */
  readonly bodyOctets: number;
  /** Octets of the header section. */
  readonly headerOctets: number;
  /** ms for a whole request to arrive. */
  readonly requestMs: number;
  /** ms after which a connection on which nothing moves is closed. */
  readonly idleMs: number;
  /** Requests of one address, or of one user behind a proxy, within `rateMs`. */
  readonly rate: number;
  readonly rateMs: number;
  /** Addresses and users whose requests are counted. */
  readonly rateKeys: number;
}

export const defaultXcapLimits: XcapLimits = {
  connections: 1_000,
  connectionsPerPeer: 100,
  bodyOctets: 65_536,
  headerOctets: 16_384,
  requestMs: 30_000,
  idleMs: 60_000,
  rate: 600,
  rateMs: 60_000,
  rateKeys: 10_000,
};
