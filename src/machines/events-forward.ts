/** The dictionary of events, continued: requests that are passed on, and what a mailbox hears. */

import type { Asked, TimerExpired, Undelivered } from './events.js';
import type { Limits, TargetFacts } from './facts.js';

/** A request that was passed on is done with. */
export interface ForwardOfMailboxEvent {
  readonly type: 'forward.ended';
  readonly at: number;
  readonly forward: number;
  readonly limits: Limits;
}

export type ForwardEvent =
  /** Birth: the message of this input is passed on to the first of `targets`. */
  | (Asked & {
      readonly type: 'start';
      /** Its own number. */
      readonly forward: number;
      readonly targets: readonly TargetFacts[];
      readonly limits: Limits;
    })
  /** The final response to what was passed on. */
  | {
      readonly type: 'forward.answered';
      readonly at: number;
      readonly status: number;
      readonly limits: Limits;
    }
  /** No final response, or no way to reach the user. */
  | { readonly type: 'forward.failed'; readonly at: number; readonly limits: Limits }
  /** The message is stored after it was given up here. */
  | {
      readonly type: 'message.stored';
      readonly at: number;
      readonly serial: number;
      readonly limits: Limits;
    }
  | TimerExpired<'wait'>
  | Undelivered;
