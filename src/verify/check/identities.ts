/** Whose an identity is: users have several AoRs and numbers, of which one names the account. */

import { thirdPartyFacts } from '../../actors/third-party-register.js';
import { parseNameAddr, uriOf } from '../../wire/sip/name-addr.js';
import { canonicalAor } from '../../wire/sip/uri.js';
import type { Conversation } from './conversation.js';
import type { Exchange } from './exchange.js';
import { askerOf } from './inbound.js';
import { MsrpTalk } from './msrp-talk.js';
import { readable, SessionMedia } from './session-media.js';

const bodyBytes = 1_048_576;

export class Identities {
  readonly #users = new Map<string, string>();

  /** The user of a canonical AoR. */
  of(aor: string): string {
    return this.#users.get(aor) ?? aor;
  }

  /** What was told first counts. */
  add(aor: string | undefined, user: string): void {
    if (aor === undefined || this.#users.has(aor)) return;
    const owner = this.of(user);
    if (aor !== owner) this.#users.set(aor, owner);
  }
}

/**
 * Those that are given, by URI or canonical, and those that the trace tells: P-Associated-URI in
 * the answer to a REGISTER or in a REGISTER of an S-CSCF, and several asserted by one request.
 */
export function identitiesOf(
  { exchanges, turns }: Conversation,
  given: ReadonlyMap<string, string> = new Map(),
): Identities {
  const identities = new Identities();
  for (const [alias, user] of given) {
    identities.add(canonicalAor(alias) ?? alias, canonicalAor(user) ?? user);
  }
  for (const { method, inbound, request, final } of exchanges) {
    if (method !== 'REGISTER' || !inbound) continue;
    const user = canonicalAor(uriOf(request.message.header('to')) ?? '');
    if (user === undefined) continue;
    const isGranted = final !== undefined && final.message.status < 300;
    for (const uri of thirdPartyFacts(request.message, bodyBytes).identities) {
      identities.add(canonicalAor(uri), user);
    }
    const told = isGranted ? final.message.list('p-associated-uri') : [];
    for (const value of told) identities.add(uriIn(value), user);
  }
  for (const { inbound, request } of exchanges) {
    const asserted = inbound ? request.message.list('p-asserted-identity') : [];
    const asker = asserted.length > 1 ? askerOf(request.message) : undefined;
    if (asker !== undefined) for (const value of asserted) identities.add(uriIn(value), asker);
  }
  addNumbers(identities, exchanges, turns);
  return identities;
}

/**
 * A number is nobody by itself: whose it is that nobody tells, the user tells who is given what was
 * sent to it. What stands under an AoR is told of nobody else.
 */
function addNumbers(
  identities: Identities,
  exchanges: Conversation['exchanges'],
  turns: Conversation['turns'],
): void {
  const numbers = new Map<string, string>();
  for (const { method, inbound, callId, request } of exchanges) {
    if (!inbound || (method !== 'MESSAGE' && method !== 'INVITE')) continue;
    const number = canonicalAor(request.message.uri);
    const isUnknown = number?.includes('@') === false && identities.of(number) === number;
    if (isUnknown) numbers.set(callId, number);
  }
  if (numbers.size === 0) return;
  const talk = new MsrpTalk(turns, new SessionMedia(exchanges));
  for (const exchange of exchanges) {
    if (exchange.method !== 'INVITE' || numbers.has(exchange.callId)) continue;
    const user = userOf(exchange);
    if (user === undefined) continue;
    for (const inner of talk.sent(exchange.callId)) identities.add(numbers.get(inner), user);
  }
}

/** Whose session it is: who asks for it, or whom it is for. */
function userOf({ inbound, request: { message } }: Exchange): string | undefined {
  return inbound ? askerOf(message) : canonicalAor(uriOf(message.header('to')) ?? '');
}

function uriIn(value: string): string | undefined {
  return canonicalAor(readable(() => parseNameAddr(value))?.uri ?? '');
}
