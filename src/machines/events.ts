/**
 * The dictionary of events: everything an actor can be told. Every event carries `at`, the time of
 * the input (ms since the epoch), for machines read no clock. Facts are plain data, checked by
 * whoever made them (`actors/ingress.ts`); machines trust their form and judge their content.
 */

import type { BridgeEvent, BridgeOfMailboxEvent } from './events-bridge.js';
import type { ForwardEvent, ForwardOfMailboxEvent } from './events-forward.js';
import type { ImportFacts, OperationOfMailboxEvent } from './events-operation.js';
import type { RecordingEvent, RecordingOfMailboxEvent } from './events-recording.js';
import type { ConferenceEvent, SubscriptionEvent } from './notifier-events.js';
import type { FocusEvent, PushEvent } from './session-events.js';
import type { SerialSet } from './serial-set.js';
import type {
  ConferenceSubscribeFacts,
  CountedFacts,
  DeferredFacts,
  FieldFacts,
  ForwardFacts,
  Limits,
  MediaFacts,
  MessageFacts,
  PublishFacts,
  RegisterFacts,
  RetrievalFacts,
  SettingsFacts,
  SubscribeFacts,
} from './facts.js';

export type * from './events-bridge.js';
export type * from './events-forward.js';
export type * from './events-operation.js';
export type * from './events-recording.js';
export type * from './facts.js';
export type * from './session-events.js';
export type * from './notifier-events.js';

/** How an actor of an account is called: `ua/…` is the virtual UA of the message of that serial. */
export type Address =
  | 'mailbox'
  | `ua/${number}`
  | `push/${number}`
  | `focus/${number}`
  | `recording/${number}`
  | `subscription/${number}`
  | `forward/${number}`
  | `bridge/${number}`
  | `conference/${number}`;

/** Time, and the transaction that waits for an answer. */
export interface Asked {
  readonly at: number;
  readonly transaction: string;
}

// ------------------------------------------------------------------------------- mailbox

export type MailboxEvent =
  | (Asked & {
      readonly type: 'message.received';
      readonly message: MessageFacts;
      readonly limits: Limits;
      /** The same submission was stored before (D-18). */
      readonly duplicate: boolean;
      /** Numbers from which the mailbox may take serials when its own block is used up. */
      readonly block: { readonly from: number; readonly to: number };
      /** How it may be passed on to a user who is available; absent: it may not. */
      readonly forward?: ForwardFacts | undefined;
      /** It was passed on in vain before. */
      readonly deferred?: DeferredFacts | undefined;
    })
  | RecordingOfMailboxEvent
  | (Asked & {
      readonly type: 'register.received';
      readonly register: RegisterFacts;
      readonly limits: Limits;
    })
  | (Asked & {
      readonly type: 'subscribe.received';
      readonly subscribe: SubscribeFacts;
      readonly limits: Limits;
    })
  | (Asked & {
      readonly type: 'retrieval.requested';
      readonly retrieval: RetrievalFacts;
      readonly limits: Limits;
    })
  /**
   * D-31: the owner or the operator deletes messages for good. 202 when it was accepted, 404 when
   * none of them is there. Whoever asks is authorised already.
   */
  | (Asked & {
      readonly type: 'deletion.requested';
      readonly serials: SerialSet;
      /** URIs of the request that name no message of this store; they are passed over. */
      readonly foreign: readonly string[];
      readonly limits: Limits;
    })
  /** A session has a message that is to be deleted: it goes when that is over (D-28). */
  | {
      readonly type: 'deletion.postponed';
      readonly at: number;
      readonly serial: number;
      readonly limits: Limits;
    }
  /** Provisioned settings of the user, in place of the former ones (D-41). Answered 200. */
  | (Asked & {
      readonly type: 'settings.received';
      readonly settings: SettingsFacts;
      readonly limits: Limits;
    })
  /** The user publishes settings (RFC 3903): soft state that wins over provisioned settings. */
  | (Asked & {
      readonly type: 'settings.published';
      readonly publish: PublishFacts;
      readonly limits: Limits;
    })
  | OperationOfMailboxEvent
  /** What the store remembered of deleted messages is gone. */
  | { readonly type: 'account.forgotten'; readonly at: number; readonly limits: Limits }
  /** SUBSCRIBE to the conference of a focus. */
  | (Asked & {
      readonly type: 'conference.requested';
      readonly focus: number;
      readonly subscribe: ConferenceSubscribeFacts;
      readonly limits: Limits;
    })
  /** A message left the store. */
  | {
      readonly type: 'message.gone';
      readonly at: number;
      readonly serial: number;
      readonly message: CountedFacts;
      readonly limits: Limits;
    }
  /** A message was delivered and is kept: it is old now (D-44). */
  | {
      readonly type: 'message.read';
      readonly at: number;
      readonly serial: number;
      readonly message: CountedFacts;
      readonly limits: Limits;
    }
  | {
      readonly type: 'push.ended';
      readonly at: number;
      readonly push: number;
      /** `failed`: the session did; the back-off runs. */
      readonly outcome: 'done' | 'failed';
      /** Messages that the client would not take: not pushed again before the next registration. */
      readonly failed: SerialSet;
      readonly limits: Limits;
    }
  | {
      readonly type: 'retrieval.ended';
      readonly at: number;
      readonly focus: number;
      readonly limits: Limits;
    }
  | ForwardOfMailboxEvent
  | BridgeOfMailboxEvent
  | {
      readonly type: 'subscription.ended';
      readonly at: number;
      readonly subscription: number;
      readonly limits: Limits;
    }
  | TimerExpired<'registration' | 'push' | 'deletion' | 'publication' | 'removal'>
  | SessionLost
  | Undelivered;

/** The addressee of a `tell` does not exist. */
export interface Undelivered {
  readonly type: 'undelivered';
  readonly at: number;
  readonly to: Address;
  readonly limits: Limits;
}

/** A timer that the actor set by `timer.set` has run out. */
export interface TimerExpired<Name extends string> {
  readonly type: 'timer.expired';
  readonly at: number;
  readonly name: Name;
  readonly limits: Limits;
}

/** The process restarted: every session, timer and transaction held in memory is gone. */
export interface SessionLost {
  readonly type: 'session.lost';
  readonly at: number;
  readonly limits: Limits;
}

// ---------------------------------------------------------------------------- virtual UA

export type VirtualUaEvent =
  /** Birth: the message is kept under this serial. `payload` names the bytes beside the input. */
  | {
      readonly type: 'store';
      readonly at: number;
      readonly serial: number;
      readonly message: MessageFacts;
      readonly expiresAt?: number | undefined;
      /** It stood in another store: what was owed to its sender was done there. */
      readonly imported?: Pick<ImportFacts, 'read' | 'bye'>;
      readonly limits: Limits;
    }
  /** It is to be delivered once more, although it was delivered. */
  | { readonly type: 'requeue'; readonly at: number; readonly limits: Limits }
  /** A session wants the message: the virtual INVITE of the focus, or of a push. */
  | {
      readonly type: 'invite';
      readonly at: number;
      readonly session: Address;
      readonly media: MediaFacts;
      /** The session is for messages of this sender only. */
      readonly sender?: string | undefined;
      /** The INVITE of the session brings the message: nothing is to be sent. */
      readonly carried?: true;
      readonly limits: Limits;
    }
  /** A session for one sender asks whose message it is. */
  | {
      readonly type: 'introduce';
      readonly at: number;
      readonly session: Address;
      readonly limits: Limits;
    }
  /** The session is over before the outcome: the lease ends. */
  | {
      readonly type: 'bye';
      readonly at: number;
      readonly session: Address;
      readonly limits: Limits;
    }
  /** All octets were sent and answered with this MSRP status. */
  | {
      readonly type: 'msrp.sent';
      readonly at: number;
      readonly session: Address;
      readonly status: number;
      readonly limits: Limits;
    }
  /** REPORT for the whole message, or of a failure. */
  | {
      readonly type: 'msrp.reported';
      readonly at: number;
      readonly session: Address;
      readonly status: number;
      readonly limits: Limits;
    }
  /** The session that brought the message was ended by a BYE with these header fields (D-14). */
  | {
      readonly type: 'session.closed';
      readonly at: number;
      readonly fields: FieldFacts;
      readonly limits: Limits;
    }
  /** The user has the message already: a forward was answered after it had been given up. */
  | { readonly type: 'taken'; readonly at: number; readonly limits: Limits }
  /** The owner or the operator deletes the message; `silent`: it stands in another store. */
  | {
      readonly type: 'delete';
      readonly at: number;
      readonly silent?: true;
      readonly limits: Limits;
    }
  | TimerExpired<'expiry' | 'grace'>
  | SessionLost
  | Undelivered;

/** The event type that an address accepts. */
export type EventFor<A extends Address> = A extends 'mailbox'
  ? MailboxEvent
  : A extends `ua/${number}`
    ? VirtualUaEvent
    : A extends `push/${number}`
      ? PushEvent
      : A extends `focus/${number}`
        ? FocusEvent
        : A extends `recording/${number}`
          ? RecordingEvent
          : A extends `subscription/${number}`
            ? SubscriptionEvent
            : A extends `forward/${number}`
              ? ForwardEvent
              : A extends `conference/${number}`
                ? ConferenceEvent
                : A extends `bridge/${number}`
                  ? BridgeEvent
                  : never;

export type AccountEvent =
  | MailboxEvent
  | VirtualUaEvent
  | PushEvent
  | FocusEvent
  | RecordingEvent
  | SubscriptionEvent
  | ForwardEvent
  | BridgeEvent
  | ConferenceEvent;
