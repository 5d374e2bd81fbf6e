/** REGISTER to the server: the user's own, or that of an S-CSCF for the user (TPR-01). */

import type { ContactFacts, RegisterFacts } from '../../machines/events.js';
import { thirdPartyFacts } from '../../actors/third-party-register.js';
import { WireError } from '../../wire/error.js';
import { imCapability } from '../../wire/sip/accept-contact.js';
import type { SipMessage } from '../../wire/sip/message.js';
import { parseNameAddr, uriOf } from '../../wire/sip/name-addr.js';
import { parseDigits } from '../../wire/sip/number.js';
import { canonicalAor, uriEquals } from '../../wire/sip/uri.js';
import type { Exchange } from './exchange.js';
import { eventFor, orNothing, statusOf, type Inbound } from './inbound.js';

const bodyBytes = 1_048_576;
const defaultExpires = 3_600;

/** A REGISTER that was refused, or challenged, changes nothing. */
export function inboundRegister(exchange: Exchange): Inbound | undefined {
  const { request } = exchange;
  const { message, observed } = request;
  const to = uriOf(message.header('to')) ?? '';
  const user = canonicalAor(to);
  const status = statusOf(exchange);
  if (user === undefined || (status !== undefined && status >= 300)) return undefined;
  const register = registerFacts(exchange, to);
  return {
    user,
    alternatives: ({ limits }) =>
      orNothing(status !== undefined, [
        eventFor('mailbox', {
          ...{ type: 'register.received', at: observed.at, transaction: exchange.id },
          ...{ register, limits },
        }),
      ]),
  };
}

function registerFacts(exchange: Exchange, to: string): RegisterFacts {
  const { cseq, callId, request, final } = exchange;
  const { message } = request;
  const from = canonicalAor(uriOf(message.header('from')) ?? '');
  if (from === canonicalAor(to)) {
    const { contacts, removeAll } = ownContacts(message, final?.message);
    return { by: 'ue', callId, cseq, contacts, removeAll, path: message.list('path') };
  }
  const { im } = thirdPartyFacts(message, bodyBytes);
  const expires = parseDigits(message.header('expires')) ?? defaultExpires;
  const scscf = uriOf(message.list('contact')[0]) ?? uriOf(message.header('from')) ?? '';
  const contacts = [{ uri: to, expires, im, q: 1 }];
  return { by: 'scscf', callId, cseq, contacts, removeAll: false, path: [`<${scscf};lr>`] };
}

/** For how long, the answer says. */
function ownContacts(
  request: SipMessage,
  answer: SipMessage | undefined,
): Pick<RegisterFacts, 'contacts' | 'removeAll'> {
  const values = request.list('contact');
  if (values.includes('*')) return { contacts: [], removeAll: true };
  const whole = parseDigits(request.header('expires')) ?? defaultExpires;
  const granted = (answer?.list('contact') ?? []).flatMap((value) => contactOf(value, whole));
  const overall = parseDigits(answer?.header('expires'));
  const contacts = values
    .flatMap((value) => contactOf(value, whole))
    .map((contact) => {
      if (contact.expires === 0) return contact;
      const given = granted.find(({ uri }) => uriEquals(uri, contact.uri));
      return { ...contact, expires: given?.expires ?? overall ?? contact.expires };
    });
  return { contacts, removeAll: false };
}

function contactOf(value: string, whole: number): ContactFacts[] {
  try {
    const { uri, params } = parseNameAddr(value);
    const q = Number(params.get('q') ?? 1);
    const expires = parseDigits(params.get('expires')) ?? whole;
    return [{ uri, expires, im: imCapability(params), q: q >= 0 && q <= 1 ? q : 1 }];
  } catch (error) {
    if (error instanceof WireError) return [];
    throw error;
  }
}
