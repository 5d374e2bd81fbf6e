/**
 * The dictionary of effects: everything a machine can ask for. An effect is data; `actors` performs
 * it after the batch that justifies it is durable. Classes: *reply* is lost in a crash, the peer
 * retransmits; *session* is lost, the session ends; *durable* is an outbox row in the same batch,
 * safe to do twice, removed when done; *store* is part of the batch itself; *local* stays in the turn.
 */

import type {
  Address,
  ConferenceFacts,
  ConferenceUser,
  Counts,
  DialogFacts,
  EventFor,
  HeaderBlock,
  Leg,
  MessageFacts,
  MsrpSdpFacts,
  PayloadForm,
  TargetFacts,
  ImdnFacts,
} from './events.js';

export type EffectClass = 'reply' | 'session' | 'durable' | 'store' | 'local';

/** Tells another actor of the account. One-way; an absent actor answers `undelivered`. */
export type Tell = {
  readonly [A in Address]: { readonly type: 'tell'; readonly to: A; readonly event: EventFor<A> };
}[Address];

/** The message that a push session for one sender begins with. */
export interface FirstMessage {
  readonly serial: number;
  readonly message: MessageFacts;
  readonly receivedAt: number;
  /** The INVITE brings it. */
  readonly carried: boolean;
}

export interface ContactBinding {
  readonly uri: string;
  /** Seconds left. */
  readonly expires: number;
}

/** An answer to a SIP request. Egress makes the header fields of it. */
export interface SipRespond {
  readonly type: 'sip.respond';
  readonly transaction: string;
  readonly status: number;
  readonly reason?: string;
  /** Text of a Warning 399, such as `127 Service not authorised` (D-62). */
  readonly warning?: string;
  /** Text of Reason (RFC 3326), with the status as its cause. */
  readonly cause?: string;
  /** Seconds. */
  readonly retryAfter?: number;
  readonly expires?: number;
  readonly minExpires?: number;
  /** Option tags of Unsupported, with 420. */
  readonly unsupported?: string;
  /** SIP-ETag of a publication. */
  readonly etag?: string;
  /** Bindings of a REGISTER. */
  readonly contacts?: readonly ContactBinding[];
  /** The To tag, for an answer that opens a subscription. */
  readonly localTag?: string;
  /** Header fields that only this kind of answer has. */
  readonly allowEvents?: boolean;
  readonly accept?: string;
  /** The answer carries our Contact: a dialog is opened or refreshed. */
  readonly contact?: boolean;
  /** Whose Contact, when it is not that of the actor itself. */
  readonly contactOf?: Address;
}

export type Effect =
  | Tell
  // ------------------------------------------------------------------------------ reply
  | SipRespond
  /**
   * The last SEND of a large message is answered. `kept`: it is stored, so that what was taken in
   * belongs to it; else that goes.
   */
  | {
      readonly type: 'msrp.confirm';
      readonly transaction: string;
      readonly status: number;
      readonly kept: boolean;
    }
  /** The response to what was passed on goes back as it came; `leg` of a bridge. */
  | { readonly type: 'sip.pass'; readonly transaction: string; readonly leg?: Leg }
  /** 200 to an offer that changes nothing: what the other party has said of its media. */
  | { readonly type: 'sip.refresh'; readonly transaction: string; readonly leg: Leg }
  // ---------------------------------------------------------------------------- session
  /**
   * The MESSAGE or INVITE that this actor was made for, passed on; `leg` of a bridge. `fork` tells
   * apart what is under way at the same time.
   */
  | {
      readonly type: 'sip.forward';
      readonly target: TargetFacts;
      readonly leg?: Leg;
      readonly fork?: number;
    }
  /** INVITE with a sendonly offer for the MSRP session of this actor (D-47). */
  | { readonly type: 'sip.invite'; readonly target: TargetFacts; readonly first?: FirstMessage }
  /** 200 to an INVITE with an answer, Server, Allow, automata, and isfocus of a focus (D-66). */
  | {
      readonly type: 'sip.accept';
      readonly transaction: string;
      readonly active: boolean;
      /** Of the answer; sendonly when absent. */
      readonly direction?: 'sendonly' | 'recvonly';
      /** Octets of a message that is taken in. */
      readonly maxSize?: number;
    }
  /** BYE, or CANCEL while the INVITE is pending. */
  | { readonly type: 'sip.bye'; readonly reason?: string; readonly leg?: Leg }
  /** The dialog is over without our BYE. */
  | { readonly type: 'sip.forget'; readonly leg?: Leg }
  /** NOTIFY in the dialog, whose `localCseq` is the CSeq to use. */
  | {
      readonly type: 'sip.notify';
      readonly dialog: DialogFacts;
      readonly state: 'active' | 'terminated';
      /** Seconds left when active. */
      readonly expires: number;
      readonly reason?: EndReason;
      /** Seconds, with `probation`. */
      readonly retryAfter?: number;
      readonly messageAccount: string;
      readonly counts: Counts;
      readonly added: readonly HeaderBlock[];
    }
  | {
      readonly type: 'msrp.connect';
      readonly path: readonly string[];
      readonly active: boolean;
      /** What else the peer's description says of it. */
      readonly address?: NonNullable<MsrpSdpFacts['address']>;
      readonly fingerprints?: NonNullable<MsrpSdpFacts['fingerprints']>;
      readonly acceptTypes?: readonly string[];
    }
  /** NOTIFY with conference-info (RFC 4575); `dialog` as above. */
  | {
      readonly type: 'conference.notify';
      readonly focus: number;
      readonly dialog: DialogFacts;
      readonly state: 'active' | 'terminated';
      readonly expires: number;
      readonly reason?: EndReason;
      readonly retryAfter?: number;
      readonly version: number;
      /** Whether the users are those of the conference, not those that have changed. */
      readonly full: boolean;
      readonly client: ConferenceFacts['client'];
      readonly count: number;
      readonly users: readonly ConferenceUser[];
    }
  | { readonly type: 'msrp.release' }
  /** One SEND of the stored message over the MSRP session of `session` (D-48, D-49). */
  | {
      readonly type: 'msrp.send';
      readonly session: Address;
      readonly serial: number;
      readonly form: PayloadForm;
      readonly receivedAt: number;
      readonly message: MessageFacts;
      /** Whether a Success-Report is asked for (D-33). */
      readonly successReport: boolean;
    }
  // -------------------------------------------------------------------------------- store
  /** Keep the payload of this input as the content of the message. */
  | { readonly type: 'message.put'; readonly serial: number }
  | {
      readonly type: 'message.delete';
      readonly serial: number;
      readonly receivedAt: number;
      readonly digest: string;
    }
  /** `durable` timers survive a restart; others belong to a session. One timer per name. */
  | {
      readonly type: 'timer.set';
      readonly name: string;
      readonly at: number;
      readonly durable: boolean;
    }
  /** `at` as it was set. */
  | {
      readonly type: 'timer.cancel';
      readonly name: string;
      readonly at: number;
      readonly durable: boolean;
    }
  // ------------------------------------------------------------------------------ durable
  | {
      readonly type: 'history.put';
      readonly serial: number;
      readonly message: MessageFacts;
      readonly receivedAt: number;
      readonly expiresAt?: number;
    }
  | { readonly type: 'history.delete'; readonly serial: number }
  /** IMDN to the sender (D-17, D-30). */
  | {
      readonly type: 'report.send';
      readonly serial: number;
      readonly disposition: 'failed' | 'forbidden' | 'stored';
      readonly to: string;
      readonly imdn: ImdnFacts;
    }
  // -------------------------------------------------------------------------------- local
  /** The mailbox took the block of serials offered with the input. */
  | { readonly type: 'serials.take'; readonly from: number; readonly to: number }
  /** The message that this actor was made for comes to the mailbox again, to be stored. */
  | { readonly type: 'message.defer'; readonly late: boolean }
  /** Nothing is left of a removed account but what the store remembers of deleted messages. */
  | { readonly type: 'account.forget' }
  /** The user has taken the message: a repetition of it is known as one (D-18). */
  | { readonly type: 'message.passed' }
  /** This actor is over; nothing of it is kept. */
  | { readonly type: 'stop' };

/** Why a subscription is terminated (RFC 6665 4.1.3). */
export type EndReason = 'timeout' | 'noresource' | 'deactivated' | 'probation' | 'rejected';

export type { PayloadForm } from './events.js';

/** Class of every effect. */
export const effectClass = {
  tell: 'local',
  'sip.respond': 'reply',
  'msrp.confirm': 'reply',
  'sip.pass': 'reply',
  'sip.refresh': 'reply',
  'sip.forward': 'session',
  'sip.invite': 'session',
  'sip.accept': 'session',
  'sip.bye': 'session',
  'sip.forget': 'session',
  'sip.notify': 'session',
  'conference.notify': 'session',
  'msrp.connect': 'session',
  'msrp.release': 'session',
  'msrp.send': 'session',
  'message.put': 'store',
  'message.delete': 'store',
  'timer.set': 'store',
  'timer.cancel': 'store',
  'history.put': 'durable',
  'history.delete': 'durable',
  'report.send': 'durable',
  'serials.take': 'local',
  'message.defer': 'local',
  'message.passed': 'local',
  'account.forget': 'local',
  stop: 'local',
} as const satisfies Record<Effect['type'], EffectClass>;
