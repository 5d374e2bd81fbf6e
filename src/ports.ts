/** The ports: what the shell of actors needs from the world. Types only. */

import type { ProvisioningPort } from './accounts-ports.js';
import type { CertificateFingerprint } from './wire/msrp/fingerprint.js';
import type { HeaderField, SipRequest, SipResponse } from './wire/sip/message.js';
import type { SipDialog } from './wire/sip/dialog.js';

export type * from './accounts-ports.js';
export type * from './policy-port.js';

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

// --------------------------------------------------------------------------------- MSRP

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

// -------------------------------------------------------------------------------- store

/** The canonical AoR of a served user without scheme, such as `bob@example.org`. */
export type AccountId = string;

/**
 * Where a row stands inside its account. Rows of one kind sort by what follows the kind:
 * `actor` an actor at rest by its address (`mailbox`, `subscription/3`); `ua` a virtual UA at rest
 * by the serial of its message; `timer` a durable timer by its time (ms), then address and name;
 * `outbox` a durable effect by its number; `seen` the digest of a submission whose message is gone.
 */
export type RowKey =
  | readonly ['actor', string]
  | readonly ['ua', number]
  | readonly ['timer', number, string]
  | readonly ['outbox', number]
  | readonly ['seen', number, string];

export type RowKind = RowKey[0];

export interface Row {
  readonly key: RowKey;
  /** Plain data: what MessagePack can hold. */
  readonly value: unknown;
}

/** What one turn changes. All or nothing. */
export interface Change {
  readonly puts: readonly Row[];
  readonly deletes: readonly RowKey[];
  /** Contents of messages to keep, by serial: octets, or an upload that was finished before. */
  readonly keeps: readonly { readonly serial: number; readonly content: Buffer | UploadId }[];
  /** Serials whose contents go. */
  readonly drops: readonly number[];
  /** The earliest durable timer of the account (ms since the epoch); null: none; absent: as before. */
  readonly wakeAt?: number | null;
}

export type UploadId = string;

export interface Loaded {
  readonly version: number;
  /** The rows of kind `actor` and `outbox`; the others are scanned or got when they are needed. */
  readonly rows: readonly Row[];
  readonly wakeAt: number | null;
}

export type StoreErrorCode =
  | 'STORE_STALE'
  | 'STORE_UNAVAILABLE'
  | 'STORE_UNKNOWN'
  | 'STORE_DAMAGED'
  | 'STORE_LOCKED'
  | 'STORE_NEWER'
  | 'STORE_CLOSED'
  | 'STORE_GONE'
  | 'STORE_CONFLICT'
  | 'STORE_INVALID';

/**
 * Durable rows and contents by account. Errors are `StoreError`s with a code: `STORE_STALE`
 * another owner has written; `STORE_UNAVAILABLE` nothing was written; `STORE_UNKNOWN` it may have
 * been; `STORE_DAMAGED` a row fails its checksum; `STORE_LOCKED` another process holds it;
 * `STORE_NEWER` a later version of the software wrote it; `STORE_CLOSED` it was closed;
 * `STORE_GONE` the content or upload is no longer there; `STORE_CONFLICT` an account or identity
 * is there already, or not there, against what was asked; `STORE_INVALID` the caller broke the
 * contract: a key, number or value that cannot be stored, an upload that was not finished.
 */
export interface StorePort {
  /** Everything returned is durable. */
  load(account: AccountId): Promise<Loaded>;
  /** Rows of one kind in key order. Two calls may see different moments. */
  scan(account: AccountId, range: ScanRange): Promise<Row[]>;
  /** The values at these keys, undefined where there is no row. */
  get(account: AccountId, keys: readonly RowKey[]): Promise<readonly unknown[]>;
  /** Resolves with the new version once durable. */
  commit(account: AccountId, version: number, change: Change): Promise<number>;
  /** The account is passivated here: nothing is kept in memory for it. */
  release(account: AccountId): void;
  content(account: AccountId, serial: number): Promise<Content | undefined>;
  upload(account: AccountId): Promise<Upload>;
  /** Accounts whose `wakeAt` is not after `now`, earliest first. */
  due(now: number, limit: number): Promise<AccountId[]>;
  /** The earliest `wakeAt` of any account, or undefined. */
  nextDue(): Promise<number | undefined>;
  /** Takes `count` numbers out of a named counter for good; returns the first. Durable. */
  reserve(counter: string, count: number): Promise<number>;
  /** Drops uploads begun before `before` (ms) that no commit kept; returns how many. */
  sweep(before: number): Promise<number>;
  /** Accounts that have rows, in the order of their octets, behind `after`. */
  accounts(range: AccountRange): Promise<readonly AccountId[]>;
  /** A directory of accounts that is kept beside them; absent: the store has none. */
  readonly provisioning?: ProvisioningPort;
  close(): Promise<void>;
}

export interface AccountRange {
  readonly after?: AccountId;
  readonly limit: number;
}

export interface ScanRange {
  readonly kind: RowKind;
  /** Leave out everything up to this serial, time or number. */
  readonly after?: number;
  /** Leave out everything behind this serial, time or number. */
  readonly upTo?: number;
  readonly limit: number;
  /** Descending order. */
  readonly reverse?: boolean;
}

/** A content that is written piece by piece and stays invisible until a commit keeps it. */
export interface Upload {
  readonly id: UploadId;
  write(offset: number, bytes: Buffer): Promise<void>;
  /** Durable when resolved. */
  finish(total: number): Promise<void>;
  abort(): Promise<void>;
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
  readonly protocol: 'sip' | 'msrp';
  readonly direction: 'in' | 'out';
  readonly local: string;
  readonly remote: string;
  readonly transport: Peer['transport'];
  /** The octets of the message; of an MSRP chunk the head and end-line without its body. */
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
