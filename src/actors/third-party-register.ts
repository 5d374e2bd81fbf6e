/** What a third-party REGISTER tells of the user's own: capabilities and identities (TPR-02, U22). */

import { WireError } from '../wire/error.js';
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
  const { associated, asked, granted } = embeddedFacts(request, bodyBytes);
  const told = associated ?? associatedUris(request) ?? [];
  const identities = isOfUser(told, request) ? told : [];
  return { im: granted ?? asked ?? 'unknown', identities };
}

interface EmbeddedFacts {
  associated?: readonly string[] | undefined;
  asked?: boolean | 'unknown' | undefined;
  granted?: boolean | 'unknown' | undefined;
}

/** TPR-03: a body that cannot be read says nothing; a refusal could end the registration. */
function embeddedFacts(request: SipRequest, bodyBytes: number): EmbeddedFacts {
  try {
    return readEmbedded(request, bodyBytes);
  } catch (error) {
    if (error instanceof WireError) return {};
    throw error;
  }
}

function readEmbedded(request: SipRequest, bodyBytes: number): EmbeddedFacts {
  const facts: EmbeddedFacts = {};
  for (const { type, body } of bodyParts(request, bodyBytes)) {
    if (type !== 'message/sip' && type !== 'message/sipfrag') continue;
    const embedded = parseSipfrag(body);
    const capability = capabilityOf(embedded);
    if (embedded.startLine?.startsWith('SIP/2.0 ') === true) {
      facts.granted ??= capability;
      facts.associated ??= associatedUris(embedded);
    } else facts.asked ??= capability;
  }
  return facts;
}

/** A list that has the identity it came for, or the telephone numbers alone, as some cores tell. */
function isOfUser(told: readonly string[], request: SipRequest): boolean {
  const aor = canonicalAor(uriOf(request.header('to')) ?? '');
  if (aor === undefined) return false;
  return told.some((uri) => canonicalAor(uri) === aor) || told.every((uri) => /^tel:/i.test(uri));
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
