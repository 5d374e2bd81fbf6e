/** MSRP sessions (RFC 4975) as the actors see them. Part of `ports.ts`. */

import type { Owner } from '../ports.js';
import type { CertificateFingerprint } from '../wire/msrp/fingerprint.js';
import type { HeaderField } from '../wire/sip/message.js';

/** Bytes that can be read piece by piece, so that a large body is never whole in memory. */
export interface Content {
  /** Octets. */
  readonly size: number;
  /** Reads at most `length` octets from `offset`; fewer only at the end. */
  read(offset: number, length: number): Buffer | Promise<Buffer>;
}

export interface MsrpOutgoing {
  /** Whose session carries it. */
  readonly session: Owner;
  /** Who hears of the outcome. */
  readonly owner: Owner;
  /** MSRP Message-ID, 4 to 32 characters of its grammar; the same on every redelivery. */
  readonly messageId: string;
  readonly contentType: string;
  /** Further MIME headers, such as Content-Disposition. */
  readonly headers: readonly HeaderField[];
  readonly content: Content;
  readonly successReport: boolean;
}

/** The first chunk of a message that comes in: what is known before its body. */
export interface MsrpIncoming {
  readonly messageId: string;
  readonly contentType: string | undefined;
  readonly headers: readonly HeaderField[];
  /** Total from Byte-Range, undefined while it is `*`. */
  readonly total: number | undefined;
}

/** One SEND of a message that comes in, before its body. */
export interface MsrpChunk {
  readonly transactionId: string;
  /** Every header field in order, paths included. */
  readonly headers: readonly HeaderField[];
}

/** Takes in the body of one message. Offsets start at 0; ranges may repeat or come out of order. */
export interface MsrpSink {
  /** A SEND of the message begins, the first one included. */
  chunk?(chunk: MsrpChunk): void;
  /**
   * A returned promise holds back the connection until it settles. A number ends the message with
   * that status: it is aborted.
   */
  // eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- most sinks say nothing
  write(offset: number, bytes: Buffer): void | number | Promise<void | number>;
  /** Every octet of `total` is there. The status answers the last chunk and goes into the REPORT. */
  complete(total: number): number | Promise<number>;
  /** The message will never be complete: `#`, loss of the connection, or an overrun. */
  abort(cause: 'aborted' | 'lost' | 'overrun'): void;
}

export interface MsrpHandler {
  /** Bound: as active endpoint the binding SEND was answered 200, as passive one it arrived. */
  connected(owner: Owner): void;
  /** The connection failed or was closed; every unfinished message of the session is undelivered. */
  lost(owner: Owner, cause: 'refused' | 'closed' | 'timeout' | 'protocol'): void;
  /** All octets were sent and answered: 200, or the status that ended it (408 is the timeout). */
  sent(owner: Owner, messageId: string, status: number): void;
  /** REPORTs cover the whole message with `status`, or one REPORT tells of a failure. */
  reported(owner: Owner, messageId: string, status: number): void;
  /** A message begins to come in. A number refuses it with that MSRP status. */
  receive(owner: Owner, incoming: MsrpIncoming): MsrpSink | number;
}

/** How a session is carried. */
export interface MsrpCarriage {
  /** `msrps` over TLS, or `msrp`; the adapter's default when absent. */
  readonly secure?: boolean;
  /** Over a WebSocket that the peer opens (RFC 7977). */
  readonly webSocket?: boolean;
}

/** What a session description says of the peer. */
export interface MsrpRemote {
  readonly path: readonly string[];
  /** Whether this side connects. */
  readonly active: boolean;
  /** Address of c= and m=, where it counts instead of that of the path (RFC 6714). */
  readonly address?: { readonly host: string; readonly port: number };
  /** `a=fingerprint`: with any, the certificate of the peer has to be one of these (RFC 8122). */
  readonly fingerprints?: readonly CertificateFingerprint[];
  /** `a=accept-types`: with any, a message of another type ends with 415 and is not sent. */
  readonly acceptTypes?: readonly string[];
}

/** MSRP sessions (RFC 4975). A session is known by its owner. */
export interface MsrpPort {
  /** Of the certificate peers are shown, for `a=fingerprint`; absent without TLS. */
  readonly fingerprint?: CertificateFingerprint | undefined;
  /** Sessions go through a relay: `path` has to be awaited before a session is described. */
  readonly relayed?: boolean | undefined;
  /** Peers may connect by WebSocket (RFC 7977): `reserve` takes that carriage. */
  readonly webSocket?: boolean | undefined;
  start(handler: MsrpHandler): Promise<void>;
  /** Opens a session and returns its MSRP URI for `a=path`. Throws where it cannot be so carried. */
  reserve(owner: Owner, carriage?: MsrpCarriage): string;
  /**
   * The whole `a=path` of a reserved session. Behind a relay it is allocated there first (RFC
   * 4976). Rejects with a coded error when the relay refuses.
   */
  path?(owner: Owner): Promise<readonly string[]>;
  /**
   * The peer's path is known. Active: connects and sends the binding SEND (RFC 4975 5.4, RFC
   * 6135). Passive: waits for the peer's first request, at most the configured time.
   */
  connect(owner: Owner, remote: MsrpRemote): void;
  /** Queues a message; chunks of messages of one session leave in the order of the calls. */
  send(message: MsrpOutgoing): void;
  /** Ends the session: pending messages are dropped without a word, an idle connection is closed. */
  release(owner: Owner): void;
  stop(graceMs: number): Promise<void>;
}
