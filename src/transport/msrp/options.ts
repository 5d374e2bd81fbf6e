/** The settings of an MSRP endpoint, with their defaults and bounds. */

import type { Clock, Log, MsrpPort, Owner, Random, SocketsPort, Trace } from '../../ports.js';
import type { MsrpLink } from './link.js';

/** Bounds of tables, queues and waits. Each has a default in {@link msrpLimits}. */
export interface MsrpLimits {
  /** Sessions reserved at once; `reserve` throws `MSRP_SESSIONS_FULL` beyond. */
  readonly sessions: number;
  /** TCP connections at once, accepted and opened. */
  readonly connections: number;
  /** Accepted connections of one address. */
  readonly connectionsPerPeer: number;
  /** How long a passive session, or an accepted connection, waits for the first good request. */
  readonly bindWaitMs: number;
  /** How long opening a connection may take. */
  readonly connectMs: number;
  /** MSRP-22: how long a SEND waits for its response, and a full socket for its peer. */
  readonly responseMs: number;
  /** How long a connection without a session is kept for the next one. */
  readonly idleMs: number;
  /** A peer in the middle of a request has to send `progressBytes` in this time. */
  readonly partialMs: number;
  readonly progressBytes: number;
  /** Octets of responses and reports waiting for a peer that does not read. */
  readonly outboundBytes: number;
  /** Octets of one incoming message; more is answered 413. */
  readonly messageBytes: number;
  /** Unfinished incoming messages of one session. */
  readonly incomingMessages: number;
  /** Separate pieces an unfinished incoming message may be in. */
  readonly fragments: number;
  /** Messages being completed by their sink on one connection; reading stops beyond. */
  readonly completions: number;
  /** Messages queued for sending in one session; more end with 408 at once. */
  readonly outgoingMessages: number;
  /** Octets and fields of the head of a request or response. */
  readonly headBytes: number;
  readonly headers: number;
  /** Octets of one WebSocket message, which is whole in memory. */
  readonly webSocketBytes: number;
}

export const msrpLimits: MsrpLimits = {
  sessions: 50_000,
  connections: 10_000,
  connectionsPerPeer: 1_000,
  bindWaitMs: 30_000,
  connectMs: 10_000,
  responseMs: 30_000,
  idleMs: 1_000,
  partialMs: 30_000,
  progressBytes: 1_024,
  outboundBytes: 4_194_304,
  messageBytes: 104_857_600,
  incomingMessages: 64,
  fragments: 256,
  completions: 256,
  outgoingMessages: 10_000,
  headBytes: 16_384,
  headers: 64,
  webSocketBytes: 262_144,
};

/** PEM. */
export interface MsrpCertificate {
  /** The certificate, then those between it and the authority. */
  readonly certificate: string | Buffer;
  readonly key: string | Buffer;
}

export interface MsrpTlsOptions extends MsrpCertificate {
  /** Port of the TLS listener; 0 draws one. */
  readonly port: number;
  /** Port in our `msrps` URIs; the port listened on when absent. */
  readonly advertisedPort?: number;
  /** PEM of the authorities that peers are judged by; those of the platform when absent. */
  readonly authorities?: readonly (string | Buffer)[];
  /**
   * Mutual TLS: peers that connect are asked for a certificate, which has to be there (`require`)
   * and to fit: the fingerprint of the session when there is one, else an authority.
   */
  readonly clientCertificate?: 'request' | 'require';
  /** Whether a session is `msrps` when `reserve` is not told. */
  readonly preferred?: boolean;
}

export interface MsrpWebSocketOptions {
  readonly port: number;
  readonly advertisedPort?: number;
  /** Without TLS, for a proxy before it that ends TLS: RFC 7977 knows no other case. */
  readonly terminated?: boolean;
}

export interface MsrpRelayOptions {
  /** MSRP URI of the relay, such as `msrps://relay.example.org:2855;tcp`. */
  readonly uri: string;
  readonly username: string;
  readonly password: string;
  /** Whether a challenge with MD5 is answered; RFC 4976 knows nothing else. */
  readonly md5?: boolean;
  /** Seconds asked for; the relay decides when absent. */
  readonly expires?: number;
}

export interface MsrpEndpointOptions {
  /** Address to listen on. */
  readonly host: string;
  /** Port to listen on; 0 draws one. */
  readonly port: number;
  /** Host in our MSRP URIs; `host` when absent. */
  readonly advertisedHost?: string;
  /** Port in our MSRP URIs; the port listened on when absent. */
  readonly advertisedPort?: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly trace?: Trace;
  /** By default those of Node; TLS and WebSocket always have theirs. */
  readonly sockets?: SocketsPort;
  readonly limits?: Partial<MsrpLimits>;
  /**
   * Octets of all connections together that wait for peers to take them, contents aside; 256 MiB
   * when absent. Beyond, the connection that has moved nothing for longest is closed.
   */
  readonly heldOctets?: number;
  /** Octets of a chunk before it may be interrupted (MSRP-06): at least 2048. */
  readonly chunkSize?: number;
  /** Octets after which a chunk ends although nobody waits; 128 KiB when absent. */
  readonly chunkMax?: number;
  /**
   * Unanswered octets of one session in flight; 512 KiB when absent. A peer has to take them
   * within `responseMs`, so a larger window asks for a faster link.
   */
  readonly windowBytes?: number;
  /** `msrps`, on a port of its own. Without it nothing secure is opened or accepted. */
  readonly tls?: MsrpTlsOptions;
  /** MSRP over WebSocket (RFC 7977), passive side. */
  readonly webSocket?: MsrpWebSocketOptions;
  /** A relay (RFC 4976) that all sessions go through. */
  readonly relay?: MsrpRelayOptions;
  /** Another process has the listeners; connections are opened from here all the same. */
  readonly link?: MsrpLink;
}

export interface MsrpEndpoint extends MsrpPort {
  /** Where it listens; only after `start`. */
  readonly address: MsrpAddress;
  /** Of the TLS listener; undefined without one. */
  readonly secureAddress: MsrpAddress | undefined;
  /** Of the WebSocket listener; undefined without one. */
  readonly webSocketAddress: MsrpAddress | undefined;
  path(owner: Owner): Promise<readonly string[]>;
  /** Takes another certificate for connections from here on. Throws, and keeps the old one. */
  reloadCertificate(certificate: MsrpCertificate): void;
}

export interface MsrpAddress {
  readonly address: string;
  readonly port: number;
}

/** A failure of the endpoint itself, such as a full table. `code` is stable. */
export class MsrpError extends Error {
  readonly code: string;

  constructor(code: string, hint: string) {
    super(`${code}: ${hint}`);
    this.name = 'MsrpError';
    this.code = code;
  }
}
