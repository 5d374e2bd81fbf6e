/** SUBSCRIBE comes in to the conference of a retrieval, in the dialog of its INVITE or not (CNF-01). */

import type { ConferenceSubscribeFacts } from '../machines/events.js';
import type { AccountId } from '../ports.js';
import { acceptsType } from '../wire/sip/content-type.js';
import { dialogOfRequest } from '../wire/sip/dialog.js';
import { tagOf } from '../wire/sip/name-addr.js';
import { parseDigits } from '../wire/sip/number.js';
import { canonicalAor } from '../wire/sip/uri.js';
import { conferenceInfoType } from '../wire/xml/conference-info.js';
import { conferenceUri, type ConferenceName } from './contact.js';
import { isForeign, originator } from './identity.js';
import type { Identified } from './identity.js';
import { refuse, requiresUnsupported } from './ingress-parts.js';
import type { IngressParts } from './ingress-parts.js';
import { nobody } from './nobody.js';
import type { OwnerName } from './owner.js';
import { aorUri, packages } from './product.js';

const tagLength = 16;

/** Outside the dialog of a focus: whom the Request-URI names, and who asks. */
export function receiveConferenceSubscribe(
  parts: IngressParts,
  received: Identified,
  { account, focus }: ConferenceName,
): void {
  if (requiresUnsupported(parts, received, [])) return;
  const { request } = received;
  const localTag = tagOf(request.header('to'));
  if (localTag !== undefined) {
    refresh(parts, received, account, localTag);
    return;
  }
  // Whoever makes up such a URI gets no further than a served user, and learns of none.
  const served = parts.users.account(aorUri(account)) === account ? account : nobody;
  const isOwner = served !== nobody && originator(parts, received) === served;
  submit(parts, received, {
    account: served,
    focus,
    subscribe: facts(received, { authorised: isOwner, inside: false, localTag: fresh(parts) }),
  });
}

/** In the dialog of the INVITE, which proves whose it is (RFC 6665 4.5.2). */
export function receiveSubscribeInside(
  parts: IngressParts,
  received: Identified,
  { account, address }: OwnerName,
): void {
  const event = packageOf(received);
  const isFocus = address.startsWith('focus/');
  if (event !== 'conference' || !isFocus) {
    const headers = isFocus ? ([['Allow-Events', 'conference']] as const) : [];
    refuse(parts, received, 489, { headers });
    return;
  }
  if (requiresUnsupported(parts, received, [])) return;
  if (isForeign(parts, received, account)) {
    refuse(parts, received, 403);
    return;
  }
  const localTag = tagOf(received.request.header('to')) ?? '';
  submit(parts, received, {
    account,
    focus: Number(address.slice('focus/'.length)),
    subscribe: facts(received, { authorised: true, inside: true, localTag }),
  });
}

/** The event package that a SUBSCRIBE names, in lower case. */
export function packageOf({ request }: Pick<Identified, 'request'>): string | undefined {
  return request.header('event')?.split(';', 1)[0]?.trim().toLowerCase();
}

/** EVT-02: which packages there are at this URI. */
export function refusePackage(parts: IngressParts, received: Identified): void {
  const isFocus = conferenceAt(received) !== undefined;
  const event = isFocus ? packages.focus : packages.user;
  refuse(parts, received, 489, { headers: [['Allow-Events', event]] });
}

/** The conference that the Request-URI names. */
export function conferenceAt({ request }: Pick<Identified, 'request'>): ConferenceName | undefined {
  const aor = canonicalAor(request.uri);
  return aor === undefined ? undefined : conferenceUri(aor.slice(0, aor.lastIndexOf('@')));
}

function refresh(
  parts: IngressParts,
  received: Identified,
  account: AccountId,
  localTag: string,
): void {
  const { request, transaction } = received;
  const expires = parseDigits(request.header('expires'));
  if (parts.users.account(aorUri(account)) !== account) {
    refuse(parts, received, 481);
    return;
  }
  if (isForeign(parts, received, account)) {
    refuse(parts, received, 403);
    return;
  }
  parts.submit(account, {
    kind: 'refresh',
    event: {
      type: 'refresh.received',
      at: parts.clock.now(),
      transaction,
      dialog: dialogOfRequest(request, localTag),
      ...(expires !== undefined && { expires }),
      limits: parts.limits,
    },
  });
}

function submit(
  parts: IngressParts,
  { transaction, peer }: Identified,
  {
    account,
    ...asked
  }: {
    readonly account: AccountId;
    readonly focus: number;
    readonly subscribe: ConferenceSubscribeFacts;
  },
): void {
  const at = parts.clock.now();
  const { limits } = parts;
  parts.submit(account, {
    kind: 'event',
    to: 'mailbox',
    event: { type: 'conference.requested', at, transaction, ...asked, limits },
    asked: { transport: peer.transport },
  });
}

function facts(
  { request }: Identified,
  given: { readonly authorised: boolean; readonly inside: boolean; readonly localTag: string },
): ConferenceSubscribeFacts {
  const { localTag, ...who } = given;
  const accept = request.fields('accept');
  const expires = parseDigits(request.header('expires'));
  return {
    ...who,
    accepts: accept.length === 0 || acceptsType(accept, conferenceInfoType),
    ...(expires !== undefined && { expires }),
    dialog: dialogOfRequest(request, localTag),
  };
}

function fresh({ random }: IngressParts): string {
  return random.token(tagLength);
}
