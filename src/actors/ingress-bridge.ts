/** What comes in about an INVITE that was passed on: answers, and requests in both of its dialogs. */

import { createHash } from 'node:crypto';
import type { Address, BridgeEvent, Leg } from '../machines/events.js';
import { isUsableAnswer } from '../machines/policy.js';
import { WireError } from '../wire/error.js';
import type { SipHeaders, SipResponse } from '../wire/sip/message.js';
import type { AnswerParts } from './account-world.js';
import type { Identified } from './identity.js';
import { requiresUnsupported } from './ingress-parts.js';
import type { IngressParts } from './ingress-parts.js';
import { answeredMedia } from './media-facts.js';
import type { OwnerName } from './owner.js';
import { bodyParts, invitationBody } from './request-body.js';

/** An owner that is one leg of a bridge. */
export type LegName = OwnerName & { readonly leg: Leg };

export function isLeg(name: OwnerName): name is LegName {
  return name.leg !== undefined;
}

type Told<Event extends BridgeEvent = BridgeEvent> = Event extends BridgeEvent
  ? Omit<Event, 'at' | 'limits'>
  : never;

/** `id` is that of our request. */
export function receiveBridged(
  parts: IngressParts,
  name: LegName,
  id: string,
  response: SipResponse,
): void {
  const { leg } = name;
  const { status } = response;
  if (id === 'bye') tell(parts, name, { type: 'bye.answered', leg });
  if (id !== 'invite') return;
  if (status < 200) tell(parts, name, { type: 'leg.progressed', leg }, { response });
  else {
    const answer = status < 300 ? digestOfAnswer(parts, response) : undefined;
    const event = { type: 'leg.answered', leg, status } as const;
    tell(parts, name, answer === undefined ? event : { ...event, answer }, { response });
  }
}

export function failBridged(parts: IngressParts, name: LegName, id: string): void {
  const { leg } = name;
  if (id === 'invite') tell(parts, name, { type: 'leg.failed', leg });
  else if (id === 'bye') tell(parts, name, { type: 'bye.answered', leg });
}

/** The adapter has ended the dialog. */
export function loseLeg(parts: IngressParts, name: LegName): void {
  tell(parts, name, { type: 'leg.lost', leg: name.leg });
}

/** False: the request is answered as in any other dialog. */
export function receiveInsideBridge(
  parts: IngressParts,
  received: Identified,
  name: LegName,
): boolean {
  const { request, transaction, peer } = received;
  const { leg } = name;
  const isOffer =
    request.method === 'INVITE' || (request.method === 'UPDATE' && request.body.length > 0);
  if (!isOffer && request.method !== 'BYE') return false;
  if (requiresUnsupported(parts, received, ['timer'])) return true;
  if (isOffer) {
    const { sdp } = invitationBody(bodyParts(request, parts.bounds.bodyBytes));
    const event = { type: 'reinvite.received', transaction, leg } as const;
    const told = sdp === undefined ? event : { ...event, offer: digestOf(request) };
    tell(parts, name, told, { transport: peer.transport });
  } else {
    const reason = request.header('reason');
    const event = { type: 'bye.received', transaction, leg } as const;
    tell(parts, name, reason === undefined ? event : { ...event, reason });
  }
  return true;
}

/** Names a description, so that one that changes nothing is known as such. */
export function digestOf({ body }: SipHeaders & { readonly body: Buffer }): string {
  return createHash('sha256').update(body).digest('base64url').slice(0, 22);
}

/** Media go past us: what this node can do is of no concern. */
const endToEnd = { tls: true, cema: true } as const;

/** Undefined: no session can come of this 2xx. */
function digestOfAnswer({ bounds }: IngressParts, response: SipResponse): string | undefined {
  try {
    const { sdp } = invitationBody(bodyParts(response, bounds.bodyBytes));
    const media = sdp && answeredMedia(sdp, endToEnd);
    return isUsableAnswer(media) ? digestOf(response) : undefined;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function tell(
  { clock, limits, submit }: IngressParts,
  { account, address }: LegName,
  event: Told,
  asked?: AnswerParts,
): void {
  submit(account, {
    kind: 'event',
    to: address as Address,
    event: { ...event, at: clock.now(), limits } as BridgeEvent,
    asked,
  });
}
