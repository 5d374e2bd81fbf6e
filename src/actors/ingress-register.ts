/** REGISTER comes in: of a trusted S-CSCF for the user, or of the user (STANDARDS 2.3). */

import type { ContactFacts, RegisterFacts } from '../machines/events.js';
import type { AccountId, SipReceived } from '../ports.js';
import { WireError } from '../wire/error.js';
import { imCapability } from '../wire/sip/accept-contact.js';
import { parseCseq } from '../wire/sip/cseq.js';
import type { HeaderField, SipHeaders, SipRequest } from '../wire/sip/message.js';
import { parseNameAddr, uriOf } from '../wire/sip/name-addr.js';
import { parseDigits } from '../wire/sip/number.js';
import { parseSipfrag } from '../wire/sip/sipfrag.js';
import { canonicalAor } from '../wire/sip/uri.js';
import type { AnswerParts } from './account-world.js';
import { refuse, requiresUnsupported } from './ingress-parts.js';
import type { IngressParts } from './ingress-parts.js';
import { bodyParts } from './request-body.js';

/** Contacts of one REGISTER that are looked at. */
const contactsMax = 64;

export function receiveRegister(parts: IngressParts, received: SipReceived): void {
  const { request, peer } = received;
  const from = uriOf(request.header('from'));
  const to = uriOf(request.header('to'));
  if (from === undefined || to === undefined) throw new WireError('SIP_ADDRESS', 'From or To');
  // TPR-06: whoever is not trusted could have everybody's messages sent to himself.
  if (!parts.isTrusted(peer.address)) {
    refuse(parts, received, 403, { warning: 'REGISTER of a peer that is not trusted' });
    return;
  }
  const account = parts.users.account(to);
  if (account === undefined) {
    refuse(parts, received, 404);
    return;
  }
  if (requiresUnsupported(parts, received, ['path'])) return;
  const thirdParty = isThirdParty(from, to);
  if (!thirdParty && !parts.registrar) {
    refuse(parts, received, 403, { warning: 'Users do not register here' });
    return;
  }
  if (thirdParty) submitThirdParty(parts, received, account, to);
  else submitOwn(parts, received, account);
}

/** TPR-01: From is the S-CSCF, To the public identity. */
function isThirdParty(from: string, to: string): boolean {
  const sender = canonicalAor(from);
  return sender === undefined || sender !== canonicalAor(to);
}

/**
 * PATH-01: the user is reached by the public identity through the S-CSCF, so that is the one
 * binding; the embedded messages tell what the client can do (TPR-02).
 */
function submitThirdParty(
  parts: IngressParts,
  received: SipReceived,
  account: AccountId,
  identity: string,
): void {
  const { request } = received;
  const scscf = uriOf(request.list('contact')[0]) ?? uriOf(request.header('from'));
  if (scscf === undefined) throw new WireError('SIP_ADDRESS', 'REGISTER without S-CSCF');
  const expires = parseDigits(request.header('expires')) ?? parts.limits.register.default;
  // TPR-03: the S-CSCF has granted that time already, the answer repeats it.
  const answer = { contactUri: scscf, headers: [['Expires', String(expires)]] as const };
  const im = embeddedCapability(request, parts.bounds.bodyBytes);
  submit(parts, received, account, answer, {
    by: 'scscf',
    contacts: [{ uri: identity, expires, im, q: 1 }],
    removeAll: false,
    path: [`<${looseRouter(scscf)}>`],
  });
}

/** The S-CSCF is a loose router whether its URI says so or not: the request is for the user. */
function looseRouter(uri: string): string {
  return /;lr(?:[;=?]|$)/i.test(uri) ? uri : `${uri};lr`;
}

function submitOwn(parts: IngressParts, received: SipReceived, account: AccountId): void {
  const { request } = received;
  const path = request.list('path');
  const headers: HeaderField[] = path.map((value) => ['Path', value]);
  submit(
    parts,
    received,
    account,
    { headers },
    {
      by: 'ue',
      ...ownContacts(parts, request),
      path,
    },
  );
}

function submit(
  parts: IngressParts,
  { request, transaction }: SipReceived,
  account: AccountId,
  asked: AnswerParts,
  facts: Omit<RegisterFacts, 'callId' | 'cseq'>,
): void {
  const { number: cseq } = parseCseq(request.header('cseq') ?? '');
  const callId = request.header('call-id') ?? '';
  const register = { ...facts, callId, cseq };
  const at = parts.clock.now();
  const { limits } = parts;
  const event = { type: 'register.received', at, transaction, register, limits } as const;
  parts.submit(account, { kind: 'event', to: 'mailbox', event, asked });
}

/** RFC 3261 10.3: `*` stands alone, with Expires 0. */
function ownContacts(
  parts: IngressParts,
  request: SipRequest,
): Pick<RegisterFacts, 'contacts' | 'removeAll'> {
  const values = request.list('contact');
  const whole = parseDigits(request.header('expires')) ?? parts.limits.register.default;
  if (values.includes('*')) {
    if (values.length > 1 || parseDigits(request.header('expires')) !== 0) {
      throw new WireError('SIP_CONTACT', 'Contact * goes alone and with Expires 0');
    }
    return { contacts: [], removeAll: true };
  }
  if (values.length > contactsMax) throw new WireError('SIP_CONTACT', 'too many contacts', 403);
  return { contacts: values.map((value) => contactFacts(value, whole)), removeAll: false };
}

function contactFacts(value: string, whole: number): ContactFacts {
  const { uri, params } = parseNameAddr(value);
  const expires = parseDigits(params.get('expires')) ?? whole;
  const q = Number(params.get('q') ?? 1);
  return { uri, expires, im: imCapability(params), q: q >= 0 && q <= 1 ? q : 1 };
}

/**
 * TPR-02: nothing, service information, the REGISTER of the client, the 200 to it, or several. The
 * 200 lists every contact of the user, so it knows more than the REGISTER.
 */
function embeddedCapability(request: SipRequest, bodyBytes: number): boolean | 'unknown' {
  let asked: boolean | 'unknown' | undefined;
  let granted: boolean | 'unknown' | undefined;
  for (const { type, body } of bodyParts(request, bodyBytes)) {
    if (type !== 'message/sip' && type !== 'message/sipfrag') continue;
    const embedded = parseSipfrag(body);
    const capability = capabilityOf(embedded);
    if (embedded.startLine?.startsWith('SIP/2.0 ') === true) granted ??= capability;
    else asked ??= capability;
  }
  return granted ?? asked ?? 'unknown';
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
