/** Who sends a request: asserted by a trusted peer (RFC 3325), or proven by digest (RFC 3261 22). */

import type { AccountId, SipReceived } from '../ports.js';
import type { HeaderField, SipRequest } from '../wire/sip/message.js';
import { parseNameAddr, uriOf } from '../wire/sip/name-addr.js';
import type { Authentication, Verdict } from './authentication.js';
import { refuse } from './ingress-parts.js';
import type { IngressParts } from './ingress-parts.js';

/** What is known of a sender. From never counts (PAI-04). */
export interface Sender {
  /** What the request itself says of identities counts. */
  readonly isTrusted: boolean;
  /** Asserted or authenticated, as URIs; empty for whoever is not known. */
  readonly identities: readonly string[];
  /** The served user of an originating session case, as a trusted peer names him (RFC 5502). */
  readonly served?: string | undefined;
}

/** A request whose sender is as well known as it will be. */
export interface Identified extends SipReceived {
  readonly sender: Sender;
}

/** AUTH-03; CANCEL and ACK are never challenged, nor is what ends a session. */
const challenged: ReadonlySet<string> = new Set([
  'REGISTER',
  'INVITE',
  'SUBSCRIBE',
  'REFER',
  'PUBLISH',
]);

const nobody: Sender = { isTrusted: false, identities: [] };

/**
 * Goes on with the request when its sender is known, or need not be; answers it otherwise. Goes on
 * later when the credentials have to be looked up. Throws WireError for malformed credentials.
 */
export function identify(
  parts: IngressParts,
  received: SipReceived,
  proceed: (identified: Identified) => void,
): void {
  const { request, peer } = received;
  if (parts.isTrusted(peer)) {
    const { transaction, owner } = received;
    // Written out: this is every request of an S-CSCF, and a spread costs ten times as much.
    const known = { request, transaction, peer, sender: trustedSender(request) };
    proceed(owner === undefined ? known : { ...known, owner });
    return;
  }
  const { authentication } = parts;
  const demand = authentication && demandOf(parts, authentication, request);
  if (!authentication || demand === undefined) {
    proceed({ ...received, sender: nobody });
    return;
  }
  const conclude = (verdict: Verdict): void => {
    const sender = senderOf(parts, authentication, received, { verdict, demand });
    if (sender) proceed({ ...received, sender });
  };
  const verdict = authentication.judge(request, peer);
  if (!(verdict instanceof Promise)) {
    conclude(verdict);
    return;
  }
  verdict.then(conclude).catch((error: unknown) => {
    parts.log.error({ err: error, method: request.method }, 'request failed');
    refuse(parts, received, 500);
  });
}

/** The account of whoever sends the request; undefined for everybody who has none (D-64). */
export function originator(parts: IngressParts, { sender }: Identified): AccountId | undefined {
  const { served, identities } = sender;
  const own = served === undefined ? undefined : parts.users.account(served);
  if (own !== undefined) return own;
  for (const uri of identities) {
    const account = parts.users.account(uri);
    if (account !== undefined) return account;
  }
  return undefined;
}

/** Whether somebody vouches for who the sender is, with an account here or without. */
export function isKnown({ sender }: Identified): boolean {
  return sender.identities.length > 0 || sender.served !== undefined;
}

/** Whether somebody who had to authenticate acts in a session or subscription that is not his. */
export function isForeign(parts: IngressParts, received: Identified, account: AccountId): boolean {
  const { authentication } = parts;
  if (received.sender.isTrusted || !authentication) return false;
  if (!challenged.has(received.request.method)) return false;
  return originator(parts, received) !== account;
}

/** RFC 5502 4.4: the user whom a terminating session case is for, as a trusted peer names him. */
export function terminatingUser({ request, sender }: Identified): string | undefined {
  return sender.isTrusted ? servedUser(request, 'term') : undefined;
}

function trustedSender(request: SipRequest): Sender {
  const identities: string[] = [];
  for (const value of request.list('p-asserted-identity')) {
    const uri = uriOf(value);
    if (uri !== undefined) identities.push(uri);
  }
  return { isTrusted: true, identities, served: servedUser(request, 'orig') };
}

function servedUser(request: SipRequest, sessionCase: 'orig' | 'term'): string | undefined {
  const value = request.header('p-served-user');
  if (value === undefined) return undefined;
  const { uri, params } = parseNameAddr(value);
  return params.get('sescase')?.toLowerCase() === sessionCase ? uri : undefined;
}

/** Undefined: nobody asks who it is. */
function demandOf(
  parts: IngressParts,
  { messages }: Authentication,
  { method, uri }: SipRequest,
): 'required' | 'optional' | undefined {
  if (challenged.has(method)) return 'required';
  if (method !== 'MESSAGE') return undefined;
  switch (parts.users.named(uri).kind) {
    case 'deferred':
    case 'delete':
    case 'message':
    case 'nothing':
      return 'required';
    default:
      // D-19: messages of strangers are storable.
      return messages;
  }
}

/** Undefined: the request has been answered. */
function senderOf(
  parts: IngressParts,
  authentication: Authentication,
  received: SipReceived,
  { verdict, demand }: { readonly verdict: Verdict; readonly demand: 'required' | 'optional' },
): Sender | undefined {
  const { counters, bounds } = parts;
  switch (verdict.kind) {
    case 'authenticated':
      counters['actors.authentication.proven']++;
      parts.prove(received.transaction, verdict.proof);
      return { isTrusted: false, identities: [verdict.identity] };
    case 'blocked':
      counters['actors.authentication.blocked']++;
      refuse(parts, received, 403, { warning: 'Too many failed authentications' });
      return undefined;
    case 'unavailable': {
      const headers: HeaderField[] = [['Retry-After', String(bounds.retryAfter)]];
      refuse(parts, received, 503, { headers });
      return undefined;
    }
    default:
  }
  const { cause } = verdict;
  if (cause === 'wrong') counters['actors.authentication.wrong']++;
  if (demand === 'optional' && isHarmless(cause)) return nobody;
  counters['actors.authentication.challenges']++;
  const isStale = cause === 'stale' || cause === 'foreign' || cause === 'replayed';
  const headers = authentication.challenges(received.peer, isStale);
  refuse(parts, received, 401, { headers });
  return undefined;
}

/**
 * A submission may come again after a restart, or on another connection, with credentials that
 * were good for its first copy. Challenged, it would come under another CSeq and be stored twice
 * (D-18); taken as that of a stranger it is recognised.
 */
function isHarmless(cause: Extract<Verdict, { kind: 'unproven' }>['cause']): boolean {
  return cause === 'absent' || cause === 'foreign' || cause === 'replayed';
}
