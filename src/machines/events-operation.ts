/** What a mailbox is told by its operator: push, pause, requeue, move. Part of `events.ts`. */

import type { Asked } from './events.js';
import type { CountedFacts, FieldFacts, Limits, MessageFacts } from './facts.js';

/** A message as it stood in another store. */
export interface ImportFacts {
  readonly message: MessageFacts;
  readonly receivedAt: number;
  readonly expiresAt?: number;
  /** Delivered and kept there (D-44). */
  readonly read: boolean;
  /** Header fields of the BYE that ended the session of a large message (D-14). */
  readonly bye?: FieldFacts;
}

export type OperationOfMailboxEvent =
  /**
   * The operator wants pushed what waits. 202: it is under way; 204: there is nothing to push; 480:
   * there is nobody to push to; 409: delivery is paused.
   */
  | (Asked & { readonly type: 'push.requested'; readonly limits: Limits })
  /** Nothing is delivered but what the user asks for, until it is resumed. Answered 200. */
  | (Asked & { readonly type: 'delivery.paused'; readonly limits: Limits })
  | (Asked & { readonly type: 'delivery.resumed'; readonly limits: Limits })
  /** An old message is to be a new one again: 202, 204 when it is one, 404 when it is not there. */
  | (Asked & {
      readonly type: 'requeue.requested';
      readonly serial: number;
      readonly limits: Limits;
    })
  /** A message was delivered and kept, and counts as new again. */
  | {
      readonly type: 'message.unread';
      readonly at: number;
      readonly serial: number;
      readonly message: CountedFacts;
      readonly limits: Limits;
    }
  /** A message comes from another store: 202 when it is kept, 204 when it is there already. */
  | (Asked & {
      readonly type: 'message.imported';
      readonly imported: ImportFacts;
      readonly message: MessageFacts;
      readonly limits: Limits;
      readonly duplicate: boolean;
      readonly block: { readonly from: number; readonly to: number };
    })
  /**
   * The operator takes the account away with all that is kept for it. Answered 202. `moved`: it is
   * served elsewhere, and nobody is told that messages were lost.
   */
  | (Asked & {
      readonly type: 'account.removed';
      readonly moved?: true;
      readonly limits: Limits;
    });
