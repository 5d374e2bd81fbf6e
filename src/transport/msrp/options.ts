/** The settings of an MSRP endpoint, with their defaults and bounds. */

import type { Clock, Log, MsrpPort, Random, Trace } from '../../ports.js';

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
};

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
  readonly limits?: Partial<MsrpLimits>;
  /** Octets of a chunk before it may be interrupted (MSRP-06): at least 2048. */
  readonly chunkSize?: number;
  /** Octets after which a chunk ends although nobody waits; 128 KiB when absent. */
  readonly chunkMax?: number;
  /**
   * Unanswered octets of one session in flight; 512 KiB when absent. A peer has to take them
   * within `responseMs`, so a larger window asks for a faster link.
   */
  readonly windowBytes?: number;
}

export interface MsrpEndpoint extends MsrpPort {
  /** Where it listens; only after `start`. */
  readonly address: { readonly address: string; readonly port: number };
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
