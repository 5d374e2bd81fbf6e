/** REGISTER comes in: of a trusted S-CSCF for the user, or of the user (STANDARDS 2.3). */

import type { ContactFacts, RegisterFacts } from '../machines/events.js';
import type { AccountId } from '../ports.js';
import { WireError } from '../wire/error.js';
import { imCapability } from '../wire/sip/accept-contact.js';
import { parseCseq } from '../wire/sip/cseq.js';
import type { HeaderField, SipRequest } from '../wire/sip/message.js';
import { parseNameAddr, uriOf } from '../wire/sip/name-addr.js';
import { parseDigits } from '../wire/sip/number.js';
import { canonicalAor } from '../wire/sip/uri.js';
import type { AnswerParts } from './account-world.js';
import { originator } from './identity.js';
import type { Identified } from './identity.js';
import { refuse, requiresUnsupported } from './ingress-parts.js';
import type { IngressParts } from './ingress-parts.js';
import { thirdPartyFacts } from './third-party-register.js';
import type { ThirdPartyFacts } from './third-party-register.js';

/** Contacts of one REGISTER that are looked at. */
const contactsMax = 64;

export function receiveRegister(parts: IngressParts, received: Identified): void {
  const { request, sender } = received;
  const from = uriOf(request.header('from'));
  const to = uriOf(request.header('to'));
  if (from === undefined || to === undefined) throw new WireError('SIP_ADDRESS', 'From or To');
  const thirdParty = isThirdParty(from, to);
  // TPR-06: whoever is not trusted could have everybody's messages sent to himself.
  if (!sender.isTrusted && (thirdParty || !isOwn(parts, received, to))) {
    refuse(parts, received, 403, { warning: 'REGISTER of a peer that is not trusted' });
    return;
  }
  const facts = thirdParty ? thirdPartyFacts(request, parts.bounds.bodyBytes) : undefined;
  const account = accountOf(parts, to, facts && { ...facts, expires: expiresOf(parts, request) });
  if (account === undefined) {
    refuse(parts, received, 404);
    return;
  }
  if (requiresUnsupported(parts, received, ['path'])) return;
  if (!facts && !parts.registrar) {
    refuse(parts, received, 403, { warning: 'Users do not register here' });
    return;
  }
  if (facts) submitThirdParty(parts, received, account, { ...facts, identity: to });
  else submitOwn(parts, received, account);
}

/** D-64: digest identity and AoR are of one account. */
function isOwn(parts: IngressParts, received: Identified, to: string): boolean {
  const own = originator(parts, received);
  return own !== undefined && own === parts.users.account(to);
}

/** U22: the tel identity of a user may come first, and leads to the account of the others. */
function accountOf(
  { users }: IngressParts,
  to: string,
  told: { readonly identities: readonly string[]; readonly expires: number } | undefined,
): AccountId | undefined {
  let account = users.account(to);
  if (!told) return account;
  const { identities, expires } = told;
  for (const uri of identities) account ??= users.account(uri);
  if (account !== undefined) users.associate(account, identities, expires * 1_000);
  return account;
}

function expiresOf({ limits }: IngressParts, request: SipRequest): number {
  return parseDigits(request.header('expires')) ?? limits.register.default;
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
  received: Identified,
  account: AccountId,
  told: ThirdPartyFacts & { readonly identity: string },
): void {
  const { request } = received;
  const { identity } = told;
  const scscf = uriOf(request.list('contact')[0]) ?? uriOf(request.header('from'));
  if (scscf === undefined) throw new WireError('SIP_ADDRESS', 'REGISTER without S-CSCF');
  const expires = expiresOf(parts, request);
  const path = [`<${looseRouter(scscf)}>`];
  const known = told.im === 'unknown' ? parts.registrations?.im(account) : undefined;
  const im = known ?? told.im;
  const taken = submit(parts, received, account, undefined, {
    by: 'scscf',
    contacts: [{ uri: identity, expires, im, q: 1 }],
    removeAll: false,
    path,
  });
  if (!taken) return;
  answerThirdParty(parts, received, scscf, expires);
  parts.registrations?.registered({ account, identity, path, im, expires });
}

/**
 * TPR-03: the S-CSCF has granted that time already, and the answer repeats it. It promises nothing
 * of ours, so that it does not wait for the store.
 */
function answerThirdParty(
  { sip, product }: IngressParts,
  { transaction }: Identified,
  scscf: string,
  expires: number,
): void {
  const headers: HeaderField[] = [['Server', product.name]];
  if (expires > 0) headers.push(['Contact', `<${scscf}>;expires=${expires}`]);
  headers.push(['Expires', String(expires)]);
  sip.respond(transaction, { status: 200, headers });
}

/** The S-CSCF is a loose router whether its URI says so or not: the request is for the user. */
function looseRouter(uri: string): string {
  return /;lr(?:[;=?]|$)/i.test(uri) ? uri : `${uri};lr`;
}

function submitOwn(parts: IngressParts, received: Identified, account: AccountId): void {
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
  { request, transaction }: Identified,
  account: AccountId,
  asked: AnswerParts | undefined,
  facts: Omit<RegisterFacts, 'callId' | 'cseq'>,
): boolean {
  const { number: cseq } = parseCseq(request.header('cseq') ?? '');
  const callId = request.header('call-id') ?? '';
  const register = { ...facts, callId, cseq };
  const at = parts.clock.now();
  const { limits } = parts;
  const event = { type: 'register.received', at, transaction, register, limits } as const;
  return parts.submit(account, { kind: 'event', to: 'mailbox', event, asked });
}

/** RFC 3261 10.3: `*` stands alone, with Expires 0. */
function ownContacts(
  parts: IngressParts,
  request: SipRequest,
): Pick<RegisterFacts, 'contacts' | 'removeAll'> {
  const values = request.list('contact');
  const whole = expiresOf(parts, request);
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
