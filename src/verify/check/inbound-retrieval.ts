/** INVITE to the Deferred Messaging Function: a retrieval, as far as its checks can be seen (S3). */

import type { RetrievalFacts, UriListFacts } from '../../machines/events.js';
import { serialSet } from '../../machines/serial-set.js';
import { namesImTag } from '../../wire/sip/accept-contact.js';
import { isOfBefore } from './call-ids.js';
import type { Exchange } from './exchange.js';
import { askerOf, eventFor, orNothing, statusOf, type Inbound } from './inbound.js';
import { canonicalMessageId } from './outbound-notify.js';
import { userOf } from './roles.js';
import { anyClient, offeredIn } from './session-media.js';
import type { TrackedAccount } from './tracked-account.js';

/** Answers of the checks, and of what stands behind them; others come before. */
const decided = new Set([200, 403, 404]);

/** `sent`: the Call-IDs of the messages that the session brings. */
export function inboundRetrieval(exchange: Exchange, sent: readonly string[]): Inbound | undefined {
  const { request } = exchange;
  const { message, observed } = request;
  const user = askerOf(message);
  const status = statusOf(exchange);
  if (user === undefined || (status !== undefined && !decided.has(status))) return undefined;
  const { at } = observed;
  const facts = factsOf(exchange);
  const list = listOf(exchange);
  return {
    user,
    alternatives: (account) => {
      const { limits } = account;
      const read = list && readingOf(list, sent, account);
      return orNothing(
        status !== undefined,
        facts.map((one) =>
          eventFor('mailbox', {
            ...{ type: 'retrieval.requested', at, transaction: exchange.id, limits },
            retrieval: { ...one, ...(read && { list: read }) },
          }),
        ),
      );
    },
  };
}

/** Who may retrieve, and what policy says, only the answer shows: 403 may have that as its cause. */
function factsOf({ request, final }: Exchange): RetrievalFacts[] {
  const { message, whole } = request;
  const accepts = namesImTag(message.fields('accept-contact'));
  const offer = whole ? offeredIn(message).offer : anyClient;
  const seen = { accepts, owned: true, ...(offer && { offer }) };
  const status = final?.message.status;
  if (status === 200) return [{ ...seen, authorised: true }];
  const unauthorised = { ...seen, authorised: false };
  if (status === 403) return [unauthorised];
  const owned = userOf(message.uri) === 'Deferred';
  return [
    { ...seen, authorised: true },
    ...(owned ? [] : [{ ...seen, authorised: true, owned: false }]),
    ...(status === undefined ? [unauthorised] : []),
  ];
}

/** What it names: its list, or the message that the Request-URI is; undefined: everything. */
function listOf({ request }: Exchange): readonly string[] | undefined {
  const { list } = offeredIn(request.message);
  if (list !== undefined) return list;
  return userOf(request.message.uri) === 'Deferred' ? undefined : [request.message.uri];
}

/**
 * Message-IDs that were told are known. The others name those of the other messages that are sent,
 * in their order, or nothing.
 */
function readingOf(
  list: readonly string[],
  sent: readonly string[],
  account: TrackedAccount,
): UriListFacts {
  const ids = [...new Set(list.map(canonicalMessageId))];
  const { names, serials } = account.notes;
  const told = ids.flatMap((id) => serials.get(id) ?? []);
  const unknown = ids.filter((id) => !serials.has(id)).sort(byNumber);
  if (unknown.length === 0) return { serials: serialSet(told), foreign: [] };
  const brought = new Set(sent);
  const read = account
    .stored()
    .filter(([serial, { callId }]) => {
      return !names.has(`${serial}`) && (isOfBefore(callId) || brought.has(callId));
    })
    .map(([serial]) => serial)
    .slice(0, unknown.length);
  const foreign = unknown.slice(read.length).map((id) => `sip:${id}`);
  return { serials: serialSet([...told, ...read]), foreign };
}

export function byNumber(one: string, other: string): number {
  const [first, second] = [parseInt(one, 10), parseInt(other, 10)];
  return Number.isNaN(first) || Number.isNaN(second) ? one.localeCompare(other) : first - second;
}
