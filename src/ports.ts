/** The ports: what the shell of actors needs from the world. Types only. */

import type { AccountId } from './ports/store.js';
import type { HeaderField, SipRequest, SipResponse } from './wire/sip/message.js';
import type { SipDialog } from './wire/sip/dialog.js';

export type * from './ports/accounts.js';
export type * from './ports/keys.js';
export type * from './ports/msrp.js';
export type * from './ports/policy.js';
export type * from './ports/files.js';
export type * from './ports/sockets.js';
export type * from './ports/store.js';

/**
 * For whom a transaction, dialog or MSRP session was opened. Opaque to adapters, which hand it
 * back with everything that belongs to it. One owner has at most one INVITE dialog and at most
 * one MSRP session.
 */
export type Owner = string;

/** Names a pending server transaction. Opaque; valid until its final response has been sent. */
export type TransactionId = string;

/** Where a message came from. */
export interface Peer {
  readonly transport: 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';
  readonly address: string;
  readonly port: number;
  /**
   * SIP domains that a verified certificate of the peer proves (RFC 5922 7.1), in lower case.
   * Absent without such a certificate.
   */
  readonly names?: readonly string[];
}

// ---------------------------------------------------------------------------------- SIP

/** An answer to a request. `Via`, `From`, `To`, `Call-ID`, `CSeq`, `Content-Length` are added. */
export interface SipAnswer {
  readonly status: number;
  readonly reason?: string;
  readonly headers: readonly HeaderField[];
  readonly body?: Buffer;
  /** The To tag to use; drawn by the adapter when absent. One tag per transaction. */
  readonly localTag?: string;
  /** Required with a 2xx to INVITE: whom the dialog belongs to. */
  readonly owner?: Owner;
}

/** A request outside any dialog, or inside `dialog` when that is given (SUBSCRIBE, NOTIFY). */
export interface SipOutgoing {
  readonly owner: Owner;
  /** Chosen by the owner, handed back with every response. Unique among its pending requests. */
  readonly id: string;
  readonly method: string;
  /** Request-URI. Ignored when `dialog` is given (its remote target is used). */
  readonly uri: string;
  /** name-addr or addr-spec without tag. Ignored when `dialog` is given. */
  readonly from: string;
  readonly to: string;
  /** Pre-loaded route set, topmost first. Ignored when `dialog` is given. */
  readonly route: readonly string[];
  /**
   * Further header fields; the adapter adds Via, From, To, Call-ID, CSeq, Route, and Max-Forwards
   * where it is not among these.
   */
  readonly headers: readonly HeaderField[];
  readonly body?: Buffer;
  /**
   * A dialog by value. Its `localCseq` is the CSeq of this request; in an INVITE dialog that the
   * adapter knows, the least one that it may have.
   */
  readonly dialog?: SipDialog;
  /** Call-ID and CSeq for a request outside a dialog (REGISTER refresh); drawn when absent. */
  readonly callId?: string;
  readonly cseq?: number;
  readonly localTag?: string;
}

/** A request that reached the transaction user: never a retransmission, never an ACK or CANCEL. */
export interface SipReceived {
  readonly request: SipRequest;
  readonly transaction: TransactionId;
  readonly peer: Peer;
  /** Present iff the request is inside an INVITE dialog of that owner. */
  readonly owner?: Owner;
}

export interface SipHandler {
  /**
   * A request. Outside a dialog, or with a To tag that matches no INVITE dialog (then `owner` is
   * absent and the receiver decides: a subscription it knows, or 481).
   */
  request(received: SipReceived): void;
  /**
   * A response above 100 to a request of `owner`. After a 2xx to INVITE the ACK has been sent and
   * the dialog of `owner` stands.
   */
  response(owner: Owner, id: string, response: SipResponse): void;
  /** No final response: Timer B or F fired, or no target could be reached. */
  failure(owner: Owner, id: string, cause: 'timeout' | 'transport'): void;
  /** CANCEL of a pending INVITE; the adapter has answered 200 to it and 487 to the INVITE. */
  cancelled(transaction: TransactionId): void;
  /** The ACK of our 2xx arrived (first one only). */
  acknowledged(owner: Owner): void;
  /** 64*T1 without ACK (RFC 3261 13.3.1.4). The adapter has sent BYE and forgotten the dialog. */
  unacknowledged(owner: Owner): void;
  /** The session timer ran out (RFC 4028 10). The adapter has sent BYE and forgotten the dialog. */
  expired?(owner: Owner): void;
}

/** SIP at the transaction-user boundary. */
export interface SipPort {
  /** Opens the listeners and begins to deliver. Rejects with a coded error when it cannot. */
  start(handler: SipHandler): Promise<void>;
  /** Answers a request. An answer to an unknown or already finally answered one is dropped. */
  respond(transaction: TransactionId, answer: SipAnswer): void;
  /** Sends a request. INVITE opens a dialog for `owner` with its 2xx, which is ACKed at once. */
  request(request: SipOutgoing): void;
  /**
   * Ends the INVITE dialog or pending INVITE of `owner`: BYE when confirmed, CANCEL when no final
   * response has come, BYE after ACK or timeout when our 2xx is not acknowledged yet (RFC 3261 15).
   * The outcome comes as `response` or `failure` with this `id`; at once as `failure` with
   * 'transport' when there is nothing to end.
   */
  bye(owner: Owner, id: string, headers: readonly HeaderField[]): void;
  /** Drops what is kept for `owner` without a word on the wire (BYE was received and answered). */
  forget(owner: Owner): void;
  /** A SIP URI with that user part under which this node is reached, for Contact. */
  contactUri(user: string, transport?: Peer['transport']): string;
  /** Stops listening, lets pending transactions end for at most `graceMs`, closes. */
  stop(graceMs: number): Promise<void>;
}

// ------------------------------------------------------------------------------- others

/** Which node owns an account. */
export interface PlacementPort {
  owns(account: AccountId): boolean;
}

/** `changed`: done, but somebody else has changed the document since this side last did. */
export type XdmsOutcome = 'done' | 'changed';

/**
 * Metadata in an external XDMS; the embedded XDMS is a view on the store and needs none. At most
 * one call for an account is under way at a time; each may be repeated. Rejects with an error that
 * has a code.
 */
export interface XdmsPort {
  put(account: AccountId, history: HistoryFacts): Promise<XdmsOutcome>;
  delete(account: AccountId, reference: string): Promise<XdmsOutcome>;
  /** Replaces the whole document. The pages may be asked for again, from the first one. */
  rebuild(account: AccountId, pages: () => AsyncIterable<readonly HistoryFacts[]>): Promise<void>;
}

/** The content of one `<history>` element. */
export interface HistoryFacts {
  /** `history-reference`: the Message-ID with scheme. */
  readonly reference: string;
  readonly size: number;
  /** ms since the epoch. */
  readonly expiry?: number;
  readonly subject?: string;
  readonly receivedAt: number;
  readonly date?: number;
  readonly from: string;
  readonly to: string;
  readonly authId?: string;
}

/** What digest authentication of HTTP looks at (RFC 7616). */
export interface HttpCredentials {
  readonly method: string;
  /** The target as it stands in the request. */
  readonly uri: string;
  /** Values of Authorization. */
  readonly authorization: readonly string[];
  readonly body: Buffer;
  /** Address of the peer. */
  readonly address: string;
}

export type HttpVerdict =
  | { readonly kind: 'proven'; readonly identity: string }
  | { readonly kind: 'unproven'; readonly stale: boolean }
  /** Too many failures of this address. */
  | { readonly kind: 'blocked' }
  /** Credentials cannot be looked up at present. */
  | { readonly kind: 'unavailable' };

/** Digest authentication of users by the HTTP faces. */
export interface HttpAuthentication {
  /** Values of WWW-Authenticate, most preferred first. */
  challenges(address: string, stale: boolean): readonly string[];
  /** Throws WireError for credentials that are malformed. */
  judge(credentials: HttpCredentials): HttpVerdict | Promise<HttpVerdict>;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls once after `delayMs`; the returned function withdraws it. Does not keep a process alive. */
  after(delayMs: number, call: () => void): () => void;
}

export interface Random {
  /** A token of `length` characters out of A-Z a-z 0-9, each drawn from a secure source. */
  token(length: number): string;
}

/** Structured logging; the pino logger is one. Bodies of messages are never logged. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** One message at the boundary of a transport, retransmissions included. */
export interface TraceEntry {
  readonly at: number;
  readonly protocol: 'sip' | 'msrp' | 'xcap';
  readonly direction: 'in' | 'out';
  readonly local: string;
  readonly remote: string;
  readonly transport: Peer['transport'];
  /** The octets of the message; of MSRP head and end-line, of XCAP the head, without body. */
  readonly bytes: Buffer;
}

export interface Trace {
  record(entry: TraceEntry): void;
}

/** What the actors of an account told each other in one turn, the input first (D-67). */
export interface TurnEntry {
  readonly account: AccountId;
  readonly at: number;
  /** `by` is absent where the world has told it, such as a request or a timer. */
  readonly told: readonly {
    readonly by: string | undefined;
    readonly to: string;
    readonly event: { readonly type: string; readonly at: number };
  }[];
}

export interface TurnTrace {
  record(entry: TurnEntry): void;
}
