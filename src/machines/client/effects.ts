/** The dictionary of effects of the IM client: everything its machines can ask for, as data. */

import type {
  AnswerFacts,
  DialogFacts,
  FailureCause,
  MsrpPeerFacts,
  WaitingFacts,
} from './events.js';

/** One timer per name and machine; setting it again replaces it. */
export type TimerEffect =
  | { readonly type: 'timer.set'; readonly name: string; readonly at: number }
  | { readonly type: 'timer.cancel'; readonly name: string };

/** The call of the user is answered, or has failed. */
export type CallEffect =
  | { readonly type: 'call.settled'; readonly answer: AnswerFacts }
  | { readonly type: 'call.failed'; readonly cause: FailureCause | 'withdrawn' };

export interface SipRespond {
  readonly type: 'sip.respond';
  readonly transaction: string;
  readonly status: number;
}

export type RegistrationEffect =
  | {
      readonly type: 'sip.register';
      readonly callId: string;
      readonly cseq: number;
      readonly expires: number;
    }
  /** The registration has ended by itself; without a status it ran out. */
  | { readonly type: 'registration.lost'; readonly status?: number }
  | TimerEffect
  | CallEffect;

export type WatcherEffect =
  | {
      readonly type: 'sip.subscribe';
      readonly callId: string;
      readonly localTag: string;
      readonly cseq: number;
      readonly expires: number;
      /** Absent: outside a dialog. */
      readonly dialog?: DialogFacts;
    }
  | SipRespond
  | { readonly type: 'waiting.show'; readonly summary: WaitingFacts }
  /** The subscription is over; without an answer or cause because the user wanted it so. */
  | {
      readonly type: 'watch.ended';
      readonly answer?: AnswerFacts;
      readonly cause?: FailureCause | 'terminated';
    }
  | TimerEffect;

/** How a session that carries messages to us ended. */
export type SessionEnd =
  'server' | 'withdrawn' | 'overflow' | 'lost' | 'idle' | 'unbound' | 'unacknowledged' | 'no-media';

export type SessionEffect =
  | SipRespond
  | ({ readonly type: 'msrp.connect' } & MsrpPeerFacts)
  | { readonly type: 'msrp.release' }
  /** BYE, or CANCEL while the INVITE is pending. */
  | { readonly type: 'sip.bye' }
  /** The dialog is over without our BYE. */
  | { readonly type: 'sip.forget' }
  | {
      readonly type: 'session.ended';
      readonly end: SessionEnd;
      /** Reason of the server's BYE. */
      readonly reason?: string;
    }
  | TimerEffect;

export type RetrievalEffect =
  { readonly type: 'sip.invite'; readonly ids?: readonly string[] } | SessionEffect | CallEffect;

export type DeliveryEffect =
  /** 200 with a recvonly answer. */
  | { readonly type: 'sip.accept'; readonly transaction: string; readonly active: boolean }
  | SessionEffect;

export type SubmissionEffect =
  | {
      readonly type: 'sip.message';
      readonly callId: string;
      readonly localTag: string;
      readonly cseq: number;
    }
  | TimerEffect
  | CallEffect;

export type LargeMessageEffect =
  /** INVITE with a sendonly offer and the tag of large message mode (D-15). */
  | { readonly type: 'sip.invite' }
  | { readonly type: 'msrp.send' }
  /** What became of the message. Without `reported` the last hop may not be the server (D-33). */
  | { readonly type: 'message.settled'; readonly status: number; readonly reported: boolean }
  | SessionEffect
  | CallEffect;

export type PublicationEffect =
  | {
      readonly type: 'sip.publish';
      readonly expires: number;
      /** SIP-If-Match; absent: a publication that the server does not know yet. */
      readonly etag?: string;
      /** A refresh has no body (RFC 3903 4.3). */
      readonly body: boolean;
    }
  /** The publication has ended by itself; without a status it ran out. */
  | { readonly type: 'publication.lost'; readonly status?: number }
  | TimerEffect
  | CallEffect;

export type DeletionEffect =
  { readonly type: 'sip.delete'; readonly ids: readonly string[] } | TimerEffect | CallEffect;
