/** The dictionary of events, continued: sessions of INVITE and MSRP, and the actors that have one. */

import type { Asked, TimerExpired, Undelivered } from './events.js';
import type {
  ConferenceSubscribeFacts,
  FieldFacts,
  Limits,
  MessageFacts,
  MsrpSdpFacts,
  RetrievalFacts,
  TargetFacts,
} from './facts.js';
import type { SerialSet } from './serial-set.js';

/** What happens to the INVITE dialog and the MSRP session of an actor. */
export type SessionEvent =
  /** The final response to our INVITE. `answer` is there when a 2xx has a usable SDP. */
  | {
      readonly type: 'invite.answered';
      readonly at: number;
      readonly status: number;
      readonly answer?: MsrpSdpFacts;
      readonly limits: Limits;
    }
  /** No final response, or no way to reach the peer. */
  | { readonly type: 'invite.failed'; readonly at: number; readonly limits: Limits }
  /** CANCEL of the INVITE that we have not answered. */
  | { readonly type: 'invite.cancelled'; readonly at: number; readonly limits: Limits }
  | { readonly type: 'ack.received'; readonly at: number; readonly limits: Limits }
  | { readonly type: 'ack.missing'; readonly at: number; readonly limits: Limits }
  /** INVITE inside the dialog, or UPDATE with an offer. `list`: with URI lists (LIST-05). */
  | (Asked & {
      readonly type: 'reinvite.received';
      readonly offer?: MsrpSdpFacts;
      readonly list: boolean;
      readonly limits: Limits;
    })
  /** `fields` of the BYE, where they are kept. */
  | (Asked & {
      readonly type: 'bye.received';
      readonly fields?: FieldFacts;
      readonly limits: Limits;
    })
  /** Our BYE was answered or given up. */
  | { readonly type: 'bye.answered'; readonly at: number; readonly limits: Limits }
  | { readonly type: 'msrp.connected'; readonly at: number; readonly limits: Limits }
  | { readonly type: 'msrp.lost'; readonly at: number; readonly limits: Limits }
  /** A virtual UA has accepted the virtual INVITE of a focus: its SEND is under way. */
  | {
      readonly type: 'ua.answered';
      readonly at: number;
      readonly serial: number;
      readonly limits: Limits;
    }
  /** A virtual UA has ended its part: delivered, or failed with a SIP status (CNF-01). */
  | {
      readonly type: 'ua.departed';
      readonly at: number;
      readonly serial: number;
      readonly limits: Limits;
    }
  | {
      readonly type: 'ua.failed';
      readonly at: number;
      readonly serial: number;
      readonly status: number;
      readonly limits: Limits;
    }
  /** Such a message is not there any more. */
  | Undelivered;

export type PushEvent =
  /** Birth. `serials` are the messages to deliver, oldest first, to the first client that answers. */
  | {
      readonly type: 'start';
      readonly at: number;
      /** Its own number. */
      readonly push: number;
      readonly targets: readonly TargetFacts[];
      readonly serials: SerialSet;
      readonly limits: Limits;
    }
  /** Another message was stored meanwhile. */
  | {
      readonly type: 'message.added';
      readonly at: number;
      readonly serial: number;
      readonly limits: Limits;
    }
  /** The user is not registered any more. */
  | { readonly type: 'withdraw'; readonly at: number; readonly limits: Limits }
  /** The virtual UA has said what its message is. */
  | {
      readonly type: 'ua.introduced';
      readonly at: number;
      readonly serial: number;
      readonly sender: string;
      readonly message: MessageFacts;
      readonly receivedAt: number;
      readonly limits: Limits;
    }
  /** The message is of another sender than the session is for. */
  | {
      readonly type: 'ua.other';
      readonly at: number;
      readonly serial: number;
      readonly limits: Limits;
    }
  | SessionEvent
  | TimerExpired<'wait'>;

export type FocusEvent =
  /** Birth, and the checks. `stored` is what of the request exists; the rest of the list failed. */
  | (Asked & {
      readonly type: 'retrieval.requested';
      /** Its own number. */
      readonly focus: number;
      readonly retrieval: RetrievalFacts;
      /** Check 6: offline-delivery is active and retrieval is forbidden meanwhile (D-42). */
      readonly pushActive: boolean;
      /** Too many retrievals at a time. */
      readonly busy: boolean;
      readonly serials: SerialSet;
      readonly limits: Limits;
    })
  /** SUBSCRIBE of somebody who may watch; `conference` is the number of a subscription for it. */
  | (Asked & {
      readonly type: 'conference.requested';
      readonly conference: number;
      readonly subscribe: ConferenceSubscribeFacts;
      readonly limits: Limits;
    })
  /** A subscription to the conference is over. */
  | {
      readonly type: 'conference.left';
      readonly at: number;
      readonly conference: number;
      readonly limits: Limits;
    }
  | SessionEvent
  | TimerExpired<'wait'>;
