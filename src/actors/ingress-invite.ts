/** INVITE comes in: a retrieval at the Deferred Messaging Function, or again in its dialog. */

import type { Address, RetrievalFacts, UriListFacts } from '../machines/events.js';
import { serialSet } from '../machines/serial-set.js';
import type { HeaderField } from '../wire/sip/message.js';
import { failsPreference, namesImTag } from '../wire/sip/accept-contact.js';
import type { Sdp } from '../wire/sdp.js';
import { isForeign, isKnown, originator } from './identity.js';
import type { Identified } from './identity.js';
import { clientContactOf, contactOf } from './contact.js';
import { recipient } from './ingress-message.js';
import { allowedInside } from './ingress-options.js';
import { permitRetrieval } from './ingress-policy.js';
import { refuse, refusesSdp, requiresUnsupported } from './ingress-parts.js';
import type { IngressParts } from './ingress-parts.js';
import { receiveInvitation } from './ingress-recording.js';
import { offeredDirections, offeredMedia } from './media-facts.js';
import { nobody } from './nobody.js';
import type { OwnerName } from './owner.js';
import { focusCapabilities, methods } from './product.js';
import { bodyParts, invitationBody } from './request-body.js';
import type { ServedUsers } from './served-users.js';

export function receiveInvite(parts: IngressParts, received: Identified): void {
  const { request, transaction } = received;
  const named = recipient(parts, received);
  switch (named.kind) {
    case 'scheme':
      refuse(parts, received, 416);
      return;
    case 'user':
      receiveInvitation(parts, received, named.account);
      return;
    case 'delete':
      refuse(parts, received, 405, { headers: [['Allow', methods.delete]] });
      return;
    case 'unknown':
    case 'server':
      refuse(parts, received, 404);
      return;
    default:
  }
  if (requiresUnsupported(parts, received, ['recipient-list-invite', 'timer'])) return;
  if (refusesSdp(parts, received)) return;
  const body = invitationBody(bodyParts(request, parts.bounds.bodyBytes));
  const account = originator(parts, received);
  const preferences = request.fields('accept-contact');
  const accepts = namesImTag(preferences);
  // CAP-03; S3 step 1 comes before any matching.
  if (accepts && failsPreference(preferences, focusCapabilities)) {
    refuse(parts, received, 480, { warning: 'Accept-Contact asks for what is not here' });
    return;
  }
  const retrieval: RetrievalFacts = {
    accepts,
    authorised: account !== undefined || isKnown(received),
    hasAccount: account !== undefined,
    owned: named.kind !== 'nothing',
    ...offered(body.sdp && retrievalMedia(body.sdp, parts)),
    ...(named.kind === 'message'
      ? { list: { serials: [named.serial, named.serial], foreign: [] } }
      : listed(body.list, parts.users)),
  };
  const at = parts.clock.now();
  const { limits } = parts;
  const asked = { offer: body.sdp, transport: received.peer.transport };
  permitRetrieval(parts, received, account, (reason) => {
    const judged = reason === undefined ? retrieval : { ...retrieval, forbidden: reason };
    const of = { at, transaction, retrieval: judged, limits };
    const event = { type: 'retrieval.requested', ...of } as const;
    // D-63: whoever has no account here meets the same checks in the same order.
    parts.submit(account ?? nobody, { kind: 'event', to: 'mailbox', event, asked });
  });
}

/** UPDATE in the dialog of a focus or a push: without a body it only refreshes (RFC 3311 5.2). */
export function receiveUpdate(parts: IngressParts, received: Identified, owner: OwnerName): void {
  if (received.request.body.length > 0) {
    receiveReinvite(parts, received, owner);
    return;
  }
  if (requiresUnsupported(parts, received, ['timer'])) return;
  const { account, address, leg = 'caller' } = owner;
  const contact = leg === 'caller' ? contactOf : clientContactOf;
  const headers: HeaderField[] = [
    ['Contact', contact(parts.sip, account, address as Address)],
    ['Allow', allowedInside(owner)],
  ];
  refuse(parts, received, 200, { headers });
}

/** An offer in the dialog of a session with us, or the demand for one. */
export function receiveReinvite(
  parts: IngressParts,
  received: Identified,
  { account, address }: OwnerName,
): void {
  const { request, transaction } = received;
  // Whoever brings messages is in the session of somebody else.
  if (!address.startsWith('recording/') && isForeign(parts, received, account)) {
    refuse(parts, received, 403);
    return;
  }
  if (!/^(?:focus|push|recording)\//.test(address)) {
    refuse(parts, received, 481);
    return;
  }
  const body = invitationBody(bodyParts(request, parts.bounds.bodyBytes));
  const list = body.list !== undefined;
  // LIST-05: that option is refused by the focus itself, every other one here.
  if (!list && requiresUnsupported(parts, received, ['recipient-list-invite', 'timer'])) return;
  if (refusesSdp(parts, received)) return;
  const at = parts.clock.now();
  const { limits } = parts;
  parts.submit(account, {
    kind: 'event',
    to: address as `focus/${number}` | `push/${number}` | `recording/${number}`,
    event: {
      type: 'reinvite.received',
      at,
      transaction,
      ...offered(body.sdp && offeredMedia(body.sdp, parts.media)),
      list,
      limits,
    },
    asked: { offer: body.sdp, transport: received.peer.transport },
  });
}

function offered(offer: RetrievalFacts['offer']): Pick<RetrievalFacts, 'offer'> {
  return offer === undefined ? {} : { offer };
}

function retrievalMedia(sdp: Sdp, { media }: IngressParts): RetrievalFacts['offer'] {
  const offer = offeredMedia(sdp, media);
  const written = offeredDirections(sdp, media);
  return offer && { ...offer, ...(written && { written }) };
}

/** LIST-06: whatever names no message of this store has failed, and is never contacted. */
function listed(
  uris: readonly string[] | undefined,
  users: ServedUsers,
): { readonly list?: UriListFacts } {
  if (uris === undefined) return {};
  const serials: number[] = [];
  const foreign: string[] = [];
  for (const uri of uris) {
    const serial = users.serialOf(uri);
    if (serial !== undefined) serials.push(serial);
    else foreign.push(uri);
  }
  return { list: { serials: serialSet(serials), foreign } };
}
