/** What every part of ingress has at hand, and how it refuses. */

import type { Limits } from '../machines/events.js';
import type { AccountId, Clock, Log, Peer, Random, SipPort, SipReceived } from '../ports.js';
import { acceptsType } from '../wire/sip/content-type.js';
import type { HeaderField } from '../wire/sip/message.js';
import type { Input } from './account-world.js';
import { refusal } from './answers.js';
import type { Authentication } from './authentication.js';
import type { Proof } from './authentication-info.js';
import type { Counters } from './counters.js';
import type { MediaUse } from './media-facts.js';
import type { SettingsPackage } from './ingress-publish.js';
import type { Bounds } from './options.js';
import type { Policy } from './policy.js';
import type { Product } from './product.js';
import type { RegistrationWatches } from './registration-watches.js';
import type { ServedUsers } from './served-users.js';

export interface IngressParts {
  readonly sip: SipPort;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly limits: Limits;
  readonly bounds: Bounds;
  /** What can be done with the session description of a peer. */
  readonly media: MediaUse;
  readonly counters: Counters;
  readonly users: ServedUsers;
  readonly product: Product;
  readonly policy: Policy;
  /** How settings are published. */
  readonly settingsPackage: SettingsPackage;
  /** Whether users register here directly. */
  readonly registrar: boolean;
  /** Whether Privacy: id is honoured towards recipients (PAI-03). */
  readonly privacy: boolean;
  /** How others than trusted peers prove who they are; undefined: they do not. */
  readonly authentication: Authentication | undefined;
  /** What S-CSCFs are asked to tell of registrations; undefined: nothing. */
  readonly registrations: RegistrationWatches | undefined;
  isTrusted(peer: Peer): boolean;
  /** Nothing is begun any more; what has begun goes on (U25). */
  isDraining(): boolean;
  /** A 2xx to this request shows that we know the credentials too (RFC 7616 3.5). */
  prove(transaction: string, proof: Proof): void;
  /** Whether that focus stands. */
  hasFocus(account: AccountId, focus: number): boolean;
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

/** 13.3.1: whoever takes no description of a session cannot have one. */
export function refusesSdp(parts: IngressParts, received: SipReceived): boolean {
  const accept = received.request.fields('accept');
  if (accept.length === 0 || acceptsType(accept, 'application/sdp')) return false;
  refuse(parts, received, 406);
  return true;
}
