/** What every part of ingress has at hand, and how it refuses. */

import type { Limits } from '../machines/events.js';
import type { AccountId, Clock, Log, Peer, Random, SipPort, SipReceived } from '../ports.js';
import type { HeaderField, SipRequest } from '../wire/sip/message.js';
import { uriOf } from '../wire/sip/name-addr.js';
import type { Input } from './account-world.js';
import { refusal } from './answers.js';
import type { Counters } from './counters.js';
import type { Bounds } from './options.js';
import type { Product } from './product.js';
import type { ServedUsers } from './served-users.js';

export interface IngressParts {
  readonly sip: SipPort;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly limits: Limits;
  readonly bounds: Bounds;
  readonly counters: Counters;
  readonly users: ServedUsers;
  readonly product: Product;
  /** Whether users register here directly. */
  readonly registrar: boolean;
  isTrusted(address: string): boolean;
  /** An INVITE that is not answered yet is not waited for any more. */
  cancel(transaction: string): void;
  /** Hands an input to an account; false: it was refused, and answered if it asked. */
  submit(account: AccountId, input: Input): boolean;
}

/** Answers a request that no actor has to decide. */
export function refuse(
  parts: IngressParts,
  received: SipReceived,
  status: number,
  more: { readonly warning?: string; readonly headers?: readonly HeaderField[] } = {},
): void {
  parts.sip.respond(received.transaction, refusal(status, parts.product, more));
}

/** PAI-01, D-64: the first identity that a trusted peer asserts; From is never used. */
export function assertedIdentities(
  parts: IngressParts,
  request: SipRequest,
  peer: Peer,
): readonly string[] {
  if (!parts.isTrusted(peer.address)) return [];
  const identities: string[] = [];
  for (const value of request.list('p-asserted-identity')) {
    const uri = uriOf(value);
    if (uri !== undefined) identities.push(uri);
  }
  return identities;
}

/** The account of whoever sends the request; undefined for everybody who has none. */
export function originator(
  parts: IngressParts,
  request: SipRequest,
  peer: Peer,
): AccountId | undefined {
  for (const uri of assertedIdentities(parts, request, peer)) {
    const account = parts.users.account(uri);
    if (account !== undefined) return account;
  }
  return undefined;
}

/**
 * SIP-03: 420 with exactly the options that are not supported. `pref` asks for nothing that could
 * be lacking.
 */
export function requiresUnsupported(
  parts: IngressParts,
  received: SipReceived,
  supported: readonly string[],
): boolean {
  const required = received.request.list('require');
  if (required.length === 0) return false;
  const lacking = required.filter((tag) => {
    const option = tag.toLowerCase();
    return option !== 'pref' && !supported.includes(option);
  });
  if (lacking.length === 0) return false;
  refuse(parts, received, 420, { headers: [['Unsupported', lacking.join(', ')]] });
  return true;
}
