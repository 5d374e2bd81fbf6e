/** SUBSCRIBE comes in: to message waiting, or as a refresh in its dialog (RFC 6665, RFC 3842). */

import type { AccountId } from '../ports.js';
import { acceptsType } from '../wire/sip/content-type.js';
import { dialogOfRequest } from '../wire/sip/dialog.js';
import type { SipRequest } from '../wire/sip/message.js';
import { tagOf } from '../wire/sip/name-addr.js';
import { parseDigits } from '../wire/sip/number.js';
import { canonicalAor } from '../wire/sip/uri.js';
import { watchedAccount } from './contact.js';
import {
  conferenceAt,
  packageOf,
  receiveConferenceSubscribe,
  refusePackage,
} from './ingress-conference.js';
import { isForeign, originator } from './identity.js';
import type { Identified } from './identity.js';
import { refuse, requiresUnsupported } from './ingress-parts.js';
import type { IngressParts } from './ingress-parts.js';
import { nobody } from './nobody.js';
import { aorUri } from './product.js';

const eventPackage = 'message-summary';
const summaryType = 'application/simple-message-summary';
const tagLength = 16;

export function receiveSubscribe(parts: IngressParts, received: Identified): void {
  const { request } = received;
  const event = packageOf(received);
  const conference = event === 'conference' ? conferenceAt(received) : undefined;
  if (conference !== undefined) {
    receiveConferenceSubscribe(parts, received, conference);
    return;
  }
  if (event !== eventPackage) {
    refusePackage(parts, received);
    return;
  }
  if (requiresUnsupported(parts, received, [])) return;
  const localTag = tagOf(request.header('to'));
  if (localTag === undefined) subscribe(parts, received);
  else refresh(parts, received, localTag);
}

/** D-45: to the own AoR, or to the store with the identity deciding the mailbox. */
function subscribe(parts: IngressParts, received: Identified): void {
  const { request, transaction } = received;
  const named = parts.users.named(request.uri);
  const own = originator(parts, received);
  let account: AccountId;
  if (named.kind === 'user') account = named.account;
  else if (named.kind === 'deferred') account = own ?? nobody;
  else {
    refuse(parts, received, named.kind === 'scheme' ? 416 : 404);
    return;
  }
  const expires = parseDigits(request.header('expires'));
  const accept = request.fields('accept');
  const subscribed = {
    event: eventPackage,
    accepts: accept.length === 0 || acceptsType(accept, summaryType),
    authorised: own === account,
    ...(expires !== undefined && { expires }),
    messageAccount: aorUri(account),
    dialog: dialogOfRequest(request, parts.random.token(tagLength)),
  };
  const at = parts.clock.now();
  const { limits } = parts;
  parts.submit(account, {
    kind: 'event',
    to: 'mailbox',
    event: { type: 'subscribe.received', at, transaction, subscribe: subscribed, limits },
  });
}

/** The Request-URI is our Contact, which names the account. */
function refresh(parts: IngressParts, received: Identified, localTag: string): void {
  const { request, transaction } = received;
  const account = accountOfContact(parts, request);
  if (account === undefined) {
    refuse(parts, received, 481);
    return;
  }
  if (isForeign(parts, received, account)) {
    refuse(parts, received, 403);
    return;
  }
  const expires = parseDigits(request.header('expires'));
  const at = parts.clock.now();
  parts.submit(account, {
    kind: 'refresh',
    event: {
      type: 'refresh.received',
      at,
      transaction,
      dialog: dialogOfRequest(request, localTag),
      ...(expires !== undefined && { expires }),
      limits: parts.limits,
    },
  });
}

function accountOfContact(parts: IngressParts, request: SipRequest): AccountId | undefined {
  const aor = canonicalAor(request.uri);
  if (aor === undefined) return undefined;
  const account = watchedAccount(aor.slice(0, aor.lastIndexOf('@')));
  // Whoever makes up such a URI gets no further than a served user.
  return account === undefined ? undefined : parts.users.account(aorUri(account));
}
