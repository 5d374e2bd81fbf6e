/** Events of large messages that come in: those of the mailbox, and those of the recording. */

import type { Asked, SessionEvent, TimerExpired } from './events.js';
import type { ForwardFacts, InvitationFacts, Limits, MessageFacts } from './facts.js';

export type RecordingOfMailboxEvent =
  /** INVITE of somebody who has large messages for the user (D-15). */
  | (Asked & {
      readonly type: 'invitation.received';
      readonly invitation: InvitationFacts;
      readonly limits: Limits;
      /** How it may be passed on to a user who is available; absent: it may not. */
      readonly forward?: ForwardFacts | undefined;
    })
  /** A large message is there to its last octet; the transaction is that of its last SEND. */
  | (Asked & {
      readonly type: 'message.recorded';
      readonly recording: number;
      readonly message: MessageFacts;
      readonly limits: Limits;
      readonly duplicate: boolean;
      readonly block: { readonly from: number; readonly to: number };
    })
  | {
      readonly type: 'recording.ended';
      readonly at: number;
      readonly recording: number;
      readonly limits: Limits;
    };

export type RecordingEvent =
  /** Birth: the invitation is accepted. */
  | (Asked & {
      readonly type: 'invitation.received';
      /** Its own number. */
      readonly recording: number;
      readonly invitation: InvitationFacts;
      /** Octets that there is room for. */
      readonly maxSize: number;
      readonly limits: Limits;
    })
  /** One of its messages is stored. */
  | {
      readonly type: 'message.kept';
      readonly at: number;
      readonly serial: number;
      readonly limits: Limits;
    }
  /** Octets are coming in. */
  | { readonly type: 'msrp.progress'; readonly at: number; readonly limits: Limits }
  | SessionEvent
  | TimerExpired<'wait'>;
