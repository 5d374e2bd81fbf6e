/**
 * The dictionary of events of the IM client: everything its machines can be told. Every event
 * carries `at`, ms since the epoch; `fresh` is a random token drawn for the input, to become a
 * Call-ID or a tag when the machine needs one.
 */

/** A final answer to our request, as far as the machines judge it. */
export interface AnswerFacts {
  readonly status: number;
  readonly reason: string;
  /** Text of Warning. */
  readonly warning?: string;
  /** Seconds granted. */
  readonly expires?: number;
  /** Seconds of Min-Expires in a 423. */
  readonly minExpires?: number;
  /** Seconds of Retry-After. */
  readonly retryAfter?: number;
}

/** What went wrong without an answer. */
export type FailureCause = 'timeout' | 'transport';

interface Input {
  readonly at: number;
}

export interface Answered extends Input {
  readonly type: 'answered';
  readonly fresh: string;
  readonly answer: AnswerFacts;
}

interface Failed extends Input {
  readonly type: 'failed';
  readonly fresh: string;
  readonly cause: FailureCause;
}

interface TimerExpired<Name extends string> extends Input {
  readonly type: 'timer.expired';
  readonly fresh: string;
  readonly name: Name;
}

/** Waits of the client, in ms; facts, for machines have no settings. */
export interface Waits {
  /** For a final answer. */
  readonly answerMs: number;
  /** From the SDP answer to the MSRP binding. */
  readonly bindMs: number;
  /** Without anything coming in. */
  readonly idleMs: number;
  /** Before something is tried again. */
  readonly retryMs: number;
  /** For the last NOTIFY or the answer to BYE. */
  readonly farewellMs: number;
}

// ------------------------------------------------------------------------- registration

export type RegistrationEvent =
  | (Input & {
      readonly type: 'register';
      readonly fresh: string;
      readonly expires: number;
      readonly waits: Waits;
    })
  | (Input & { readonly type: 'unregister' })
  | Answered
  | Failed
  | TimerExpired<'answer' | 'refresh' | 'retry' | 'expiry'>;

// ------------------------------------------------------------------------------ watcher

/** Our side of a subscription dialog; the form of `SipDialog` of the wire. */
export interface DialogFacts {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly localUri: string;
  readonly remoteUri: string;
  readonly remoteTarget: string;
  readonly routeSet: readonly string[];
  readonly localCseq: number;
  readonly remoteCseq: number;
}

export interface WaitingClassFacts {
  readonly class: string;
  readonly new: number;
  readonly old: number;
  readonly newUrgent?: number;
  readonly oldUrgent?: number;
}

/** One state of message waiting (RFC 3842). */
export interface WaitingFacts {
  readonly waiting: boolean;
  readonly account?: string;
  readonly classes: readonly WaitingClassFacts[];
  readonly messages: readonly (readonly (readonly [name: string, value: string])[])[];
}

export interface NotifyFacts {
  readonly transaction: string;
  /** The dialog as this NOTIFY shows it from our side; its `remoteCseq` is the CSeq. */
  readonly dialog: DialogFacts;
  readonly state: 'active' | 'pending' | 'terminated';
  /** Seconds left. */
  readonly expires?: number;
  readonly reason?: string;
  readonly retryAfter?: number;
  /** Absent: there is no body. */
  readonly summary?: WaitingFacts;
}

export type WatcherEvent =
  | (Input & {
      readonly type: 'watch';
      readonly fresh: string;
      readonly expires: number;
      readonly waits: Waits;
    })
  | (Input & { readonly type: 'unwatch' })
  | (Answered & {
      /** The dialog that a 2xx opens. */
      readonly dialog?: DialogFacts;
    })
  | Failed
  | (Input & {
      readonly type: 'notify.received';
      readonly fresh: string;
      readonly notify: NotifyFacts;
    })
  | TimerExpired<'answer' | 'refresh' | 'retry' | 'expiry' | 'farewell'>;

// ----------------------------------------------------------------- retrieval, delivery

/** The peer's end of an MSRP session, as its SDP says. */
export interface MsrpPeerFacts {
  readonly path: readonly string[];
  /** We are to open the connection. */
  readonly active: boolean;
}

interface MsrpConnected extends Input {
  readonly type: 'msrp.connected';
}

interface MsrpLost extends Input {
  readonly type: 'msrp.lost';
  readonly cause: 'refused' | 'closed' | 'timeout' | 'protocol';
}

/** Octets came in, or a message was taken; the session lives. */
interface Progress extends Input {
  readonly type: 'progress';
}

/** A bound was reached, or who takes the messages failed. */
interface Overflow extends Input {
  readonly type: 'overflow';
}

interface ByeReceived extends Input {
  readonly type: 'bye.received';
  readonly transaction: string;
  /** Value of Reason. */
  readonly reason?: string;
}

/** The user of the client does not want the session any longer. */
interface Withdraw extends Input {
  readonly type: 'withdraw';
}

type SessionEvent =
  | MsrpConnected
  | MsrpLost
  | Progress
  | Overflow
  | ByeReceived
  | Withdraw
  | TimerExpired<'answer' | 'bind' | 'idle' | 'farewell'>;

export type RetrievalEvent =
  | (Input & {
      readonly type: 'retrieve';
      /** Message-ID URIs; absent: everything (IMSpec-DMT-C-002, -003). */
      readonly ids?: readonly string[];
      readonly waits: Waits;
    })
  | (Answered & {
      /** The SDP of a 2xx; absent when there is none that serves. */
      readonly peer?: MsrpPeerFacts;
    })
  | Failed
  | SessionEvent;

export type DeliveryEvent =
  | (Input & {
      readonly type: 'invite.received';
      readonly transaction: string;
      /** The user takes pushed messages. */
      readonly willing: boolean;
      /** There are as many sessions as there may be. */
      readonly busy: boolean;
      /** The offer is for messages that come to us; absent: it does not serve. */
      readonly peer?: MsrpPeerFacts;
      readonly waits: Waits;
    })
  | (Input & { readonly type: 'acknowledged' })
  | (Input & { readonly type: 'unacknowledged' })
  | Answered
  | Failed
  | SessionEvent;

// --------------------------------------------------------------------------- submission

export type SubmissionEvent =
  | (Input & {
      readonly type: 'submit';
      readonly fresh: string;
      /** Attempts in total. */
      readonly attempts: number;
      readonly waits: Waits;
    })
  | (Input & { readonly type: 'withdraw' })
  | Answered
  | Failed
  | TimerExpired<'answer' | 'retry'>;

// ------------------------------------------------------------------------ large message

export type LargeMessageEvent =
  | (Input & {
      readonly type: 'submit';
      /** Octets of the message. */
      readonly size: number;
      readonly waits: Waits;
    })
  | (Answered & {
      /** The SDP of a 2xx; absent when there is none that serves. */
      readonly peer?: MsrpPeerFacts & {
        /** Octets: `a=max-size`. */
        readonly maxSize?: number;
      };
    })
  | Failed
  /** All octets were sent and answered with this MSRP status. */
  | (Input & { readonly type: 'msrp.sent'; readonly status: number })
  /** REPORT for the whole message, or of a failure. */
  | (Input & { readonly type: 'msrp.reported'; readonly status: number })
  | Exclude<SessionEvent, Overflow>
  | TimerExpired<'report'>;

// ----------------------------------------------------------------- publication, deletion

export type PublicationEvent =
  | (Input & {
      readonly type: 'publish';
      /** Seconds asked for. */
      readonly expires: number;
      readonly waits: Waits;
    })
  | (Input & { readonly type: 'unpublish' })
  | (Answered & {
      /** SIP-ETag of a 2xx. */
      readonly etag?: string;
    })
  | Failed
  | TimerExpired<'answer' | 'refresh' | 'retry' | 'expiry'>;

export type DeletionEvent =
  | (Input & {
      readonly type: 'delete';
      /** Message-ID URIs. */
      readonly ids: readonly string[];
      readonly waits: Waits;
    })
  | Answered
  | Failed
  | TimerExpired<'answer'>;
