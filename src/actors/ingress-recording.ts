/** INVITE of somebody who has large messages for a served user (D-15, D-16). */

import type { InvitationFacts } from '../machines/events.js';
import type { AccountId } from '../ports.js';
import { fileSize, isFileTransfer } from '../wire/file-selector.js';
import type { Sdp } from '../wire/sdp.js';
import { namesImTag, namesLargeMessageTag } from '../wire/sip/accept-contact.js';
import type { SipRequest } from '../wire/sip/message.js';
import { digestOf } from './ingress-bridge.js';
import { forwardFacts } from './ingress-forward.js';
import { identityFacts } from './ingress-message.js';
import type { Identified } from './identity.js';
import { permitStoring } from './ingress-policy.js';
import { refuse, refusesSdp, requiresUnsupported } from './ingress-parts.js';
import type { IngressParts } from './ingress-parts.js';
import { offeredMedia } from './media-facts.js';
import { requestFacts } from './message-facts.js';
import { bodyParts, invitationBody } from './request-body.js';

/** Characters of the To tag: 95 bits. */
const tagLength = 16;

export function receiveInvitation(
  parts: IngressParts,
  received: Identified,
  account: AccountId,
): void {
  const { request, transaction, sender, peer } = received;
  if (!mayBringMessages(parts, request)) {
    // D-15: a conversation is not ours to take for somebody who is away.
    refuse(parts, received, 480);
    return;
  }
  if (requiresUnsupported(parts, received, ['timer'])) return;
  if (refusesSdp(parts, received)) return;
  const { sdp } = invitationBody(bodyParts(request, parts.bounds.bodyBytes));
  const facts = invitationFacts(parts, sdp);
  if (!isInvitation(parts, request, sdp, facts)) {
    refuse(parts, received, 480);
    return;
  }
  const at = parts.clock.now();
  const forward = forwardFacts(parts, received);
  // What rings and what answers is one and the same, whatever becomes of it.
  const localTag = forward && parts.random.token(tagLength);
  const invitation = {
    facts: {
      ...requestFacts(request, 'Multimedia-Message'),
      ...identityFacts(parts, request, sender),
    },
    fields: request.all(),
  };
  permitStoring(parts, received, account, announced(facts), () =>
    parts.submit(account, {
      kind: 'invitation',
      event: {
        type: 'invitation.received',
        ...{ at, transaction, invitation: facts, limits: parts.limits },
        ...(forward && { forward: { ...forward, offer: digestOf(request) } }),
      },
      octets: request.bytes,
      sender,
      asked: {
        ...{ offer: sdp, transport: peer.transport, invitation },
        ...(localTag !== undefined && { localTag }),
      },
    }),
  );
}

/** What is known of messages before they come. */
function announced({ size }: InvitationFacts): { readonly size?: number } {
  return size === undefined ? {} : { size };
}

/** Known before its body is looked at. */
function mayBringMessages({ limits }: IngressParts, request: SipRequest): boolean {
  return isTagged(request) || (limits.recording.sendonly && namesTag(request, namesImTag));
}

function isInvitation(
  { limits }: IngressParts,
  request: SipRequest,
  sdp: Sdp | undefined,
  { offer }: InvitationFacts,
): boolean {
  const { files } = limits.recording;
  if (sdp !== undefined && isFileTransfer(sdp) && !files) return false; // SDP-08
  return isTagged(request) || offer?.direction === 'sendonly';
}

/** The tag that exists for precisely this. */
function isTagged(request: SipRequest): boolean {
  return namesTag(request, namesLargeMessageTag);
}

function namesTag(request: SipRequest, names: (values: readonly string[]) => boolean): boolean {
  return names(request.fields('accept-contact')) || names(request.fields('contact'));
}

function invitationFacts(parts: IngressParts, sdp: Sdp | undefined): InvitationFacts {
  if (sdp === undefined) return {};
  const offer = offeredMedia(sdp, parts.media);
  const size = fileSize(sdp);
  return { ...(offer && { offer }), ...(size !== undefined && { size }) };
}
