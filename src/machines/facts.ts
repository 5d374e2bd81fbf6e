/** Facts: what machines are told of messages, registrations, requests and limits. Plain data. */

import type { SerialSet } from './serial-set.js';
import type { ForwardLimits } from './forward-facts.js';

export type * from './forward-facts.js';

/** RFC 3458 message contexts as counted by RFC 3842 (D-43). */
export type MessageClass = 'Pager-Message' | 'Multimedia-Message';

/** What is known of a message that is to be stored. */
export interface MessageFacts {
  readonly class: MessageClass;
  /** Octets as stored (D-84). */
  readonly size: number;
  readonly urgent: boolean;
  /** URI of From. */
  readonly from: string;
  /** URI of To. */
  readonly to: string;
  readonly callId: string;
  /** Digest of recipient, From tag, Call-ID and CSeq (D-18). */
  readonly digest: string;
  readonly contentType?: string;
  readonly subject?: string;
  /** Expires in seconds; absent when missing or malformed (D-24). */
  readonly expires?: number;
  /** Date of the sender, ms since the epoch. */
  readonly date?: number;
  /** Asserted or authenticated identity of the sender (D-19). */
  readonly authId?: string;
  /** The identities in its header fields were asserted by nobody who is trusted (PAI-01). */
  readonly untrusted?: true;
  /** A report of another message (RFC 5438), not a message of a person. */
  readonly notification?: true;
  /** Content that is never stored by policy, such as is-composing (U16). */
  readonly transient: boolean;
  /** What the sender asked for by CPIM and IMDN (RFC 5438). */
  readonly imdn?: ImdnFacts;
}

export interface ImdnFacts {
  /** imdn.Message-ID. */
  readonly id: string;
  /** DateTime of the CPIM as written, for the report. */
  readonly dateTime: string;
  readonly from: string;
  readonly to: string;
  readonly originalTo?: string;
  readonly recordRoute?: readonly string[];
  readonly negativeDelivery: boolean;
  readonly processing: boolean;
}

/** A Contact of a REGISTER. */
export interface ContactFacts {
  readonly uri: string;
  /** Seconds asked for by this Contact; 0 removes the binding. */
  readonly expires: number;
  /** `+g.oma.sip-im`: true, false (known and lacking), or unknown (D-40, CAP-04). */
  readonly im: boolean | 'unknown';
  readonly q: number;
}

export interface RegisterFacts {
  /** `scscf`: third-party REGISTER of a trusted S-CSCF; `ue`: our own registrar. */
  readonly by: 'scscf' | 'ue';
  readonly callId: string;
  readonly cseq: number;
  readonly contacts: readonly ContactFacts[];
  /** `Contact: *` with `Expires: 0`. */
  readonly removeAll: boolean;
  /** Path of the REGISTER, to become the Route of requests to the user (RFC 3327). */
  readonly path: readonly string[];
}

export interface SubscribeFacts {
  readonly event: string;
  /** Whether Accept admits application/simple-message-summary (absent Accept does). */
  readonly accepts: boolean;
  /** The asserted identity is one of this account. */
  readonly authorised: boolean;
  /** Seconds; absent: the default of the package, 3600. */
  readonly expires?: number;
  /** Account of the counts, as written in Message-Account. */
  readonly messageAccount: string;
  /** The dialog that a 2xx opens; its local tag is to be used in the answer. */
  readonly dialog: DialogFacts;
}

/** SUBSCRIBE to the conference package of a focus (RFC 4575). */
export interface ConferenceSubscribeFacts {
  /** Whether Accept admits application/conference-info+xml (absent Accept does). */
  readonly accepts: boolean;
  /** The asserted identity is the one that retrieves. */
  readonly authorised: boolean;
  /** Seconds; absent: the default of the package, 3600. */
  readonly expires?: number;
  readonly dialog: DialogFacts;
  /** It came in the INVITE dialog of the focus, which both usages share from then on. */
  readonly inside: boolean;
}

/** How a message of a retrieval fares: the statuses of RFC 4575, and why it has ended as failed. */
export type UserStatus =
  'pending' | 'dialing-out' | 'connected' | 'departed' | 'booted' | '404' | '413' | '480' | '488';

/** The messages of a conference by their status. */
export type Roster = { readonly [S in UserStatus]: SerialSet };

/** A conference as its focus tells of it. */
export interface ConferenceFacts {
  /** Whoever retrieves. */
  readonly client: 'dialing-in' | 'connected' | 'disconnected';
  readonly roster: Roster;
  /** URIs that name no message of this store, as many as may be told (LIST-06). */
  readonly foreign: readonly string[];
  /** Messages and foreign URIs together. */
  readonly count: number;
}

/** What one NOTIFY says of a message or of a foreign URI. */
export interface ConferenceUser {
  /** A serial, of which egress makes the Message-ID, or a URI as it was written. */
  readonly entity: number | string;
  readonly status: UserStatus;
}

/** A SIP dialog as a value; see `wire/sip/dialog.ts`, which has the same form. */
export interface DialogFacts {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly localUri: string;
  readonly remoteUri: string;
  readonly remoteTarget: string;
  readonly routeSet: readonly string[];
  readonly localCseq: number;
  readonly remoteCseq: number;
}

/** What an SDP body says of its m=message line. */
export interface MsrpSdpFacts {
  readonly path: readonly string[];
  readonly setup?: 'active' | 'passive' | 'actpass' | 'holdconn';
  /** Effective direction of the media line (D-65). */
  readonly direction: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';
  /** Where a direction is written: in the section of the session, in that of the media line. */
  readonly written?: { readonly session?: string; readonly media?: string };
  readonly acceptTypes: readonly string[];
  readonly acceptWrappedTypes: readonly string[];
  /** Octets. */
  readonly maxSize?: number;
  /** Address of c= and m=, where it counts instead of that of the path (RFC 6714). */
  readonly address?: { readonly host: string; readonly port: number };
  /** Of the peer's certificate, of which it has to be one (RFC 8122). */
  readonly fingerprints?: readonly { readonly hash: string; readonly value: string }[];
}

/** A retrieval INVITE (D-60 to D-75). */
export interface RetrievalFacts {
  /** Check 1: Accept-Contact names +g.oma.sip-im (D-61). */
  readonly accepts: boolean;
  /** Check 2: the identity is asserted or proven, and may retrieve (D-64). */
  readonly authorised: boolean;
  /** The check behind all others: false when the identity has no account here (D-63). */
  readonly hasAccount?: boolean;
  /** Check 3: why operator policy forbids it, if it does. */
  readonly forbidden?: string;
  /** Check 4: the Request-URI is Deferred@ or a message of this store. */
  readonly owned: boolean;
  /** Check 5: the offer, absent when there is no m=message line at all. */
  readonly offer?: MsrpSdpFacts;
  /** What the URI list names; absent: everything. */
  readonly list?: UriListFacts;
}

export interface UriListFacts {
  /** Serials of this store, duplicates collapsed. */
  readonly serials: SerialSet;
  /** URIs that name no message of this store: failed participants (LIST-06). */
  readonly foreign: readonly string[];
}

/** Settings of a user, as far as they are set (IM service settings). */
export interface SettingsFacts {
  /** `offline-delivery/@active`: whether messages are pushed (D-41). */
  readonly offlineDelivery?: boolean;
}

/** A PUBLISH of settings by the user himself. */
export interface PublishFacts {
  /** SIP-If-Match. */
  readonly ifMatch?: string;
  /** The SIP-ETag to answer with; never used twice. */
  readonly etag: string;
  /** Seconds; absent: the default. */
  readonly expires?: number;
  /** Absent: the request has no body. */
  readonly settings?: SettingsFacts;
}

/** An INVITE that brings large messages for the user (D-15, D-16). */
export interface InvitationFacts {
  /** Absent when there is no m=message line that could be used. */
  readonly offer?: MsrpSdpFacts;
  /** Octets of the message, where the sender announces them. */
  readonly size?: number;
}

/** Header fields in order. */
export type FieldFacts = readonly (readonly [name: string, value: string])[];

/** How a message may be given to a client: its SDP. */
export interface MediaFacts {
  readonly acceptTypes: readonly string[];
  readonly acceptWrappedTypes: readonly string[];
  readonly maxSize?: number;
  /** The forms to choose from, best first, where a profile has an order of its own. */
  readonly forms?: PayloadForms;
}

/** How a stored message is encapsulated in a SEND (D-48). */
export type PayloadForm =
  | 'message/sipfrag'
  | 'message/sip'
  | 'message/cpim'
  | 'message/msrp'
  | 'multipart/mixed'
  | 'original';

/** Forms of pager and of large messages, best first. */
export interface PayloadForms {
  readonly pager: readonly PayloadForm[];
  readonly large: readonly PayloadForm[];
}

/** How a profile wants stored messages delivered. */
export interface ProfileFacts {
  readonly forms: PayloadForms;
  /** A push session is for the messages of one sender. */
  readonly bySender: boolean;
  /** Octets of a first message that the INVITE carries; 0: it carries none. */
  readonly carryMax: number;
  /** Messages of others that a push session for one sender passes over before it ends. */
  readonly lookAhead: number;
}

/** Counts of a mailbox by class (RFC 3842 3.5). */
export type Counts = {
  readonly [C in MessageClass]: {
    readonly new: number;
    readonly old: number;
    readonly newUrgent: number;
    readonly oldUrgent: number;
  };
};

/** What message waiting tells of one added message. */
export interface HeaderBlock {
  /** Egress makes the Message-ID of it. */
  readonly serial: number;
  readonly from: string;
  readonly to: string;
  readonly subject?: string;
  readonly date: number;
  readonly urgent: boolean;
}

/** What a mailbox must know of a message to count it. */
export interface CountedFacts {
  readonly class: MessageClass;
  readonly urgent: boolean;
  readonly size: number;
}

/** Limits and policy that hold for this input; the machine keeps none of them. */
export interface Limits {
  readonly expiry: {
    readonly enabled: boolean;
    /** Seconds. */
    readonly default: number;
    readonly max: number;
    readonly large: number;
    /** How far Date may be from our clock to count as base (ms, D-22). */
    readonly skewMs: number;
  };
  readonly quota: {
    readonly messages: number;
    readonly octets: number;
    /** Seconds in Retry-After for senders; an hour when absent. */
    readonly retryAfter?: number;
  };
  readonly register: {
    /** Seconds. */
    readonly min: number;
    readonly default: number;
    readonly max: number;
    /** Contacts of one account. */
    readonly contacts: number;
    /** ms within which REGISTERs for several identities of a user are one registration (TPR-05). */
    readonly burstMs: number;
  };
  readonly subscribe: {
    readonly min: number;
    readonly default: number;
    readonly max: number;
    /** Subscriptions of one account. */
    readonly count: number;
    /** ms between two NOTIFYs of one subscription (MWI-05). */
    readonly throttleMs: number;
    /** Header blocks in one NOTIFY. */
    readonly headers: number;
  };
  readonly publish: {
    /** Seconds. */
    readonly min: number;
    readonly default: number;
    readonly max: number;
    /** Publications of one account. */
    readonly count: number;
  };
  /** Messages that one turn deletes; the others of the same request follow in turns of their own. */
  readonly deletion: {
    readonly batch: number;
    /** Between two looks at whether an account that is taken away is empty. */
    readonly removalMs: number;
  };
  readonly push: {
    /** When the setting of the user is absent (D-41). */
    readonly default: boolean;
    /** Messages in flight in one session. */
    readonly window: number;
    /** ms; doubled with every failure up to `retryMaxMs`. */
    readonly retryMs: number;
    readonly retryMaxMs: number;
    readonly after: 'delete' | 'keep';
  };
  readonly retrieval: {
    readonly whenPushActive: 'serve' | 'forbid';
    /** Where recvonly has to stand: effective on the line, on the line itself, or on both levels. */
    readonly recvonly: 'effective' | 'media' | 'both';
    readonly after: 'delete' | 'keep';
    /** Retrievals of one account at a time. */
    readonly count: number;
    /** ms a session may wait for ACK, binding or the end. */
    readonly waitMs: number;
    /** ms until BYE of an empty retrieval when no binding comes (D-69). */
    readonly emptyMs: number;
  };
  /** Large messages as they come in (D-15, D-16). */
  readonly recording: {
    /** An INVITE with +g.oma.sip-im and a sendonly offer counts too (D-15). */
    readonly sendonly: boolean;
    /** A file transfer counts too (SDP-08). */
    readonly files: boolean;
    /** Sessions of one account at a time. */
    readonly count: number;
    /** Messages of one session. */
    readonly messages: number;
    /** Octets of one message. */
    readonly octets: number;
    /** ms a session may stand without an octet. */
    readonly idleMs: number;
  };
  /** Requests for users who are available (D-12). */
  readonly forward: ForwardLimits;
  /** Of the profile; absent: one push session for all, messages over MSRP only. */
  readonly profile?: ProfileFacts;
  readonly conference: {
    /** Seconds. */
    readonly min: number;
    readonly default: number;
    readonly max: number;
    /** Subscriptions to one conference. */
    readonly count: number;
    /** ms between two NOTIFYs of one subscription (RFC 4575 3.10). */
    readonly throttleMs: number;
    /** Users that one NOTIFY names. */
    readonly users: number;
  };
  /** ms a 200 without the REPORT that was asked for has to wait to count as delivered (D-33). */
  readonly reportGraceMs: number;
  /** What the sender hears of a message that its recipient has deleted unread (D-30). */
  readonly reportOnUserDelete: 'failed' | 'forbidden' | 'none';
}

/** Where a request to the user goes. */
export interface TargetFacts {
  readonly uri: string;
  readonly route: readonly string[];
  /** The next hop is an S-CSCF, which may see who has sent something (RFC 3325). */
  readonly trusted?: true;
}
