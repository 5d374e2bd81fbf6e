/** MESSAGE to the server: a message for a served user (S4, RFC 3428). */

import type { Limits, MessageFacts } from '../../machines/events.js';
import { messageFacts } from '../../actors/message-facts.js';
import { isExpired } from '../../machines/policy.js';
import { canonicalAor } from '../../wire/sip/uri.js';
import { full } from './assumption.js';
import type { Exchange } from './exchange.js';
import { eventFor, orNothing, statusOf, type Alternative, type Inbound } from './inbound.js';
import type { TrackedAccount } from './tracked-account.js';

const cpimBytes = 1_048_576;

/**
 * Answers that stand before any decision to store: the request, whoever sends it or the server
 * itself is at fault. Others speak of the user, and that is not for a store to say.
 */
const preconditions = new Set([
  ...[400, 401, 402, 403, 404, 405, 406, 407, 413, 414, 415, 416, 417, 420, 421, 422, 423],
  ...[424, 428, 429, 433, 436, 437, 438, 439, 440, 469, 470, 481, 482, 483, 484, 485, 488],
  ...[489, 493, 494, 500, 501, 502, 503, 504, 505, 513, 555, 580],
]);

/** `forwarded`: it was seen to be passed on, so that the answer may be somebody else's. */
export function inboundMessage(exchange: Exchange, forwarded: boolean): Inbound | undefined {
  const { message } = exchange.request;
  const user = canonicalAor(message.uri);
  const status = statusOf(exchange);
  if (user === undefined) return undefined;
  if (status !== undefined && preconditions.has(status)) return undefined;
  if (forwarded && status !== 202 && status !== 603) return undefined;
  const facts = messageFacts(message, user, cpimBytes);
  return { user, alternatives: (account) => alternatives(exchange, facts, account) };
}

function alternatives(
  { id, request, final }: Exchange,
  facts: MessageFacts,
  account: TrackedAccount,
): Alternative[] {
  const { limits } = account;
  const status = final?.message.status;
  const at = request.observed.at;
  const received = (under: Limits, message: MessageFacts): Alternative =>
    eventFor('mailbox', {
      ...{ type: 'message.received', at, transaction: id, message, limits: under },
      ...{ duplicate: account.hasDigest(facts.digest), block: account.block },
    });
  const kept = received(limits, storable(facts, at, limits));
  const declined = received(full(limits), facts);
  if (status === 202) return [kept];
  if (status === 603) return [declined];
  return orNothing(status !== undefined, [kept, declined]);
}

/** Somebody else's server may keep what ours would not: what it has said counts. */
function storable(facts: MessageFacts, at: number, limits: Limits): MessageFacts {
  if (!facts.transient && !isExpired(facts, at, limits)) return facts;
  const { expires: _past, ...others } = facts;
  return { ...others, transient: false };
}
