/** What operator policy says of a request that comes in, and the answer when it says no. */

import type { MessageFacts } from '../machines/events.js';
import type { AccountId, PolicyQuestion } from '../ports.js';
import { parseContentType } from '../wire/sip/content-type.js';
import { WireError } from '../wire/error.js';
import { uriOf } from '../wire/sip/name-addr.js';
import type { HeaderField } from '../wire/sip/message.js';
import type { Identified } from './identity.js';
import { refuse } from './ingress-parts.js';
import type { IngressParts } from './ingress-parts.js';

/** Goes on when the message may be stored; answers it otherwise: 603, as all that is not stored. */
export function permitStoring(
  parts: IngressParts,
  received: Identified,
  account: AccountId,
  { contentType, size }: Pick<MessageFacts, 'contentType'> & { readonly size?: number },
  proceed: () => void,
): void {
  if (parts.policy.isOpen) {
    proceed();
    return;
  }
  const type = contentType === undefined ? undefined : typeOf(contentType);
  const question: PolicyQuestion = {
    operation: 'store',
    ...asked(parts, received, account),
    ...(type !== undefined && { contentType: type }),
    ...(size !== undefined && { size }),
  };
  parts.policy.judge(question, (judged) => {
    if (judged === 'unavailable') refuseUnavailable(parts, received);
    else if (judged.allowed) proceed();
    else {
      const { status = 603, reason } = judged;
      refuse(parts, received, statusOf(status, 603), { warning: `Policy: ${reason}` });
    }
  });
}

/** Goes on with why it is forbidden, if it is: that is check 3 of a retrieval (D-60). */
export function permitRetrieval(
  parts: IngressParts,
  received: Identified,
  account: AccountId | undefined,
  proceed: (forbidden: string | undefined) => void,
): void {
  if (account === undefined) {
    proceed(undefined); // D-63: refused by the check before.
    return;
  }
  const question: PolicyQuestion = { operation: 'retrieve', ...asked(parts, received, account) };
  parts.policy.judge(question, (judged) => {
    if (judged === 'unavailable') refuseUnavailable(parts, received);
    else proceed(judged.allowed ? undefined : judged.reason);
  });
}

function asked(
  { clock }: IngressParts,
  { request, sender }: Identified,
  account: AccountId,
): Omit<PolicyQuestion, 'operation'> {
  return {
    method: request.method,
    identities: sender.identities,
    from: uriOf(request.header('from')) ?? '',
    account,
    at: clock.now(),
  };
}

function refuseUnavailable(parts: IngressParts, received: Identified): void {
  const headers: HeaderField[] = [['Retry-After', String(parts.bounds.retryAfter)]];
  refuse(parts, received, 503, { headers, warning: 'Policy is not available' });
}

/** An embedder may say anything; a final refusal it has to be. */
function statusOf(status: number, otherwise: number): number {
  return Number.isInteger(status) && status >= 400 && status <= 699 ? status : otherwise;
}

/** The content is opaque to the store: a type that cannot be read is none. */
function typeOf(contentType: string): string | undefined {
  try {
    return parseContentType(contentType).type;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
