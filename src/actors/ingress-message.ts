/** MESSAGE comes in: a submission for a served user (RFC 3428, STANDARDS 2.2). */

import type { MessageFacts } from '../machines/events.js';
import type { SipRequest } from '../wire/sip/message.js';
import { asksForPrivacy } from '../wire/sip/privacy.js';
import { terminatingUser } from './identity.js';
import type { Identified, Sender } from './identity.js';
import { receiveDeletionList } from './ingress-deletion.js';
import { forwardFacts } from './ingress-forward.js';
import { permitStoring } from './ingress-policy.js';
import { refuse, requiresUnsupported } from './ingress-parts.js';
import type { IngressParts } from './ingress-parts.js';
import { messageFacts } from './message-facts.js';
import { methods } from './product.js';
import type { Named } from './served-users.js';

export function receiveMessage(parts: IngressParts, received: Identified): void {
  const { request, transaction, sender } = received;
  const named = recipient(parts, received);
  switch (named.kind) {
    case 'user':
      break;
    case 'delete':
      receiveDeletionList(parts, received);
      return;
    case 'scheme':
      refuse(parts, received, 416);
      return;
    case 'deferred':
      refuse(parts, received, 405, { headers: [['Allow', methods.deferred]] });
      return;
    default:
      refuse(parts, received, 404);
      return;
  }
  if (requiresUnsupported(parts, received, [])) return;
  const at = parts.clock.now();
  const message = messageFacts(request, named.account, parts.bounds.bodyBytes);
  const { authId, untrusted } = identityFacts(parts, request, sender);
  if (authId !== undefined) message.authId = authId;
  if (untrusted !== undefined) message.untrusted = untrusted;
  const { account } = named;
  const forward = forwardFacts(parts, received);
  permitStoring(parts, received, account, message, () =>
    parts.submit(account, {
      kind: 'message',
      event: { type: 'message.received', at, transaction, message, limits: parts.limits, forward },
      payload: request.bytes,
      sender,
    }),
  );
}

/** Whom a trusted peer names as the served user it is for, else the Request-URI. */
export function recipient(parts: IngressParts, received: Identified): Named {
  const named = parts.users.named(received.request.uri);
  if (named.kind !== 'user' && named.kind !== 'unknown') return named;
  const served = terminatingUser(received);
  const account = served === undefined ? undefined : parts.users.account(served);
  return account === undefined ? named : { kind: 'user', account };
}

/** D-19, PAI-01, PAI-03: what the recipient may learn of who has sent it. */
export function identityFacts(
  { privacy }: IngressParts,
  request: SipRequest,
  { isTrusted, identities }: Sender,
): Pick<MessageFacts, 'authId' | 'untrusted'> {
  const [authId] = privacy && asksForPrivacy(request) ? [] : identities;
  const claims = request.header('p-asserted-identity') ?? request.header('p-preferred-identity');
  const facts: { authId?: string; untrusted?: true } = {};
  if (authId !== undefined) facts.authId = authId;
  if (!isTrusted && claims !== undefined) facts.untrusted = true;
  return facts;
}
