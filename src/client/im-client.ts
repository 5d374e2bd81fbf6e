/** The IM client of OMA SIMPLE IM as its user sees it: what it is given, does and tells. */

import type { Clock, Content, FilesPort, Log, Random, SocketsPort, Trace } from '../ports.js';
import type { HeaderField } from '../wire/sip/message.js';
import type { ClientCredentials } from './realms.js';

/** An IM client. Every promise settles within the time-outs of its limits. */
export interface ImClient {
  /** Opens the sockets. */
  start(): Promise<void>;
  /** Where the client is reached by SIP, once started. */
  readonly address: { readonly host: string; readonly port: number };
  /** Registers and refreshes until `unregister` or `stop`. */
  register(options?: { readonly expires?: number }): Promise<RegisterOutcome>;
  unregister(): Promise<RegisterOutcome>;
  /** Sends one pager message. A time-out says nothing about whether it was stored. */
  send(to: string, body: Buffer | string, options?: SendOptions): Promise<SendOutcome>;
  /**
   * Sends one message of any size over MSRP (large message mode). A refusal of the INVITE or of
   * the message is an outcome. The same `messageId` again is the same message to the server.
   */
  sendLarge(
    to: string,
    content: Buffer | Content,
    options?: SendLargeOptions,
  ): Promise<SendLargeOutcome>;
  /** Deletes stored messages by their Message-IDs (D-31). 404: the server knows none of them. */
  delete(ids: readonly string[], options?: DeleteOptions): Promise<Outcome>;
  /** Publishes the settings of the user and keeps them alive until `unpublish` or `stop`. */
  publish(settings: PublishedSettings, options?: PublishOptions): Promise<PublishOutcome>;
  /** Withdraws what was published: the provisioned settings hold again. */
  unpublish(): Promise<PublishOutcome>;
  /** The metadata of stored messages, read from the XDMS by XCAP; needs `xcap`. */
  list(): Promise<readonly ListedMessage[]>;
  /**
   * Subscribes to message waiting until the loop is left. Each state that was notified comes once;
   * a consumer that is too slow loses the oldest ones. Throws a ClientError when the server
   * refuses or the subscription cannot be renewed.
   */
  watch(options?: WatchOptions): AsyncIterableIterator<MessageWaiting, undefined>;
  /**
   * Fetches all stored messages, or those named, in one session. An INVITE that is refused is an
   * outcome; a session that breaks off is a ClientError.
   */
  retrieve(options?: RetrieveOptions): Promise<RetrieveOutcome>;
  /**
   * Pushed messages, when no `onDelivery` was given. A message is confirmed to the server when it
   * has its place in the queue; the queue is bounded and holds back the server when it is full.
   */
  deliveries(): AsyncIterableIterator<DeliveredMessage, undefined>;
  /** Ends sessions, subscription and registration, then closes the sockets. */
  stop(options?: { readonly unregister?: boolean }): Promise<void>;
}

export interface ImClientOptions {
  /** Own address, such as `sip:bob@example.org`. */
  readonly aor: string;
  /** The next hop of every request. */
  readonly server: {
    readonly host: string;
    readonly port: number;
    readonly transport: 'udp' | 'tcp' | 'tls';
  };
  /** For the transport `tls`. The certificate of the server has to be for `server.host`. */
  readonly tls?: ClientTls;
  /** Where to listen: by default a free port of the address from which the server is reached. */
  readonly local?: { readonly host?: string; readonly port?: number };
  /** Adds P-Asserted-Identity, for a server that trusts this host (RFC 3325). */
  readonly identity?: 'asserted';
  /** Answers challenges of servers and proxies (RFC 3261 22); without it they are refusals. */
  readonly credentials?: ClientCredentials;
  readonly displayName?: string;
  /** The Deferred Messaging Function as provisioned (deferred-msg-func-uri). */
  readonly deferredUri?: string;
  /** Where messages are deleted by a URI list (delete-uri); `Delete` at the host of the function. */
  readonly deleteUri?: string;
  /** The XDMS with the metadata of stored messages. */
  readonly xcap?: ClientXcap;
  /** Tells the devices of one user apart: `+sip.instance`, such as `urn:uuid:…` (RFC 5626 4.1). */
  readonly instance?: string;
  /**
   * Directory for messages above `limits.messageBytes`, which are written there as they come;
   * without it they are refused with 413.
   */
  readonly spool?: string;
  /** Media types offered for encapsulated messages, in `a=accept-types`. */
  readonly acceptTypes?: readonly string[];
  /** Who opens the MSRP connection of a retrieval: `active` (default) this client. */
  readonly msrpRole?: 'active' | 'passive';
  /** `decline` answers push INVITEs with 480. By default they are taken. */
  readonly push?: 'take' | 'decline';
  /** Takes a pushed message; the server is told of the delivery when it has settled. */
  readonly onDelivery?: (message: DeliveredMessage) => void | Promise<void>;
  /** Hears of registrations that end by themselves and of sessions that fail. */
  readonly onTrouble?: (error: ClientError) => void;
  readonly limits?: Partial<ClientLimits>;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Log;
  readonly trace?: Trace;
  /** Instead of the sockets of Node; `local` has to name host and port then. */
  readonly sockets?: SocketsPort;
  /** Keeps the spool, instead of the files of Node. */
  readonly files?: FilesPort;
}

/** Certificates as PEM. */
export interface ClientTls {
  /** Who vouches for the server; by default the authorities that Node knows. */
  readonly ca?: readonly string[];
  /** Own certificate with its chain, and its key, for a server that asks for one. */
  readonly certificate?: string;
  readonly key?: string;
}

export interface ClientXcap {
  /** XCAP root URI, such as `https://xdms.example.org/xcap`. */
  readonly root: string;
  /** Adds X-3GPP-Asserted-Identity, for an XDMS that trusts this host. */
  readonly identity?: 'asserted';
}

/** Bounds and time-outs of a client. */
export interface ClientLimits {
  /** Octets of one message as encapsulated. */
  readonly messageBytes: number;
  /** Octets of one message in the spool. */
  readonly spooledBytes: number;
  /** Large messages on their way at a time; further ones are refused. */
  readonly transfers: number;
  /** Octets of a document from the XDMS. */
  readonly documentBytes: number;
  /** Pushed messages that wait for `deliveries()`. */
  readonly queuedMessages: number;
  /** Octets of messages that one retrieval without `onMessage` collects. */
  readonly collectedBytes: number;
  /** Octets of messages that are coming in at a time, over all sessions. */
  readonly incomingBytes: number;
  /** States of message waiting kept for a slow consumer. */
  readonly queuedStates: number;
  /** MSRP Message-IDs remembered to recognise duplicates. */
  readonly rememberedIds: number;
  /** Push sessions at a time. */
  readonly deliveries: number;
  /** Requests of `send` under way at a time; further ones wait. */
  readonly submissions: number;
  /** Calls of `send` that wait; further ones are refused. */
  readonly queuedSubmissions: number;
  /** ms for a final response to a request of the user. */
  readonly answerMs: number;
  /** ms from the SDP answer to the MSRP binding. */
  readonly bindMs: number;
  /** ms without anything coming in before a session is given up. */
  readonly idleMs: number;
  /** ms a full queue or a slow consumer may hold back the server. */
  readonly consumerMs: number;
  /** Attempts of one submission after time-outs and 503 with Retry-After. */
  readonly attempts: number;
  /** ms before a failed refresh or subscription is tried again. */
  readonly retryMs: number;
  /** ms that `stop` waits for sessions to end. */
  readonly graceMs: number;
}

export interface SendOptions {
  /** `text/plain;charset=utf-8` unless told otherwise. */
  readonly contentType?: string;
  readonly subject?: string;
  /** Seconds. */
  readonly expires?: number;
  /** Priority: urgent. */
  readonly urgent?: boolean;
  /** Wraps the body in CPIM and asks for IMDNs of processing and failed delivery (RFC 5438). */
  readonly requestReports?: boolean;
}

export interface SendLargeOptions extends Omit<SendOptions, 'expires'> {
  /** MSRP Message-ID, 4 to 32 characters of its grammar; drawn when absent. */
  readonly messageId?: string;
  readonly signal?: AbortSignal;
}

export interface DeleteOptions {
  /** `refer` (default): REFER to the function; `list`: MESSAGE with a URI list; `xcap`. */
  readonly by?: 'refer' | 'list' | 'xcap';
}

export interface PublishedSettings {
  /** `offline-delivery`: whether stored messages are pushed at registration. */
  readonly offlineDelivery: boolean;
}

export interface PublishOptions {
  /** Seconds asked for; 3600 unless told otherwise. */
  readonly expires?: number;
}

/** A final answer of the server. */
export interface Outcome {
  readonly status: number;
  readonly reason: string;
  /** Text of Warning, such as `127 Service not authorised`. */
  readonly warning?: string;
}

export interface RegisterOutcome extends Outcome {
  /** Seconds granted. */
  readonly expires: number;
}

export interface SendOutcome extends Outcome {
  readonly callId: string;
  /** imdn.Message-ID, when reports were requested. */
  readonly imdnMessageId?: string;
}

export interface SendLargeOutcome extends Outcome {
  readonly callId: string;
  /** MSRP Message-ID. */
  readonly messageId: string;
  /** imdn.Message-ID, when reports were requested. */
  readonly imdnMessageId?: string;
  /** The MSRP status that the message got: 200 when it is stored. Absent: the INVITE was refused. */
  readonly msrpStatus?: number;
  /** A REPORT of the server has confirmed it, not only the next hop (RFC 4976). */
  readonly reported: boolean;
}

export interface PublishOutcome extends Outcome {
  /** Seconds granted. */
  readonly expires: number;
}

/** A `<history>` of the metadata (OMA IM XDM): one stored message. */
export interface ListedMessage {
  /** Message-ID with scheme. */
  readonly id: string;
  /** Octets. */
  readonly size: number;
  readonly receivedAt: Date;
  readonly expiresAt?: Date;
  readonly date?: Date;
  readonly from: string;
  readonly to: string;
  readonly subject?: string;
}

export interface WatchOptions {
  /** Seconds asked for; 3600 unless told otherwise. */
  readonly expires?: number;
}

/** Counts of one message class (RFC 3842). */
export interface WaitingClass {
  readonly class: string;
  readonly new: number;
  readonly old: number;
  readonly newUrgent?: number;
  readonly oldUrgent?: number;
}

/** One state of message waiting. */
export interface MessageWaiting {
  readonly waiting: boolean;
  readonly account?: string;
  readonly classes: readonly WaitingClass[];
  /** Header blocks of messages added since the last state. */
  readonly messages: readonly (readonly HeaderField[])[];
}

export interface RetrieveOptions {
  /** Message-IDs with or without `sip:`; absent: every stored message. */
  readonly ids?: readonly string[];
  /**
   * Takes each message as it comes; the server is told of the delivery when the promise settles.
   * Nothing is collected then. The session ends when it throws.
   */
  readonly onMessage?: (message: DeliveredMessage) => void | Promise<void>;
  readonly signal?: AbortSignal;
}

export interface RetrieveOutcome extends Outcome {
  /** Whether there was a session, which the server has ended. */
  readonly ended: 'server' | 'none';
  /** Reason of the server's BYE. */
  readonly cause?: string;
  /** Messages taken, duplicates included. */
  readonly count: number;
  /** The messages in the order in which they came; empty with `onMessage`. */
  readonly messages: readonly DeliveredMessage[];
}

/** How a message was encapsulated; `page` came by itself as MESSAGE, such as a report (IMDN). */
export type EncapsulationForm = 'sipfrag' | 'sip' | 'cpim' | 'msrp' | 'mixed' | 'original' | 'page';

/** A stored message as it arrived. */
export interface DeliveredMessage {
  /** MSRP Message-ID of the SEND; the same on every redelivery. Call-ID of a `page`. */
  readonly messageId: string;
  /** The same Message-ID has come before. */
  readonly duplicate: boolean;
  readonly form: EncapsulationForm;
  /** When the server received it (`creation-date`). */
  readonly receivedAt?: Date;
  /** Header fields of the stored message, as encapsulated. */
  readonly headers: readonly HeaderField[];
  readonly from?: string;
  readonly to?: string;
  readonly callId?: string;
  readonly date?: Date;
  readonly subject?: string;
  /** Media type of `body`. */
  readonly contentType?: string;
  /** The original body, byte by byte. */
  readonly body: Buffer;
  /** The encapsulated message, byte by byte. */
  readonly payload: Buffer;
  /** Code of what is wrong with the encapsulation; `body` is the `payload` then. */
  readonly fault?: string;
  /** Where a message lies that was too large for memory; `body` and `payload` are empty then. */
  readonly spooled?: SpooledMessage;
}

/** A file of the spool with one encapsulated message. It belongs to whoever takes the message. */
export interface SpooledMessage {
  readonly path: string;
  /** Octets of the file. */
  readonly size: number;
  /** Where the original body stands in it. */
  readonly body: { readonly offset: number; readonly size: number };
}

export type ClientErrorCode =
  | 'CLIENT_TIMEOUT'
  | 'CLIENT_UNREACHABLE'
  | 'CLIENT_REFUSED'
  | 'CLIENT_SESSION_LOST'
  | 'CLIENT_OVERFLOW'
  | 'CLIENT_CANCELLED'
  | 'CLIENT_MALFORMED'
  | 'CLIENT_UNPROVEN'
  | 'CLIENT_STOPPED'
  | 'CLIENT_USAGE';

/** What went wrong, with a stable code; `status` is that of the answer that refused. */
export class ClientError extends Error {
  readonly code: ClientErrorCode;
  readonly status: number | undefined;
  /** The messages that a retrieval had confirmed before it failed. */
  messages: readonly DeliveredMessage[] = [];

  constructor(code: ClientErrorCode, message: string, status?: number) {
    super(message);
    this.name = 'ClientError';
    this.code = code;
    this.status = status;
  }
}
