/**
 * Deletion by the owner comes in: REFER with `method=BYE` to the Deferred Messaging Function, or a
 * MESSAGE with a URI list to the delete URI (D-31).
 */

import { serialSet } from '../machines/serial-set.js';
import { WireError } from '../wire/error.js';
import type { HeaderField, SipRequest } from '../wire/sip/message.js';
import { parseNameAddr } from '../wire/sip/name-addr.js';
import { parseUri } from '../wire/sip/uri.js';
import { parseUriList } from '../wire/xml/resource-lists.js';
import { originator } from './identity.js';
import type { Identified } from './identity.js';
import { refuse, requiresUnsupported } from './ingress-parts.js';
import type { IngressParts } from './ingress-parts.js';
import { methods } from './product.js';
import { bodyParts, UnsupportedBody } from './request-body.js';
import type { BodyPart } from './request-body.js';

/** RFC 3515, RFC 4488, RFC 5368. No subscription is ever made, so that must have been asked for. */
export function receiveRefer(parts: IngressParts, received: Identified): void {
  const { request } = received;
  const { kind } = parts.users.named(request.uri);
  if (kind !== 'deferred') {
    refuseAt(parts, received, kind);
    return;
  }
  if (requiresUnsupported(parts, received, ['norefersub', 'multiple-refer'])) return;
  const target = referTarget(request);
  if (!suppressesSubscription(request)) {
    // RFC 3261 21.4.15: the extension that the request would have needed.
    refuse(parts, received, 421, {
      headers: [['Require', 'norefersub']],
      warning: 'Refer-Sub: false is needed',
    });
    return;
  }
  const uris = /^cid:/i.test(target)
    ? referredList(request, target, parts.bounds.bodyBytes)
    : [target];
  const removed = uris.filter((uri) => methodOf(uri) === 'BYE');
  if (removed.length === 0) {
    refuse(parts, received, 403, { warning: 'Only method=BYE is done here' });
    return;
  }
  requestDeletion(parts, received, removed, [
    ['Refer-Sub', 'false'],
    ['Contact', `<${parts.users.deferredUri}>;automata`],
  ]);
}

/** RFC 5365 at the delete URI: the list names what is to go, and nothing is sent to anybody. */
export function receiveDeletionList(parts: IngressParts, received: Identified): void {
  if (requiresUnsupported(parts, received, ['recipient-list-message'])) return;
  const found = bodyParts(received.request, parts.bounds.bodyBytes);
  requestDeletion(parts, received, recipientList(found), []);
}

/** Authorised as a retrieval is (D-64); who has no account here hears the same (D-63). */
function requestDeletion(
  parts: IngressParts,
  received: Identified,
  uris: readonly string[],
  headers: readonly HeaderField[],
): void {
  const account = originator(parts, received);
  if (account === undefined) {
    refuse(parts, received, 403, { warning: '127 Service not authorised' });
    return;
  }
  const serials: number[] = [];
  const foreign: string[] = [];
  for (const uri of uris) {
    const serial = parts.users.serialOf(uri);
    if (serial !== undefined) serials.push(serial);
    else foreign.push(uri);
  }
  const at = parts.clock.now();
  const { transaction } = received;
  parts.submit(account, {
    kind: 'event',
    to: 'mailbox',
    event: {
      type: 'deletion.requested',
      ...{ at, transaction, serials: serialSet(serials), foreign, limits: parts.limits },
    },
    asked: { headers },
  });
}

function refuseAt(parts: IngressParts, received: Identified, kind: string): void {
  if (kind === 'scheme') refuse(parts, received, 416);
  else if (kind === 'user' || kind === 'message' || kind === 'delete') {
    const allow =
      kind === 'user' ? methods.user : kind === 'delete' ? methods.delete : methods.dialog;
    refuse(parts, received, 405, { headers: [['Allow', allow]] });
  } else refuse(parts, received, 404);
}

/** RFC 3515 2.4.2: exactly one. */
function referTarget(request: SipRequest): string {
  const [value, ...others] = request.fields('refer-to');
  if (value === undefined || others.length > 0) {
    throw new WireError('SIP_REFER_TO', 'there is not exactly one Refer-To');
  }
  return parseNameAddr(value).uri;
}

function suppressesSubscription(request: SipRequest): boolean {
  const wish = request.header('refer-sub')?.split(';', 1)[0]?.trim().toLowerCase();
  return wish === 'false';
}

/** RFC 5368 5: the part that the Content-ID names; several parts with lists are one list. */
function referredList(request: SipRequest, target: string, bodyBytes: number): readonly string[] {
  const found = bodyParts(request, bodyBytes);
  const id = decoded(target.slice(4));
  if (!found.some(({ contentId }) => contentId === id)) {
    throw new WireError('SIP_REFER_TO', 'Refer-To names no part of the body');
  }
  return recipientList(found);
}

/** LIST-02: several parts are one union. D-70: a list that names nothing is malformed. */
function recipientList(found: readonly BodyPart[]): readonly string[] {
  const uris: string[] = [];
  for (const { type, disposition, optional, body } of found) {
    if (type === 'application/resource-lists+xml' && isRecipientList(disposition)) {
      for (const uri of parseUriList(body)) uris.push(uri);
    } else if (!optional) throw new UnsupportedBody('a part of the body is no recipient-list');
  }
  if (uris.length === 0) throw new WireError('LIST_EMPTY', 'the list names nothing');
  return uris;
}

/** A body that is a list can be nothing else here. */
function isRecipientList(disposition: string | undefined): boolean {
  return disposition === undefined || disposition === 'recipient-list';
}

/** RFC 3515: what is not said is INVITE. */
function methodOf(uri: string): string | undefined {
  try {
    const parsed = parseUri(uri);
    if (parsed.scheme !== 'sip' && parsed.scheme !== 'sips') return undefined;
    const inHeaders = parsed.headers.find(([name]) => name.toLowerCase() === 'method');
    return parsed.params.get('method') ?? inHeaders?.[1] ?? 'INVITE';
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function decoded(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    throw new WireError('SIP_REFER_TO', 'an escape in the Content-ID is malformed');
  }
}
