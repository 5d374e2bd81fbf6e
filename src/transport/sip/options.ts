/** What a SIP endpoint is given: listeners, bounds, timers and its ports to the world. */

import type { Clock, Log, Random, Trace } from '../../ports.js';
import { resolveAddress, type Resolve } from './resolve.js';

export type SipTransport = 'udp' | 'tcp';

/** A socket to open. Port 0 takes a free one. */
export interface SipListener {
  readonly transport: SipTransport;
  /** Numeric address or name to bind. */
  readonly host: string;
  readonly port: number;
}

/** A socket that is open. */
export type SipAddress = Readonly<{ transport: SipTransport; address: string; port: number }>;

/** RFC 3261 17, table 4, in milliseconds. */
export interface SipTimers {
  readonly t1: number;
  readonly t2: number;
  readonly t4: number;
}

export const sipTimers: SipTimers = { t1: 500, t2: 4_000, t4: 5_000 };

/** Every bound of the endpoint. What is beyond a bound is refused, never queued. */
export interface SipEndpointLimits {
  /** Server transactions kept, finished ones that absorb retransmissions included. */
  readonly serverTransactions: number;
  readonly clientTransactions: number;
  /** INVITE dialogs, those not yet confirmed included. */
  readonly dialogs: number;
  /** Early dialogs and 2xx responses of one forked INVITE that are taken notice of. */
  readonly forks: number;
  /** An INVITE without a final response ends after this time (RFC 3261 16.6, Timer C). */
  readonly inviteMs: number;
  readonly connections: number;
  /** Accepted TCP connections from one address. */
  readonly connectionsPerPeer: number;
  /** A TCP connection without traffic is closed after this time. */
  readonly idleMs: number;
  /** A message that has begun on a stream must be complete within this time. */
  readonly partialMs: number;
  readonly connectMs: number;
  /** Octets of start line and header fields. */
  readonly headerBytes: number;
  readonly headerFields: number;
  readonly bodyBytes: number;
  /** Octets that wait for a slow TCP peer before its connection is dropped. */
  readonly pendingBytes: number;
  /** A request above this size leaves by TCP (RFC 3261 18.1.1). */
  readonly datagramBytes: number;
}

export const sipEndpointLimits: SipEndpointLimits = {
  serverTransactions: 500_000,
  clientTransactions: 100_000,
  dialogs: 100_000,
  forks: 16,
  inviteMs: 180_000,
  connections: 10_000,
  connectionsPerPeer: 1_000,
  idleMs: 600_000,
  partialMs: 30_000,
  connectMs: 10_000,
  headerBytes: 65_536,
  headerFields: 1_000,
  bodyBytes: 1_048_576,
  pendingBytes: 4_194_304,
  datagramBytes: 1_300,
};

export interface SipEndpointOptions {
  readonly listeners: readonly SipListener[];
  /** Host for Via and Contact; by default the address of the listener. */
  readonly advertised?: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly trace?: Trace;
  readonly timers?: Partial<SipTimers>;
  readonly limits?: Partial<SipEndpointLimits>;
  /** Next hop to addresses; by default numeric addresses and the A/AAAA records of names. */
  readonly resolve?: Resolve;
}

/** The options with every default filled in. */
export interface SipSettings extends Omit<SipEndpointOptions, 'trace'> {
  readonly trace: Trace | undefined;
  readonly timers: SipTimers;
  readonly limits: SipEndpointLimits;
  readonly resolve: Resolve;
}

/** Fills in the defaults. */
export function settingsOf(options: SipEndpointOptions): SipSettings {
  return {
    ...options,
    trace: options.trace,
    timers: { ...sipTimers, ...options.timers },
    limits: { ...sipEndpointLimits, ...options.limits },
    resolve: options.resolve ?? resolveAddress,
  };
}
