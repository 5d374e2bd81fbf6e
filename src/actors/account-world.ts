/** What an account has around it, and what it is told. */

import type { Effect } from '../machines/effects.js';
import type {
  AccountEvent,
  Address,
  Limits,
  MailboxEvent,
  SubscriptionEvent,
} from '../machines/events.js';
import type {
  AccountId,
  Clock,
  Log,
  Peer,
  Random,
  TransactionId,
  TurnTrace,
  UploadId,
} from '../ports.js';
import type { Sdp } from '../wire/sdp.js';
import type { HeaderField, SipResponse } from '../wire/sip/message.js';
import type { Admission } from './admission.js';
import type { Counters } from './counters.js';
import type { Budget } from './held-messages.js';
import type { Sender } from './identity.js';
import type { Bounds } from './options.js';
import type { Outcome, OutboxRow } from './outbox.js';
import type { Pace } from './pace.js';
import type { Invitation } from './recordings.js';
import type { Serials } from './serials.js';

type RefreshReceived = Extract<SubscriptionEvent, { type: 'refresh.received' }>;
type MessageReceived = Extract<MailboxEvent, { type: 'message.received' }>;
type MessageImported = Extract<MailboxEvent, { type: 'message.imported' }>;
type InvitationReceived = Extract<MailboxEvent, { type: 'invitation.received' }>;
type MessageRecorded = Extract<MailboxEvent, { type: 'message.recorded' }>;

/** What the answer to a request takes from it. */
export interface AnswerParts {
  /** The offer that a 200 answers. */
  readonly offer?: Sdp | undefined;
  /** Header fields of every 2xx. */
  readonly headers?: readonly HeaderField[];
  /** A request that is passed on. */
  readonly submission?: Submission;
  /** Of a request that is passed on as a session. */
  readonly transaction?: TransactionId;
  /** The final response to a request that was passed on. */
  readonly response?: SipResponse;
  /** The To tag of every answer. */
  readonly localTag?: string;
  /** INVITE of a sender of large messages. */
  readonly invitation?: Invitation;
  /** By which the request came: our Contact names it, for the peer may have no other. */
  readonly transport?: Peer['transport'];
}

/** A MESSAGE or INVITE as it came, and what is known of its sender. */
export interface Submission {
  readonly bytes: Buffer;
  readonly sender: Sender;
}

/** A submission; whether it is a duplicate, and its numbers, are known when its turn comes. */
export interface MessageInput {
  readonly kind: 'message';
  readonly event: Omit<MessageReceived, 'duplicate' | 'block'>;
  readonly payload: Buffer;
  readonly sender: Sender;
}

/** An INVITE that brings large messages. */
export interface InvitationInput {
  readonly kind: 'invitation';
  readonly event: InvitationReceived;
  readonly octets: Buffer;
  readonly sender: Sender;
  readonly asked: AnswerParts;
}

/** What comes in for one account. */
export type Input =
  | MessageInput
  | InvitationInput
  /** A large message, whose octets are durable and kept by nobody yet. */
  | {
      readonly kind: 'recorded';
      readonly event: Omit<MessageRecorded, 'duplicate' | 'block'>;
      readonly payload: UploadId;
      /** When its first octet came: a repetition is begun soon, however long it takes (MSRP-13). */
      readonly begunAt: number;
    }
  /** A message of another store. Its large octets are durable and kept by nobody yet. */
  | {
      readonly kind: 'imported';
      readonly event: Omit<MessageImported, 'duplicate' | 'block'>;
      readonly payload: Buffer | UploadId;
    }
  | {
      readonly kind: 'event';
      readonly to: Address;
      readonly event: AccountEvent;
      readonly asked?: AnswerParts | undefined;
    }
  /** SUBSCRIBE inside a dialog: the subscription is the one that has it. */
  | { readonly kind: 'refresh'; readonly event: RefreshReceived }
  /** Timers may be due. */
  | { readonly kind: 'wake'; done(delivered: boolean): void }
  /** The metadata is to be put anew (D-83). */
  | { readonly kind: 'rebuild'; done(decided: boolean): void };

/** The way out of an account. */
export interface Performer {
  perform(account: AccountId, by: Address, effect: Effect, asked: AnswerParts | undefined): void;
  /** Answers a request that no actor will answer. */
  refuse(transaction: string, status: number): void;
  /** The actor is gone without having ended its dialog and MSRP session. */
  abandon(account: AccountId, address: Address): void;
}

/** The same for all accounts of a node. */
export interface AccountWorld {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly limits: Limits;
  readonly bounds: Bounds;
  readonly counters: Counters;
  readonly serials: Serials;
  readonly performer: Performer;
  /** Hears how long turns and commits take. */
  readonly admission: Admission;
  /** Sees what the actors tell each other. */
  readonly turns?: TurnTrace | undefined;
  /** For the turns of timers that are due. */
  readonly pace: Pace;
  /** For messages that are held while they are passed on. */
  readonly forwardOctets: Budget;
  /** For INVITEs that are passed on, and their sessions. */
  readonly bridges: Budget;
  /** Whether metadata goes to an external XDMS. */
  readonly externalXdms: boolean;
  /** `base`, and what the account has of its own. */
  limitsOf(account: AccountId, base: Limits): Limits;
  deliver(account: AccountId, row: OutboxRow): Promise<Outcome>;
  /** An account has a durable timer at that time. */
  wakeAt(at: number): void;
}

/** The request that waits for what becomes of an input. */
export function transactionOf(input: Input): string | undefined {
  if (input.kind === 'wake' || input.kind === 'rebuild') return undefined;
  return 'transaction' in input.event ? input.event.transaction : undefined;
}

/** A request that asks for something new; what belongs to a session or subscription is none. */
export function isInitial(input: Input): boolean {
  return input.kind === 'message' || (input.kind === 'event' && input.to === 'mailbox');
}
