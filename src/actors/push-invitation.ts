/** The INVITE of a push: what it says is data of the profile (D-47, 1.6). */

import type { FirstMessage } from '../machines/effects.js';
import { writeMultipart } from '../wire/multipart.js';
import type { HeaderField, SipRequest } from '../wire/sip/message.js';
import { methods } from './product.js';
import type { Product } from './product.js';
import type { Beginning, Profile } from './profile.js';

/** What of the first message stands in the INVITE. */
export interface Opening {
  readonly first: FirstMessage;
  /** The message as it was stored; undefined when it is no SIP request. */
  readonly request: SipRequest | undefined;
  /** The message as CPIM, where the INVITE brings it. */
  readonly cpim?: Buffer | undefined;
}

export interface InvitationParts {
  readonly profile: Profile;
  readonly product: Product;
  readonly contact: string;
  /** `sip:Deferred@hostname`. */
  readonly deferredUri: string;
  readonly sdp: Buffer;
  /** Stands in no part of the body. */
  readonly boundary: string;
}

export interface Invitation {
  /** Ours, for From and P-Asserted-Identity. */
  readonly identity: string;
  readonly headers: readonly HeaderField[];
  readonly body: Buffer;
}

export function pushInvitation(parts: InvitationParts, opening: Opening | undefined): Invitation {
  const { profile, product, contact } = parts;
  const identity = identityOf(parts, opening);
  const { contentType, body } = bodyOf(parts, opening?.cpim);
  const headers: HeaderField[] = [
    ['Contact', contact],
    ['P-Asserted-Identity', `<${identity}>`],
    ['Accept-Contact', profile.invitation.acceptContact],
    ['User-Agent', product.name],
    ['Allow', methods.dialog],
    ...(opening ? senderFields(profile, opening) : []),
    ['Content-Type', contentType],
  ];
  return { identity, headers, body };
}

/** Rules 1 and 2: the service is known by the user part of the asserted identity. */
function identityOf({ profile, product, deferredUri }: InvitationParts, opening?: Opening): string {
  const user = profile.invitation.identity[beginningOf(opening)];
  return user === undefined ? deferredUri : `sip:${user}@${product.hostname}`;
}

function beginningOf(opening: Opening | undefined): Beginning {
  if (!opening) return 'any';
  if (opening.cpim) return 'carried';
  return opening.first.message.notification === true ? 'notification' : 'announced';
}

/** Rules 1 and 3: who has written, and what belongs to the conversation. */
function senderFields(profile: Profile, { first, request }: Opening): HeaderField[] {
  const { referredBy, copied } = profile.invitation;
  const fields: HeaderField[] = [];
  const { authId, from } = first.message;
  if (referredBy) fields.push(['Referred-By', `<${authId ?? from}>`]);
  for (const name of copied) {
    const value = request?.header(name);
    if (value !== undefined) fields.push([name, value]);
  }
  return fields;
}

function bodyOf(
  { sdp, boundary }: InvitationParts,
  cpim: Buffer | undefined,
): { readonly contentType: string; readonly body: Buffer } {
  const type = 'application/sdp';
  if (!cpim) return { contentType: type, body: sdp };
  const parts = [
    { headers: [['Content-Type', type]] as const, body: sdp },
    { headers: [['Content-Type', 'message/cpim']] as const, body: cpim },
  ];
  return {
    contentType: `multipart/mixed;boundary="${boundary}"`,
    body: writeMultipart(parts, boundary),
  };
}
