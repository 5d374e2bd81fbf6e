/** What comes in about requests that are passed on: whether they may be, and how they ended. */

import type { ForwardFacts } from '../machines/events.js';
import type { Owner } from '../ports.js';
import type { SipResponse } from '../wire/sip/message.js';
import { parseDigits } from '../wire/sip/number.js';
import type { Address } from '../machines/events.js';
import type { Identified } from './identity.js';
import type { IngressParts } from './ingress-parts.js';
import { parseOwner } from './owner.js';

/** RFC 3261 8.1.1.6. */
const hopsDefault = 70;

export function forwardFacts(
  { limits }: IngressParts,
  { request, sender }: Identified,
): ForwardFacts | undefined {
  const { mode } = limits.forward;
  if (mode === 'off' || (mode === 'messages' && request.method === 'INVITE')) return undefined;
  const hops = parseDigits(request.header('max-forwards')) ?? hopsDefault;
  // The topmost Route is how the request came here; nobody else's route is worth a detour.
  const route = sender.isTrusted ? request.list('route').slice(1) : [];
  if (route.length === 0) return { hops };
  return { hops, through: { uri: request.uri, route, trusted: true } };
}

/** The final response to what was passed on; a provisional one says nothing to the sender. */
export function receiveForwarded(parts: IngressParts, owner: Owner, response: SipResponse): void {
  const { status } = response;
  if (status < 200) return;
  const { account, address } = parseOwner(owner);
  const event = {
    type: 'forward.answered',
    at: parts.clock.now(),
    status,
    limits: parts.limits,
  } as const;
  parts.submit(account, { kind: 'event', to: address as Address, event, asked: { response } });
}
