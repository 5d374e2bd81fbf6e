/** The rules of operator and standard as functions of facts: expiry, storability, retrieval. */

import type {
  Address,
  FocusEvent,
  Limits,
  MediaFacts,
  MessageFacts,
  MsrpSdpFacts,
} from './events.js';
import type { Effect, PayloadForm } from './effects.js';

const secondMs = 1000;

// -------------------------------------------------------------------------------- expiry

/**
 * When the message expires; undefined: never (D-26). 12.4.2.3: the sender's Expires up to the local
 * maximum (D-20), else the local default (D-21); a large message has a default of its own (D-25).
 */
export function expiryOf(message: MessageFacts, at: number, limits: Limits): number | undefined {
  const { expiry } = limits;
  if (!expiry.enabled) return undefined;
  if (isLarge(message)) return at + expiry.large * secondMs;
  if (message.expires === undefined || message.expires > expiry.max) {
    return at + expiry.default * secondMs;
  }
  return senderExpiry(message, message.expires, at, limits);
}

/** D-23: Expires 0, or a time that is past on arrival. */
export function isExpired(message: MessageFacts, at: number, limits: Limits): boolean {
  if (isLarge(message) || message.expires === undefined) return false;
  if (message.expires === 0) return true;
  if (message.expires > limits.expiry.max) return false;
  return senderExpiry(message, message.expires, at, limits) <= at;
}

/** D-22: counted from Date while that is near our clock, else from receipt. */
function senderExpiry(message: MessageFacts, expires: number, at: number, limits: Limits): number {
  const { date } = message;
  const near = date !== undefined && Math.abs(date - at) <= limits.expiry.skewMs;
  return (near ? date : at) + expires * secondMs;
}

/** D-43: what came by MSRP is counted as multimedia. */
function isLarge(message: MessageFacts): boolean {
  return message.class === 'Multimedia-Message';
}

// ------------------------------------------------------------------------------ delivery

/** D-32: what becomes of a message that this kind of session has delivered. */
export function afterDelivery(session: Address, limits: Limits): 'delete' | 'keep' {
  return session.startsWith('push/') ? limits.push.after : limits.retrieval.after;
}

/**
 * D-12: answers that say that the user cannot be reached. 482 is one: the network has brought the
 * request back to where what cannot be delivered is kept. A refusal of the person or of the client
 * is none.
 */
export function isInaccessible(status: number): boolean {
  return [408, 430, 480, 482, 500, 503, 504].includes(status);
}

/** Back-off of the push: doubled with every failure up to the maximum. */
export function pushRetryAt(at: number, failures: number, limits: Limits): number {
  const { retryMs, retryMaxMs } = limits.push;
  // 2^30 is far above any maximum; the exponent stays finite however long a peer is unwell.
  return at + Math.min(retryMs * 2 ** Math.min(failures, 30), retryMaxMs);
}

const pagerForms: readonly PayloadForm[] = ['message/sipfrag', 'message/sip', 'message/cpim'];
const largeForms: readonly PayloadForm[] = [
  'multipart/mixed',
  'message/msrp',
  'original',
  'message/cpim',
];

/** D-48: the first form the peer accepts, behind the one it has refused with 415 if there is one. */
export function payloadForm(
  message: MessageFacts,
  media: MediaFacts,
  refused?: PayloadForm,
): PayloadForm | undefined {
  const { pager, large } = media.forms ?? { pager: pagerForms, large: largeForms };
  const forms = isLarge(message) ? large : pager;
  const from = refused === undefined ? 0 : forms.indexOf(refused) + 1;
  for (let i = from; i < forms.length; i++) {
    if (acceptsForm(message, media, forms[i]!)) return forms[i];
  }
  return undefined;
}

function acceptsForm(message: MessageFacts, media: MediaFacts, form: PayloadForm): boolean {
  const original = message.contentType ?? 'text/plain';
  if (form === 'original') return acceptsType(media.acceptTypes, original);
  if (!acceptsType(media.acceptTypes, form)) return false;
  switch (form) {
    case 'message/cpim':
      // A message that is CPIM already travels as it is; its inside is its own affair.
      return mediaType(original) === 'message/cpim' || acceptsInside(media, original);
    case 'multipart/mixed':
      return acceptsInside(media, 'message/sipfrag') && acceptsInside(media, 'message/msrp');
    default:
      return true;
  }
}

/** RFC 4975 8.6: types inside a container come from both lists; without a second list, any. */
function acceptsInside(media: MediaFacts, type: string): boolean {
  if (media.acceptWrappedTypes.length === 0) return true;
  return acceptsType(media.acceptWrappedTypes, type) || acceptsType(media.acceptTypes, type);
}

function acceptsType(accepted: readonly string[], contentType: string): boolean {
  const type = mediaType(contentType);
  const range = `${type.slice(0, type.indexOf('/'))}/*`;
  return accepted.some((entry) => {
    const given = mediaType(entry);
    return given === '*' || given === '*/*' || given === type || given === range;
  });
}

function mediaType(contentType: string): string {
  const end = contentType.indexOf(';');
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

/** What the description of a client admits, in the order of the profile. */
export function mediaOf(facts: MsrpSdpFacts, { profile }: Limits): MediaFacts {
  const { acceptTypes, acceptWrappedTypes, maxSize } = facts;
  return {
    ...{ acceptTypes, acceptWrappedTypes },
    ...(maxSize !== undefined && { maxSize }),
    ...(profile && { forms: profile.forms }),
  };
}

/** For whom a push session by sender is: reports go apart from messages (1.6 rule 2). */
export function senderOf({ notification, authId, from }: MessageFacts): string {
  return `${notification === true ? 'imdn ' : ''}${authId ?? from}`;
}

/** Whether the INVITE of a push brings this message (1.6 rule 3). */
export function isCarried(message: MessageFacts, { profile }: Limits): boolean {
  if (profile === undefined || isLarge(message) || message.notification === true) return false;
  return message.size <= profile.carryMax;
}

/** RFC 4975 8.6: a message above max-size is not sent. */
export function exceedsMaxSize(message: MessageFacts, media: MediaFacts): boolean {
  return media.maxSize !== undefined && message.size > media.maxSize;
}

// -------------------------------------------------------------------------------- session

/** RFC 4145 as answerer: we connect only to a peer that waits (D-66). */
export function isActiveAnswerer(offer: MsrpSdpFacts): boolean {
  return offer.setup === 'passive';
}

/** The effect that joins our MSRP session to the peer that has described itself so. */
export function connectTo(
  { path, address, fingerprints, acceptTypes }: MsrpSdpFacts,
  active: boolean,
): Extract<Effect, { type: 'msrp.connect' }> {
  return {
    type: 'msrp.connect',
    path,
    active,
    ...(address && { address }),
    ...(fingerprints && { fingerprints }),
    ...(acceptTypes.length > 0 && { acceptTypes }),
  };
}

/**
 * As offerer of actpass: without an answer to setup the offerer connects (RFC 4975 5.4). MSRP knows
 * no holdconn: whoever says so has said nothing (RFC 6135 4.2, SDP-05).
 */
export function isActiveOfferer(answer: MsrpSdpFacts): boolean {
  return answer.setup !== 'active';
}

/** Whether the answer to our sendonly offer lets us send (SDP-02). */
export function isUsableAnswer(answer: MsrpSdpFacts | undefined): answer is MsrpSdpFacts {
  if (answer === undefined || answer.path.length === 0) return false;
  return answer.direction === 'recvonly' || answer.direction === 'sendrecv';
}

/** Whether an offer inside the dialog leaves the media where they are, role and path included. */
export function isSameSession(
  offer: MsrpSdpFacts,
  session: { readonly path: readonly string[]; readonly active: boolean },
): boolean {
  const { path, active } = session;
  if (offer.setup === (active ? 'active' : 'passive')) return false;
  return offer.path.length === path.length && offer.path.every((uri, at) => uri === path[at]);
}

/** D-65: the effective direction of the m=message line, or there is none. */
export function isRecvonly(offer: MsrpSdpFacts | undefined): offer is MsrpSdpFacts {
  return offer !== undefined && offer.direction === 'recvonly' && offer.path.length > 0;
}

/** Whether the offer of a sender lets us take messages in (SDP-02); holdconn says nothing (SDP-05). */
export function isOfferToSend(offer: MsrpSdpFacts | undefined): offer is MsrpSdpFacts {
  if (offer === undefined || offer.path.length === 0) return false;
  return offer.direction === 'sendonly' || offer.direction === 'sendrecv';
}

/** Octets that one large message may have now: below the quota, and below its own bound. */
export function recordingRoom(octets: number, { quota, recording }: Limits): number {
  return Math.max(0, Math.min(recording.octets, quota.octets - octets));
}

/** D-65: as `isRecvonly`, and written where the operator wants it. */
export function isRecvonlyBy(offer: MsrpSdpFacts | undefined, { retrieval }: Limits): boolean {
  if (!isRecvonly(offer)) return false;
  const { session, media } = offer.written ?? {};
  if (retrieval.recvonly === 'effective') return true;
  if (retrieval.recvonly === 'media') return media === 'recvonly';
  return media === 'recvonly' && session === 'recvonly';
}

// ------------------------------------------------------------------------------ retrieval

type Requested = Extract<FocusEvent, { type: 'retrieval.requested' }>;

/** One check of a retrieval request: what fails it, and the answer then. */
export interface RetrievalCheck {
  readonly guard: string;
  readonly clause: string;
  readonly fails: (event: Requested) => boolean;
  readonly status: number;
  readonly warning?: (event: Requested) => string;
}

/** The checks of S3 11.3.1 in their order: the first that fails decides the answer (D-60). */
export const retrievalChecks = [
  {
    guard: 'lacksFeatureTag',
    clause: 'S3 11.3.1 step 1, D-61',
    fails: ({ retrieval }) => !retrieval.accepts,
    status: 403,
    warning: () => 'Accept-Contact lacks +g.oma.sip-im',
  },
  {
    guard: 'isUnauthorised',
    clause: 'S3 11.3.1 step 2, D-64',
    fails: ({ retrieval }) => !retrieval.authorised,
    status: 403,
    warning: () => '127 Service not authorised',
  },
  {
    guard: 'isForbidden',
    clause: 'S3 11.3.1 step 3',
    fails: ({ retrieval }) => retrieval.forbidden !== undefined,
    status: 403,
    warning: ({ retrieval }) => `Policy: ${retrieval.forbidden ?? ''}`,
  },
  {
    guard: 'isForeignUri',
    clause: 'S3 11.3.1 step 4, D-06',
    fails: ({ retrieval }) => !retrieval.owned,
    status: 404,
  },
  {
    guard: 'isNotRecvonly',
    clause: 'S3 11.3.1 step 5, D-65',
    fails: ({ retrieval, limits }) => !isRecvonlyBy(retrieval.offer, limits),
    status: 403,
    warning: () => 'SDP is not recvonly',
  },
  {
    guard: 'isPushOnly',
    clause: 'S3 11.3.1 step 6, D-42',
    fails: ({ pushActive }) => pushActive,
    status: 403,
    warning: () => 'Policy: messages are pushed',
  },
  {
    guard: 'hasNoAccount',
    clause: 'S3 11.3.1.1.2 step 1, D-63',
    fails: ({ retrieval }) => retrieval.hasAccount === false,
    status: 403,
    warning: () => '127 Service not authorised',
  },
] as const satisfies readonly RetrievalCheck[];

// --------------------------------------------------------------------------- subscription

/** The limits of one event package. */
export type NotifierLimits = Limits['subscribe'] | Limits['conference'];

/** EVT-05: these answers to a NOTIFY end the subscription. */
export function endsSubscription(status: number): boolean {
  if (status >= 480 && status <= 485) return true;
  return [404, 405, 410, 416, 489, 501, 604].includes(status);
}

/** EVT-03: refused with 423 only below an hour and below our minimum. */
export function isTooBrief(expires: number | undefined, { min }: NotifierLimits): boolean {
  if (expires === undefined || expires <= 0) return false;
  return expires < 3600 && expires < min;
}

/** Seconds granted to a subscription: never more than was asked for. */
export function subscriptionExpires(expires: number | undefined, limits: NotifierLimits): number {
  return Math.min(expires ?? limits.default, limits.max);
}
