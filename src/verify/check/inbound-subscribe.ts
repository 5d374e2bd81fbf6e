/** SUBSCRIBE to message waiting: one that opens a subscription, or one that refreshes it. */

import type { DialogFacts } from '../../machines/events.js';
import type { SubscriptionContext } from '../../machines/subscription.js';
import { WireError } from '../../wire/error.js';
import { acceptsType } from '../../wire/sip/content-type.js';
import { dialogOfRequest } from '../../wire/sip/dialog.js';
import { tagOf } from '../../wire/sip/name-addr.js';
import { parseDigits } from '../../wire/sip/number.js';
import type { Exchange } from './exchange.js';
import { askerOf, eventFor, orNothing, statusOf, type Inbound } from './inbound.js';
import type { TrackedAccount } from './tracked-account.js';

const summaryType = 'application/simple-message-summary';

/** The event package of a request. */
export function packageOf({ request }: Exchange): string | undefined {
  return request.message.header('event')?.split(';')[0]?.trim().toLowerCase();
}

/** Refusals change nothing; who is allowed what is the server's to know. */
export function inboundSubscribe(exchange: Exchange, user?: string): Inbound | undefined {
  const status = statusOf(exchange);
  const owner = user ?? askerOf(exchange.request.message);
  if (owner === undefined || packageOf(exchange) !== 'message-summary') return undefined;
  if (status !== undefined && status >= 300) return undefined;
  const dialog = dialogOf(exchange);
  if (dialog === undefined) return undefined;
  const { message, observed } = exchange.request;
  const at = observed.at;
  const expires = grantedOf(exchange);
  const common = { at, transaction: exchange.id, ...(expires !== undefined && { expires }) };
  const seen = status !== undefined;
  if (tagOf(message.header('to')) !== undefined) {
    return {
      user: owner,
      alternatives: (account) => {
        const address = subscriptionOf(account, dialog);
        if (address === undefined) return [undefined];
        const { limits } = account;
        return orNothing(seen, [
          eventFor(address, { type: 'refresh.received', ...common, dialog, limits }),
        ]);
      },
    };
  }
  const accept = message.fields('accept');
  const subscribe = {
    ...{ event: 'message-summary', authorised: true, messageAccount: `sip:${owner}`, dialog },
    accepts: accept.length === 0 || acceptsType(accept, summaryType),
    ...(expires !== undefined && { expires }),
  };
  return {
    user: owner,
    alternatives: ({ limits }) =>
      orNothing(seen, [
        eventFor('mailbox', { type: 'subscribe.received', ...common, subscribe, limits }),
      ]),
  };
}

/** As the answer grants it; without it as it was asked for. */
function grantedOf({ request, final }: Exchange): number | undefined {
  const asked = parseDigits(request.message.header('expires'));
  if (asked === 0) return 0;
  return parseDigits(final?.message.header('expires')) ?? asked;
}

/** The local tag is the one that the server has chosen. */
function dialogOf({ request, final, id }: Exchange): DialogFacts | undefined {
  const own = tagOf(request.message.header('to')) ?? tagOf(final?.message.header('to')) ?? id;
  try {
    return dialogOfRequest(request.message, own);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function subscriptionOf(
  { actors }: TrackedAccount,
  { callId, localTag }: DialogFacts,
): `subscription/${number}` | undefined {
  for (const [address, { snapshot }] of actors) {
    if (!address.startsWith('subscription/')) continue;
    const { dialog } = snapshot.context as SubscriptionContext;
    if (dialog.callId === callId && dialog.localTag === localTag) {
      return address as `subscription/${number}`;
    }
  }
  return undefined;
}
