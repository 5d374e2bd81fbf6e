/** PUBLISH of the user's settings (RFC 3903), and requests to delete messages (D-31). */

import type { PublishFacts } from '../../machines/events.js';
import type { MailboxContext } from '../../machines/mailbox-context.js';
import { serialSet } from '../../machines/serial-set.js';
import { bodyParts } from '../../actors/request-body.js';
import { parseDigits } from '../../wire/sip/number.js';
import { uriOf } from '../../wire/sip/name-addr.js';
import { canonicalAor } from '../../wire/sip/uri.js';
import { parseSettings } from '../../wire/xml/settings.js';
import { parseUriList } from '../../wire/xml/resource-lists.js';
import type { Exchange } from './exchange.js';
import { askerOf, eventFor, orNothing, statusOf, type Inbound } from './inbound.js';
import { canonicalMessageId } from './outbound-notify.js';
import { readable } from './session-media.js';
import type { TrackedAccount } from './tracked-account.js';

const bodyBytes = 1_048_576;

export function inboundPublish(exchange: Exchange): Inbound | undefined {
  const { request, final, id } = exchange;
  const { message, observed, whole } = request;
  const user = canonicalAor(message.uri);
  const status = statusOf(exchange);
  const settings = readable(() => parseSettings(message.body));
  const isSettings = settings !== undefined || message.body.length === 0;
  if (user === undefined || !whole || !isSettings) return undefined;
  if (status !== undefined && status >= 300) return undefined;
  const { at } = observed;
  const ifMatch = message.header('sip-if-match');
  const asked = parseDigits(message.header('expires'));
  const expires = asked === 0 ? 0 : (parseDigits(final?.message.header('expires')) ?? asked);
  const publish = {
    etag: final?.message.header('sip-etag') ?? id,
    ...(ifMatch !== undefined && { ifMatch }),
    ...(expires !== undefined && { expires }),
    ...(settings && { settings }),
  };
  return {
    user,
    alternatives: (account) => {
      const { limits } = account;
      const known = publishedIn(account, publish);
      return orNothing(status !== undefined, [
        eventFor('mailbox', {
          ...{ type: 'settings.published', at, transaction: id, limits },
          publish: known,
        }),
      ]);
    },
  };
}

/** What it refreshes may have been published before the trace; what that said is not known. */
function publishedIn({ actors }: TrackedAccount, publish: PublishFacts): PublishFacts {
  const { ifMatch, ...others } = publish;
  const mailbox = actors.get('mailbox')?.snapshot.context as MailboxContext | undefined;
  const isKnown = mailbox?.publications.some(({ etag }) => etag === ifMatch) === true;
  if (ifMatch === undefined || isKnown) return publish;
  return { ...others, settings: others.settings ?? {} };
}

/** Only what was accepted changes anything. */
export function inboundDeletion(exchange: Exchange): Inbound | undefined {
  const { request, id } = exchange;
  const { message, observed } = request;
  const user = askerOf(message);
  const status = statusOf(exchange);
  const uris = namedIn(exchange);
  if (user === undefined || uris === undefined) return undefined;
  if (status !== undefined && status !== 202 && status !== 404) return undefined;
  const { at } = observed;
  return {
    user,
    alternatives: (account) => {
      const { limits } = account;
      const read = deleted(uris, account, status === 202);
      return orNothing(
        status !== undefined,
        read.map((serials) =>
          eventFor('mailbox', {
            ...{ type: 'deletion.requested', at, transaction: id, limits, foreign: [] },
            serials: serialSet(serials),
          }),
        ),
      );
    },
  };
}

/** Message-IDs that were never told name some of the messages whose own were not, or none. */
export function deleted(
  uris: readonly string[],
  account: TrackedAccount,
  accepted: boolean,
): number[][] {
  const ids = [...new Set(uris.map(canonicalMessageId))];
  const { names, serials } = account.notes;
  const told = ids.flatMap((id) => serials.get(id) ?? []);
  const unknown = ids.filter((id) => !serials.has(id));
  if (!accepted || unknown.length === 0) return [told];
  const unnamed = account
    .stored()
    .map(([serial]) => serial)
    .filter((serial) => !names.has(`${serial}`));
  // In their order: a run of neighbours at any place, or some of them.
  const readings: number[][] = [];
  for (let size = Math.min(unknown.length, unnamed.length); size >= 0; size--) {
    for (let from = 0; from + size <= unnamed.length && readings.length < 16; from++) {
      readings.push([...told, ...unnamed.slice(from, from + size)]);
      if (size === 0) break;
    }
  }
  return readings;
}

/** The messages that a REFER or a MESSAGE to the delete URI names. */
export function namedIn({ method, request: { message, whole } }: Exchange): string[] | undefined {
  if (method === 'REFER') {
    const target = uriOf(message.header('refer-to'));
    if (target === undefined) return undefined;
    if (!/^cid:/i.test(target)) return /[;?]method=BYE/i.test(target) ? [target] : undefined;
  }
  if (!whole) return undefined;
  return readable(() =>
    bodyParts(message, bodyBytes)
      .filter(({ type }) => type === 'application/resource-lists+xml')
      .flatMap(({ body }) => parseUriList(body)),
  );
}
