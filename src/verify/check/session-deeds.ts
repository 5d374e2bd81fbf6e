/** What happens in the INVITE dialogs of a served user: pushes, retrievals and recordings. */

import type { AccountEvent } from '../../machines/events.js';
import { tellOwner, type Deed } from './deed.js';
import type { Exchange, RequestSpoken, ResponseSpoken } from './exchange.js';
import { answeredIn, offeredIn } from './session-media.js';
import type { TrackedAccount } from './tracked-account.js';
import type { Before } from './before.js';
import { statusOf } from './inbound.js';

/** The INVITE of a push (D-47). */
export function pushInvitation(exchange: Exchange): Deed {
  const { request, callId } = exchange;
  const { observed, message } = request;
  return {
    observed,
    play: (flow) =>
      void flow.expect({
        observed,
        what: `INVITE to ${message.uri}`,
        clause: 'IMSpec-DMT-S-004',
        blame: (accounts) => {
          if (accounts.every(isOffline)) return 'IMSpec-DMT-S-003';
          return accounts.every(isUnwanted) ? 'IMSpec-DMT-S-008' : undefined;
        },
        match: ({ effect }) => effect.type === 'sip.invite',
        after: (account, { by }) => account.withDialog(callId, by),
        excuse: (accounts, before) => excused(accounts, before, message.uri),
      }),
  };
}

function isOffline({ actors }: TrackedAccount): boolean {
  const value = actors.get('mailbox')?.snapshot.value;
  return value === undefined || value === 'offline';
}

/** He has said so for good. */
function isUnwanted({ provisioned }: TrackedAccount): boolean {
  return provisioned === false;
}

/** The user may have registered before the trace, and messages may have been stored. */
function excused(
  accounts: readonly TrackedAccount[],
  before: Before,
  contact: string,
): Before | undefined {
  const registered = before.contact === undefined ? { ...before, contact } : before;
  const anyStored = accounts.some(({ storesAny }) => storesAny);
  if (accounts.every(isOffline)) return before.contact === undefined ? registered : undefined;
  return anyStored ? undefined : { ...before, fresh: before.fresh + 1 };
}

/** The final response of the client. */
export function invitationAnswered({ callId }: Exchange, response: ResponseSpoken): Deed {
  const { observed, message } = response;
  const { status } = message;
  const { at } = observed;
  const answer = status < 300 ? answeredIn(response) : undefined;
  return tellOwner(observed, callId, (_owner, { limits }) => {
    const event = { type: 'invite.answered', at, status, limits } as const;
    return answer === undefined ? event : { ...event, answer };
  });
}

export function acknowledged({ callId }: Exchange, { observed }: RequestSpoken): Deed {
  const { at } = observed;
  return tellOwner(observed, callId, (_owner, { limits }) => ({
    ...{ type: 'ack.received', at, limits },
  }));
}

/** BYE of the client. */
export function hungUp(exchange: Exchange): Deed | undefined {
  const { callId, id, request } = exchange;
  const status = statusOf(exchange);
  if (status !== undefined && status !== 200) return undefined;
  const { observed } = request;
  const { at } = observed;
  return tellOwner(observed, callId, (_owner, { limits }) => ({
    ...{ type: 'bye.received', at, transaction: id, fields: [], limits },
  }));
}

/** BYE or CANCEL of the server. */
export function ended({ callId, method, request }: Exchange): Deed {
  const { observed } = request;
  return {
    observed,
    play: (flow) =>
      void flow.expect({
        observed,
        what: method,
        clause: 'D-73',
        match: ({ by, effect }, { notes }) =>
          effect.type === 'sip.bye' && notes.dialogs.get(callId) === by,
      }),
  };
}

export function endAnswered({ callId }: Exchange, { observed }: ResponseSpoken): Deed {
  const { at } = observed;
  return tellOwner(observed, callId, (_owner, { limits }) => ({
    ...{ type: 'bye.answered', at, limits },
  }));
}

/** An offer in the dialog. */
export function reinvited(exchange: Exchange): Deed | undefined {
  const { callId, id, request } = exchange;
  const status = statusOf(exchange);
  if (status !== undefined && status !== 200 && status !== 488 && status !== 420) return undefined;
  const { observed, message, whole } = request;
  const { at } = observed;
  const { offer, list } = offeredIn(message);
  return tellOwner(observed, callId, (_owner, { limits }): AccountEvent => ({
    ...{ type: 'reinvite.received', at, transaction: id, limits },
    ...(whole && offer && { offer }),
    list: list !== undefined,
  }));
}
