/** What a client is held to (S1, S2, S3): its requests, answers, sessions, and their order. */

import { uriOf } from '../../wire/sip/name-addr.js';
import { canonicalAor } from '../../wire/sip/uri.js';
import type { Observed } from '../capture/observed.js';
import { clientLife } from './client-life.js';
import { clientRequestRules } from './client-request-rules.js';
import { clientResponseRules, isPush } from './client-response-rules.js';
import type { Conversation } from './conversation.js';
import { msrpViolations } from './msrp-rules.js';
import type { MsrpRequestSeen, MsrpTalk } from './msrp-talk.js';
import { violationOf } from './rule.js';
import { answeredIn, offeredIn } from './session-media.js';
import { sipViolations, type Side } from './transaction-rules.js';
import type { Violation } from './verdict.js';
import { acceptsType } from '../../wire/sip/content-type.js';

const bindMs = 32_000;

const clients: Side = {
  isServer: false,
  requestRules: clientRequestRules,
  responseRules: clientResponseRules,
  unanswered: ({ method }) => (method === 'NOTIFY' ? 'IMSpec-DMT-C-001' : 'TX-01'),
};

/** `last`: the end of the trace; without it nothing is said of what has not come. */
export function clientViolations(
  conversation: Conversation,
  talk: MsrpTalk,
  last: Observed | undefined,
  isWhole: boolean,
): Violation[] {
  const found = [
    ...sipViolations(conversation, last, clients),
    ...msrpViolations(talk, last, false),
    ...clientLife(conversation, last, isWhole),
    ...refusals(conversation, talk),
    ...payloads(conversation, talk),
    ...(last === undefined ? [] : unbound(conversation, talk, last.at)),
  ];
  return found.map((one) => ({ ...one, by: 'client' as const }));
}

/** Whoever speaks with the server, by what it calls itself. */
export function clientsIn({ exchanges }: Conversation): string[] {
  const names = exchanges.map(({ inbound, request: { message } }) =>
    canonicalAor(uriOf(message.header(inbound ? 'from' : 'to')) ?? ''),
  );
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}

/** MSRP-30: 415 is for what it has not said that it takes. */
function refusals({ exchanges }: Conversation, { all }: MsrpTalk): Violation[] {
  const accepted = new Map<string, readonly string[]>();
  for (const { method, inbound, callId, request, responses } of exchanges) {
    if (method !== 'INVITE') continue;
    const own = inbound ? [request] : responses;
    for (const spoken of own) {
      const { offer } = offeredIn(spoken.message);
      if (offer !== undefined) accepted.set(callId, offer.acceptTypes);
    }
  }
  return all.flatMap((seen) => {
    if (seen.kind !== 'response' || seen.fromServer || seen.head.status !== 415) return [];
    const type = seen.request?.head.contentType?.split(';')[0]!.trim();
    const types = accepted.get(seen.callId);
    if (type === undefined || types === undefined || !acceptsType(types, type)) return [];
    return [violationOf(seen.spoken.observed, 'MSRP-30', `415 to ${type}, which it accepts`)];
  });
}

/** D-75: a client that only receives binds the session, and sends nothing in it. */
function payloads({ exchanges }: Conversation, { all }: MsrpTalk): Violation[] {
  const receiving = new Set<string>();
  for (const exchange of exchanges) {
    const { callId, inbound, method, request } = exchange;
    if (method !== 'INVITE') continue;
    const direction = offeredIn(request.message).offer?.direction;
    if (inbound ? direction === 'recvonly' : isPush(exchange)) receiving.add(callId);
  }
  return all.flatMap((seen) => {
    if (seen.kind !== 'request' || seen.fromServer || !receiving.has(seen.callId)) return [];
    return isPayload(seen)
      ? [violationOf(seen.spoken.observed, 'D-75', 'it sends in a session that it receives in')]
      : [];
  });
}

function isPayload({ head, spoken }: MsrpRequestSeen): boolean {
  return head.method === 'SEND' && spoken.body.length > 0;
}

/** MSRP-11: whoever is active sends at once, if only to be known. */
function unbound({ exchanges }: Conversation, { all }: MsrpTalk, end: number): Violation[] {
  const bound = new Set(all.map(({ callId }) => callId));
  const over = new Set(
    exchanges.filter(({ method }) => /^(?:BYE|CANCEL)$/.test(method)).map(({ callId }) => callId),
  );
  return exchanges.flatMap((exchange) => {
    const { callId, final } = exchange;
    if (!isPush(exchange) || final?.message.status !== 200 || !final.whole) return [];
    const isActive = answeredIn(final)?.setup === 'active';
    if (!isActive || bound.has(callId) || over.has(callId)) return [];
    if (final.observed.at + bindMs >= end) return [];
    return [violationOf(final.observed, 'MSRP-11', 'it is active and sends nothing')];
  });
}
