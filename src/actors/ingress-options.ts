/** OPTIONS comes in: what would become of an INVITE to that URI (RFC 3261 11, SIP-08). */

import type { Address } from '../machines/events.js';
import type { SipReceived } from '../ports.js';
import { WireError } from '../wire/error.js';
import type { HeaderField } from '../wire/sip/message.js';
import { parseUri } from '../wire/sip/uri.js';
import { conferenceUri, contactOf } from './contact.js';
import { refuse, requiresUnsupported } from './ingress-parts.js';
import type { IngressParts } from './ingress-parts.js';
import type { OwnerName } from './owner.js';
import { acceptedTypes, imTag, methods, packages } from './product.js';

/** Outside a dialog, by the Request-URI. */
export function receiveOptions(parts: IngressParts, received: SipReceived): void {
  const { request, peer } = received;
  const { users, sip } = parts;
  const { kind } = users.named(request.uri);
  if (kind === 'scheme') {
    refuse(parts, received, 416);
    return;
  }
  const isFocus = kind === 'deferred' || kind === 'message' || isFocusUri(parts, received);
  if (isAbsentFocus(parts, received) || (!isFocus && (kind === 'unknown' || kind === 'nothing'))) {
    refuse(parts, received, 404);
    return;
  }
  if (requiresUnsupported(parts, received, isFocus ? sessionOptions : userOptions)) return;
  const allow = allowedAt(parts, received);
  if (!isFocus) {
    answer(parts, received, { allow, events: packages.user });
    return;
  }
  const user = isFocusUri(parts, received) ? sipUri(request.uri)?.user : undefined;
  const uri = sip.contactUri(
    user === undefined ? 'Deferred' : decodeURIComponent(user),
    peer.transport,
  );
  const contact = `<${uri}>;automata;isfocus;${imTag}`;
  const events = user === undefined ? packages.deferred : packages.focus;
  answer(parts, received, { allow, events, contact });
}

/** Inside the dialog of a focus or a push (11.2: nothing of the session changes). */
export function receiveOptionsInside(
  parts: IngressParts,
  received: SipReceived,
  { account, address }: OwnerName,
): void {
  if (requiresUnsupported(parts, received, sessionOptions)) return;
  const allow = allowedInside({ account, address });
  if (!address.startsWith('focus/')) {
    answer(parts, received, { allow, events: packages.user });
    return;
  }
  const contact = contactOf(parts.sip, account, address as Address);
  answer(parts, received, { allow, events: packages.focus, contact });
}

/** The methods inside the dialog of an actor. */
export function allowedInside({ address }: OwnerName): string {
  return address.startsWith('focus/') ? methods.focus : methods.dialog;
}

/** The methods of a URI, for Allow (8.2.1). */
export function allowedAt(parts: IngressParts, received: SipReceived): string {
  const { kind } = parts.users.named(received.request.uri);
  if (kind === 'deferred') return methods.deferred;
  if (kind === 'delete') return methods.delete;
  if (isFocusUri(parts, received)) return methods.focus;
  return kind === 'message' ? methods.dialog : methods.user;
}

const sessionOptions = ['recipient-list-invite', 'timer'];
const userOptions = ['path', 'timer'];

/** RFC 4579 4.3: whoever is a focus says so. */
function answer(
  parts: IngressParts,
  received: SipReceived,
  {
    allow,
    events,
    contact,
  }: {
    readonly allow: string;
    readonly events: string;
    /** Of a focus. */
    readonly contact?: string;
  },
): void {
  const isFocus = contact !== undefined;
  const headers: HeaderField[] = [
    ['Allow', allow],
    ['Accept', acceptedTypes],
    ['Accept-Encoding', 'identity'],
    ['Supported', (isFocus ? sessionOptions : userOptions).join(', ')],
    ['Allow-Events', events],
  ];
  if (isFocus) headers.push(['Contact', contact]);
  refuse(parts, received, 200, { headers });
}

/** The Contact of a focus, which is told apart from users by our own host and port. */
function isFocusUri(parts: IngressParts, { request, peer }: SipReceived): boolean {
  const asked = sipUri(request.uri);
  if (asked?.user === undefined || conferenceUri(asked.user) === undefined) return false;
  const own = sipUri(parts.sip.contactUri(asked.user, peer.transport));
  return own !== undefined && own.host === asked.host && own.port === asked.port;
}

/** A conference that is over, or never was. */
function isAbsentFocus(parts: IngressParts, received: SipReceived): boolean {
  if (!isFocusUri(parts, received)) return false;
  const name = conferenceUri(sipUri(received.request.uri)?.user ?? '');
  return name !== undefined && !parts.hasFocus(name.account, name.focus);
}

function sipUri(uri: string) {
  try {
    const parsed = parseUri(uri);
    return parsed.scheme === 'sip' || parsed.scheme === 'sips' ? parsed : undefined;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
