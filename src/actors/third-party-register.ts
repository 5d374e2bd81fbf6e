/** What a third-party REGISTER tells of the user's own: capabilities and identities (TPR-02, U22). */

import { imCapability } from '../wire/sip/accept-contact.js';
import type { SipHeaders, SipRequest } from '../wire/sip/message.js';
import { parseNameAddr, uriOf } from '../wire/sip/name-addr.js';
import { parseDigits } from '../wire/sip/number.js';
import { parseSipfrag } from '../wire/sip/sipfrag.js';
import { canonicalAor } from '../wire/sip/uri.js';
import { bodyParts } from './request-body.js';

/** Contacts of one embedded message that are looked at. */
const contactsMax = 64;
/** Identities of one user that are learnt. */
const identitiesMax = 16;

export interface ThirdPartyFacts {
  /** Whether one of the contacts is an IM client. */
  readonly im: boolean | 'unknown';
  /** All identities of the user, that of To among them; empty when it does not say. */
  readonly identities: readonly string[];
}

/**
 * TPR-02: nothing, service information, the REGISTER of the client, the 200 to it, or several. The
 * 200 lists every contact of the user, so it knows more than the REGISTER.
 */
export function thirdPartyFacts(request: SipRequest, bodyBytes: number): ThirdPartyFacts {
  let associated: readonly string[] | undefined;
  let asked: boolean | 'unknown' | undefined;
  let granted: boolean | 'unknown' | undefined;
  for (const { type, body } of bodyParts(request, bodyBytes)) {
    if (type !== 'message/sip' && type !== 'message/sipfrag') continue;
    const embedded = parseSipfrag(body);
    const capability = capabilityOf(embedded);
    if (embedded.startLine?.startsWith('SIP/2.0 ') === true) {
      granted ??= capability;
      associated ??= associatedUris(embedded);
    } else asked ??= capability;
  }
  const told = associated ?? associatedUris(request) ?? [];
  const aor = canonicalAor(uriOf(request.header('to')) ?? '');
  // Only a list that has the identity it came for is that of the user.
  const isHis = aor !== undefined && told.some((uri) => canonicalAor(uri) === aor);
  const identities = isHis ? told : [];
  return { im: granted ?? asked ?? 'unknown', identities };
}

/** One contact with the tag, or of unknown capabilities, makes the user available (D-40). */
function capabilityOf(message: SipHeaders): boolean | 'unknown' | undefined {
  let found: boolean | 'unknown' | undefined;
  for (const value of message.list('contact').slice(0, contactsMax)) {
    if (value === '*') continue;
    const { params } = parseNameAddr(value);
    if (parseDigits(params.get('expires')) === 0) continue;
    const im = imCapability(params);
    if (im === true) return true;
    found = found === 'unknown' ? found : im;
  }
  return found;
}

/** RFC 7315 4.1: the identities of the user; undefined when the message does not say. */
function associatedUris(message: SipHeaders): readonly string[] | undefined {
  const values = message.list('p-associated-uri');
  if (values.length === 0) return undefined;
  return values.slice(0, identitiesMax).flatMap((value) => uriOf(value) ?? []);
}
