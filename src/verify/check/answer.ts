/** The answer of the server to a request that is an event of an account. */

import type { Before } from './before.js';
import type { ClauseId } from './clause.js';
import type { Deed } from './deed.js';
import type { Exchange, ResponseSpoken } from './exchange.js';
import { userOf } from './roles.js';

/** What is broken by another answer than the one that is owed. */
function clauseOf({ method, request: { message } }: Exchange, status: number): ClauseId {
  switch (method) {
    case 'MESSAGE':
      if (userOf(message.uri) === 'Delete') return 'D-31';
      return status < 300 ? 'S4-202' : 'S4-603-PM';
    case 'REFER':
      return 'D-31';
    case 'SUBSCRIBE':
      return 'IMSpec-DMT-S-002';
    case 'PUBLISH':
      return 'IMSpec-DMT-S-008';
    default:
      return 'TX-01';
  }
}

export function answered(exchange: Exchange, response: ResponseSpoken): Deed {
  const { observed, message } = response;
  const { status } = message;
  const { id, callId } = exchange;
  return {
    observed,
    play: (flow) => {
      flow.expect({
        observed,
        what: `${status} ${message.reason} to ${exchange.method}`,
        clause: clauseOf(exchange, status),
        match: ({ effect }) => {
          if (effect.type === 'sip.accept') return effect.transaction === id && status === 200;
          if (effect.type !== 'sip.respond' || effect.transaction !== id) return false;
          return effect.status === status;
        },
        // With the 2xx the dialog stands.
        after: (account, { by, effect }) =>
          effect.type === 'sip.accept' ? account.withDialog(callId, by) : account,
        excuse: (_accounts, before) => excused(exchange, status, before),
        blame: () => blameOf(exchange, status),
        directly: true,
      });
      flow.forgive(({ effect }) => 'transaction' in effect && effect.transaction === id);
    },
  };
}

/** What is retrieved or deleted may have been stored before the trace. */
function excused(
  { method, request: { message } }: Exchange,
  status: number,
  before: Before,
): Before | undefined {
  const isOfMessages =
    method === 'REFER' || method === 'INVITE' || userOf(message.uri) === 'Delete';
  return isOfMessages && status < 300 ? { ...before, fresh: before.fresh + 1 } : undefined;
}

/** Whose INVITE it is tells what was to be answered. */
function blameOf({ method, request: { message } }: Exchange, status: number): ClauseId | undefined {
  if (method !== 'INVITE') return undefined;
  if (userOf(message.uri) !== 'Deferred') return status === 200 ? 'IMSpec-DMT-S-006' : 'S4-603-LM';
  return status === 200 ? 'IMSpec-DMT-S-006' : 'IMSpec-DMT-S-007';
}
