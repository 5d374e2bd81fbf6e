/** Which shard a SIP message is for: by what it answers or belongs to, else by whose account it is. */

import type { CredentialsPort } from '../actors/authentication-credentials.js';
import { bridgedAccount, conferenceUri, watchedAccount } from '../actors/contact.js';
import type { ServedUsers } from '../actors/served-users.js';
import { thirdPartyFacts } from '../actors/third-party-register.js';
import { shardAmong } from '../cluster/layout.js';
import { markOf } from '../cluster/marker.js';
import { plainTarget } from './plain-target.js';
import type { AccountId, Peer } from '../ports.js';
import { WireError } from '../wire/error.js';
import { digestAlgorithm } from '../wire/sip/digest-response.js';
import { parseCredentials } from '../wire/sip/digest.js';
import type { SipMessage, SipRequest, SipResponse } from '../wire/sip/message.js';
import { parseNameAddr, tagOf, uriOf } from '../wire/sip/name-addr.js';
import { parseUri } from '../wire/sip/uri.js';
import { parseVia } from '../wire/sip/via.js';

export interface SipRouteParts {
  readonly users: ServedUsers;
  readonly shards: number;
  isTrusted(peer: Peer): boolean;
  /** Whose user names are in Authorization; absent: nobody authenticates. */
  readonly credentials?: CredentialsPort | undefined;
  readonly bodyBytes: number;
  /** INVITEs of which it is remembered where they went. */
  readonly invites: number;
}

const branchStart = 'z9hG4bK';

/** Where requests go that are nobody's: any shard gives the same answer. */
const anyShard = 0;

/**
 * Nothing here decides whether a request is right: the shard it goes to looks at everything again.
 * A wrong guess costs the sender an answer, never somebody else his messages.
 */
export class SipRoute {
  readonly #parts: SipRouteParts;
  /** Where INVITEs went, by branch: CANCEL carries no identity. Oldest first. */
  readonly #invites = new Map<string, number>();

  constructor(parts: SipRouteParts) {
    this.#parts = parts;
  }

  /**
   * The shard of a MESSAGE for a user, of its octets alone: nearly everything that comes in. What is
   * not as plain as that is undefined, and has to be parsed.
   */
  shardOfOctets(bytes: Buffer): number | undefined {
    const uri = plainTarget(bytes);
    if (uri === undefined) return undefined;
    const named = this.#parts.users.named(uri);
    return named.kind === 'user' ? this.#shardOfAccount(named.account) : undefined;
  }

  /** Undefined: nobody here waits for it. */
  shardOf(message: SipMessage, peer: Peer): number | undefined {
    try {
      return message.kind === 'response' ? this.#asked(message) : this.#shardOf(message, peer);
    } catch (error) {
      // What cannot be read is refused by any shard as it would be by all of them.
      if (error instanceof WireError) return anyShard;
      throw error;
    }
  }

  /** Branches carry the mark of the shard that has drawn them. */
  #asked(response: SipResponse): number | undefined {
    const branch = branchOf(response);
    const shard = branch === undefined ? undefined : markOf(branch.slice(branchStart.length));
    return shard !== undefined && shard < this.#parts.shards ? shard : undefined;
  }

  #shardOf(request: SipRequest, peer: Peer): number {
    const { method } = request;
    const tag = tagOf(request.header('to'));
    if (namesContact(request, tag)) {
      // Subscriptions outlive what drew their tags: their Contact names the account.
      const account = accountOfContact(request.uri);
      if (account !== undefined) return this.#shardOfAccount(account);
    }
    const marked = tag === undefined ? undefined : markOf(tag);
    if (marked !== undefined && marked < this.#parts.shards) return marked;
    if (method === 'CANCEL') {
      const invited = this.#invites.get(branchOf(request) ?? '');
      if (invited !== undefined) return invited;
    }
    if (tag !== undefined) {
      // A session that is passed on keeps the tag of its caller (D-12), which is none of ours.
      const account = accountOfContact(request.uri);
      if (account !== undefined) return this.#shardOfAccount(account);
    }
    const shard = this.#shardOfAccount(this.#accountOf(request, peer));
    if (method === 'INVITE') this.#remember(branchOf(request), shard);
    return shard;
  }

  #shardOfAccount(account: AccountId | undefined): number {
    return account === undefined ? anyShard : shardAmong(account, this.#parts.shards);
  }

  #remember(branch: string | undefined, shard: number): void {
    if (branch === undefined) return;
    this.#invites.set(branch, shard);
    if (this.#invites.size <= this.#parts.invites) return;
    const [oldest] = this.#invites.keys();
    this.#invites.delete(oldest!);
  }

  /** The account that ingress will find, as far as that can be told before authentication. */
  #accountOf(request: SipRequest, peer: Peer): AccountId | undefined {
    const { users } = this.#parts;
    if (request.method === 'REGISTER') return this.#registered(request);
    const named = users.named(request.uri);
    switch (named.kind) {
      case 'user':
      case 'unknown': {
        const served = this.#served(request, peer, 'term');
        const own = named.kind === 'user' ? named.account : undefined;
        return (served === undefined ? undefined : users.account(served)) ?? own;
      }
      case 'server':
      case 'scheme':
        return undefined;
      default:
        return this.#originator(request, peer);
    }
  }

  #registered(request: SipRequest): AccountId | undefined {
    const { users, bodyBytes } = this.#parts;
    const to = uriOf(request.header('to'));
    const account = to === undefined ? undefined : users.account(to);
    if (account !== undefined) return account;
    for (const uri of thirdPartyFacts(request, bodyBytes).identities) {
      const other = users.account(uri);
      if (other !== undefined) return other;
    }
    return undefined;
  }

  #originator(request: SipRequest, peer: Peer): AccountId | undefined {
    const { users } = this.#parts;
    for (const uri of this.#identities(request, peer)) {
      const account = users.account(uri);
      if (account !== undefined) return account;
    }
    return undefined;
  }

  #identities(request: SipRequest, peer: Peer): readonly string[] {
    if (!this.#parts.isTrusted(peer)) return this.#claimed(request);
    const served = this.#served(request, peer, 'orig');
    const asserted = request.list('p-asserted-identity').map((value) => uriOf(value));
    return [served, ...asserted].filter((uri) => uri !== undefined);
  }

  /** Whom the credentials are of; without any, who says to be: the challenge is the same. */
  #claimed(request: SipRequest): readonly string[] {
    const { credentials } = this.#parts;
    for (const value of credentials ? request.fields('authorization').slice(0, 4) : []) {
      const claim = parseCredentials(value);
      const algorithm = claim && digestAlgorithm(claim.algorithm);
      if (!claim || !algorithm) continue;
      const { username, userhash, realm } = claim;
      const hash = algorithm.hash;
      const found = credentials!({ username, userhash: userhash === true, realm, algorithm: hash });
      if (found && !(found instanceof Promise)) return [found.identity];
    }
    const from = uriOf(request.header('from'));
    return from === undefined ? [] : [from];
  }

  #served(request: SipRequest, peer: Peer, sessionCase: 'orig' | 'term'): string | undefined {
    const value = request.header('p-served-user');
    if (value === undefined || !this.#parts.isTrusted(peer)) return undefined;
    const { uri, params } = parseNameAddr(value);
    return params.get('sescase')?.toLowerCase() === sessionCase ? uri : undefined;
  }
}

function branchOf(message: SipMessage): string | undefined {
  const via = message.list('via')[0];
  return via === undefined ? undefined : parseVia(via).branch;
}

/** Whether the Request-URI may be a Contact of ours; users may have names that look like one. */
function namesContact(request: SipRequest, tag: string | undefined): boolean {
  if (request.method === 'OPTIONS') return true;
  if (request.method !== 'SUBSCRIBE') return false;
  return tag !== undefined || /^conference\b/i.test(request.header('event') ?? '');
}

/** Whose subscription, conference or session a Contact of ours stands for. */
function accountOfContact(uri: string): AccountId | undefined {
  const parsed = parseUri(uri);
  const user = parsed.scheme === 'sip' || parsed.scheme === 'sips' ? parsed.user : undefined;
  if (user === undefined) return undefined;
  return watchedAccount(user) ?? conferenceUri(user)?.account ?? bridgedAccount(user);
}
