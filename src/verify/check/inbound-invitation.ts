/** INVITE for a served user: somebody brings a large message (S4 X.X.2, D-15, D-16). */

import { requestFacts } from '../../actors/message-facts.js';
import type { InvitationFacts, MessageFacts } from '../../machines/events.js';
import { namesLargeMessageTag } from '../../wire/sip/accept-contact.js';
import { canonicalAor } from '../../wire/sip/uri.js';
import { full } from './assumption.js';
import type { Exchange } from './exchange.js';
import { eventFor, orNothing, statusOf, type Inbound } from './inbound.js';
import { anyClient, offeredIn } from './session-media.js';

/** Answers that speak of the user, or know no sessions: for a large message that is 603 (S4). */
const unreachable = new Set([405, 408, 410, 430, 480, 486, 487, 501, 600]);

/** `forwarded`: it was seen to be passed on, so that the answer may be somebody else's. */
export function inboundInvitation(exchange: Exchange, forwarded: boolean): Inbound | undefined {
  const { request, final, id } = exchange;
  const { message, observed, whole } = request;
  const user = canonicalAor(message.uri);
  const status = statusOf(exchange);
  if (user === undefined || forwarded || !isLargeMessage(exchange)) return undefined;
  const isDecided = status === undefined || status === 200 || status === 603;
  if (!isDecided && !unreachable.has(status)) return undefined;
  const offer = whole ? offeredIn(message).offer : { ...anyClient, direction: 'sendonly' as const };
  const invitation: InvitationFacts = { ...(offer && { offer }) };
  const { at } = observed;
  return {
    user,
    alternatives: ({ limits }) => {
      const received = { type: 'invitation.received', at, transaction: id, invitation } as const;
      const taken = eventFor('mailbox', { ...received, limits });
      const declined = eventFor('mailbox', { ...received, limits: full(limits) });
      if (status === 200) return [taken];
      if (status === 603) return [declined];
      return orNothing(final !== undefined, [taken, declined]);
    },
  };
}

/** D-15: without the tag it is a conversation, and not for a store. */
export function isLargeMessage({ request: { message } }: Exchange): boolean {
  return (
    namesLargeMessageTag(message.fields('accept-contact')) ||
    namesLargeMessageTag(message.fields('contact'))
  );
}

/** The facts of a message that has come in such a session. */
export function recordedFacts(
  { request }: Exchange,
  { messageId, size, contentType }: { messageId: string; size: number; contentType?: string },
): MessageFacts {
  return {
    ...requestFacts(request.message, 'Multimedia-Message'),
    ...{ size, transient: false, digest: `${request.message.header('call-id')} ${messageId}` },
    ...(contentType !== undefined && { contentType }),
  };
}
