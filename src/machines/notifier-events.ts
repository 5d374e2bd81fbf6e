/** The events of notifiers: subscriptions to message waiting, and to the conference of a focus. */

import type { Asked, SessionLost, TimerExpired, Undelivered } from './events.js';
import type {
  ConferenceFacts,
  ConferenceSubscribeFacts,
  Counts,
  DialogFacts,
  HeaderBlock,
  Limits,
  SubscribeFacts,
} from './facts.js';

export type ConferenceEvent =
  /** Birth: the subscription was accepted. */
  | (Asked & {
      readonly type: 'subscribe.received';
      /** Its own number. */
      readonly conference: number;
      readonly focus: number;
      readonly subscribe: ConferenceSubscribeFacts;
      readonly state: ConferenceFacts;
      readonly limits: Limits;
    })
  | RefreshReceived
  | {
      readonly type: 'conference.changed';
      readonly at: number;
      readonly state: ConferenceFacts;
      readonly limits: Limits;
    }
  /** The focus has ended the conference. */
  | {
      readonly type: 'conference.over';
      readonly at: number;
      readonly state: ConferenceFacts;
      readonly limits: Limits;
    }
  | NotifyOutcome
  | Withdrawn
  | TimerExpired<'expiry' | 'throttle'>
  | Undelivered;

/** SUBSCRIBE inside the dialog. */
export type RefreshReceived = Asked & {
  readonly type: 'refresh.received';
  readonly dialog: DialogFacts;
  readonly expires?: number;
  readonly limits: Limits;
};

export type NotifyOutcome =
  /** The final response to our NOTIFY. */
  | {
      readonly type: 'notify.answered';
      readonly at: number;
      readonly status: number;
      readonly limits: Limits;
    }
  | { readonly type: 'notify.failed'; readonly at: number; readonly limits: Limits };

/** EVT-04: the notifier ends the subscription and says why. */
export interface Withdrawn {
  readonly type: 'subscription.withdrawn';
  readonly at: number;
  readonly reason: 'deactivated' | 'probation' | 'noresource';
  /** Seconds, with `probation`. */
  readonly retryAfter?: number;
  readonly limits: Limits;
}

/** The same dialog is opened once more: the notifier that had it makes room (U23). */
export interface Superseded {
  readonly type: 'subscription.superseded';
  readonly at: number;
  readonly dialog: DialogFacts;
  readonly limits: Limits;
}

export type SubscriptionEvent =
  /** Birth: the subscription was accepted. */
  | (Asked & {
      readonly type: 'subscribe.received';
      /** Its own number. */
      readonly subscription: number;
      readonly subscribe: SubscribeFacts;
      readonly counts: Counts;
      readonly limits: Limits;
    })
  | RefreshReceived
  | {
      readonly type: 'counts.changed';
      readonly at: number;
      readonly counts: Counts;
      readonly added?: HeaderBlock;
      readonly limits: Limits;
    }
  | NotifyOutcome
  | Withdrawn
  | Superseded
  | TimerExpired<'expiry' | 'throttle'>
  | SessionLost;
