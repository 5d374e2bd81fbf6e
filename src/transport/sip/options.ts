/** What a SIP endpoint is given: listeners, bounds, timers and its ports to the world. */

import type { Clock, Log, Peer, Random, SocketsPort, Trace } from '../../ports.js';
import type { SipDiverter, SipLink } from './link.js';
import { createLocator } from './locate.js';
import { nodeSockets } from './node-sockets.js';
import { Penalties } from './penalties.js';
import type { Resolve } from './resolve.js';
import type { Authoriser } from './credentials.js';
import { boundedSessionTimer, type SessionTimer } from './session-timer.js';
import type { SipTlsOptions } from './tls.js';

export type SipTransport = Peer['transport'];
/** A transport with connections. */
export type StreamTransport = Exclude<SipTransport, 'udp'>;

/**
 * A socket to open. Port 0 takes a free one; UDP and TCP with port 0 on the same host get the same
 * number. `tls` and `wss` need the certificate of the options.
 */
export interface SipListener {
  readonly transport: SipTransport;
  /** Numeric address or name to bind. */
  readonly host: string;
  readonly port: number;
  /** Host for Via and Contact of this listener, instead of that of the options. */
  readonly advertised?: string;
}

/** A socket that is open. */
export interface SipAddress {
  readonly transport: SipTransport;
  readonly address: string;
  readonly port: number;
  readonly advertised?: string;
}

/** RFC 3261 17, table 4, in milliseconds. */
export interface SipTimers {
  readonly t1: number;
  readonly t2: number;
  readonly t4: number;
}

export const sipTimers: SipTimers = { t1: 500, t2: 4_000, t4: 5_000 };

/** Every bound of the endpoint. What is beyond a bound is refused, never queued. */
export interface SipEndpointLimits {
  /** Server transactions that wait for an answer, and those of INVITE that are answered. */
  readonly serverTransactions: number;
  /**
   * Octets of the answers over UDP that are kept for retransmissions; beyond, the oldest go before
   * their time. At least a MiB.
   */
  readonly answeredBytes: number;
  readonly clientTransactions: number;
  /** Targets that are left alone for their Retry-After, and the longest ms for which they are. */
  readonly penalties: number;
  readonly penaltyMs: number;
  /** INVITE dialogs, those not yet confirmed included. */
  readonly dialogs: number;
  /** Early dialogs and 2xx responses of one forked INVITE that are taken notice of. */
  readonly forks: number;
  /** Contacts of 3xx that are tried for one request (RFC 3261 8.1.3.4). */
  readonly redirects: number;
  /** An INVITE without a final response ends after this time (RFC 3261 16.6, Timer C). */
  readonly inviteMs: number;
  readonly connections: number;
  /** Accepted connections from one address. */
  readonly connectionsPerPeer: number;
  /**
   * Accepted connections that have not brought a message. Beyond, the oldest of them is dropped,
   * so that those who open connections only do not keep others out.
   */
  readonly silentConnections: number;
  /** An accepted connection on which nothing at all comes is closed after this time. */
  readonly silentMs: number;
  /** TLS and WebSocket have to be established within this time. */
  readonly handshakeMs: number;
  /** A connection without traffic is closed after this time. */
  readonly idleMs: number;
  /** What a peer that asks for it is told to keep its flow alive with (RFC 6223). */
  readonly keepAliveMs: number;
  /** The answer to our keep-alive must come within this time (RFC 5626 4.4.1). */
  readonly pongMs: number;
  /** A message that has begun on a stream must be complete within this time. */
  readonly partialMs: number;
  readonly connectMs: number;
  /** Octets of start line and header fields. */
  readonly headerBytes: number;
  readonly headerFields: number;
  readonly bodyBytes: number;
  /** Octets that wait for a slow peer before its connection is dropped. */
  readonly pendingBytes: number;
  /** A request above this size leaves by TCP (RFC 3261 18.1.1). */
  readonly datagramBytes: number;
  /** Addresses that are tried for one request. */
  readonly targets: number;
}

export const sipEndpointLimits: SipEndpointLimits = {
  serverTransactions: 500_000,
  answeredBytes: 268_435_456,
  clientTransactions: 100_000,
  penalties: 10_000,
  penaltyMs: 300_000,
  dialogs: 100_000,
  forks: 16,
  redirects: 4,
  inviteMs: 180_000,
  connections: 10_000,
  connectionsPerPeer: 1_000,
  silentConnections: 5_000,
  silentMs: 60_000,
  handshakeMs: 10_000,
  idleMs: 600_000,
  keepAliveMs: 95_000,
  pongMs: 10_000,
  partialMs: 30_000,
  connectMs: 10_000,
  headerBytes: 65_536,
  headerFields: 1_000,
  bodyBytes: 1_048_576,
  pendingBytes: 4_194_304,
  datagramBytes: 1_300,
  targets: 8,
};

export interface SipEndpointOptions {
  readonly listeners: readonly SipListener[];
  /** Host for Via and Contact; by default the address of the listener. */
  readonly advertised?: string;
  /** Our certificates, and whose are accepted. Without them TLS is for connections we open. */
  readonly tls?: SipTlsOptions;
  /** Offer to keep the flows alive that we open (RFC 6223), as a user agent behind a NAT does. */
  readonly keepAlive?: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly trace?: Trace;
  /** By default those of Node. */
  readonly sockets?: SocketsPort;
  readonly timers?: Partial<SipTimers>;
  readonly sessionTimer?: Partial<SessionTimer>;
  /** Answers 401 and 407 to requests of ours, and judges whoever answers them. */
  readonly authorise?: Authoriser;
  readonly limits?: Partial<SipEndpointLimits>;
  /** Instead of listeners: another process has the sockets. */
  readonly link?: SipLink;
  /** Asked first about everything that comes in. */
  readonly divert?: SipDiverter;
  /** Next hop to addresses; by default NAPTR, SRV and address records of names (RFC 3263). */
  readonly resolve?: Resolve;
}

/** The options with every default filled in. */
export interface SipSettings extends Omit<SipEndpointOptions, 'trace'> {
  readonly trace: Trace | undefined;
  readonly sockets: SocketsPort;
  readonly timers: SipTimers;
  readonly sessionTimer: SessionTimer;
  readonly limits: SipEndpointLimits;
  readonly resolve: Resolve;
  readonly penalties: Penalties;
}

/** Fills in the defaults. */
export function settingsOf(options: SipEndpointOptions): SipSettings {
  const limits = { ...sipEndpointLimits, ...options.limits };
  const { clock, random } = options;
  return {
    ...options,
    trace: options.trace,
    sockets: options.sockets ?? nodeSockets,
    timers: { ...sipTimers, ...options.timers },
    sessionTimer: boundedSessionTimer(options.sessionTimer),
    limits,
    penalties: new Penalties(clock, limits),
    resolve: options.resolve ?? createLocator({ clock, random, targetsMax: limits.targets }),
  };
}
