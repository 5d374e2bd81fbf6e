/** The dictionary of events, continued: INVITEs that are passed on, and what a mailbox hears. */

import type { Asked, TimerExpired, Undelivered } from './events.js';
import type { Limits, TargetFacts } from './facts.js';

/** A dialog of a bridge: that with the sender, or that with the client asked as the n-th. */
export type Leg = 'caller' | `callee/${number}`;

/** An INVITE that was passed on is done with, and so is its session. */
export interface BridgeOfMailboxEvent {
  readonly type: 'bridge.ended';
  readonly at: number;
  readonly bridge: number;
  readonly limits: Limits;
}

export type BridgeEvent =
  /** Birth: the INVITE of this input is passed on to the first of `targets`, or to all. */
  | (Asked & {
      readonly type: 'start';
      /** Its own number. */
      readonly bridge: number;
      readonly targets: readonly TargetFacts[];
      /** Digest of the description of the sender. */
      readonly offer: string;
      readonly limits: Limits;
    })
  /** A client rings. */
  | {
      readonly type: 'leg.progressed';
      readonly at: number;
      readonly leg: Leg;
      readonly limits: Limits;
    }
  /** The final response of a client. `answer`: digest of its description, if a 2xx has a usable one. */
  | {
      readonly type: 'leg.answered';
      readonly at: number;
      readonly leg: Leg;
      readonly status: number;
      readonly answer?: string;
      readonly limits: Limits;
    }
  /** No final response, or no way to reach the client. */
  | {
      readonly type: 'leg.failed';
      readonly at: number;
      readonly leg: Leg;
      readonly limits: Limits;
    }
  /** The dialog is over without a BYE of either side: no ACK has come, or no refresh. */
  | { readonly type: 'leg.lost'; readonly at: number; readonly leg: Leg; readonly limits: Limits }
  /** The sender does not wait any more; the adapter has answered. */
  | { readonly type: 'invite.cancelled'; readonly at: number; readonly limits: Limits }
  /** INVITE inside a dialog, or UPDATE with an offer: its digest; absent: there is no offer. */
  | (Asked & {
      readonly type: 'reinvite.received';
      readonly leg: Leg;
      readonly offer?: string;
      readonly limits: Limits;
    })
  | (Asked & {
      readonly type: 'bye.received';
      readonly leg: Leg;
      /** Reason (RFC 3326) as it came. */
      readonly reason?: string;
      readonly limits: Limits;
    })
  /** Our BYE or CANCEL was answered or given up. */
  | {
      readonly type: 'bye.answered';
      readonly at: number;
      readonly leg: Leg;
      readonly limits: Limits;
    }
  | TimerExpired<'wait'>
  | Undelivered;
