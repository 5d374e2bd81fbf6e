/** The protection spaces that a client has met, and its credentials for them (RFC 7616 3.3, 3.4). */

import { hash as hashOf } from 'node:crypto';
import type { Random } from '../ports.js';
import { WireError } from '../wire/error.js';
import { formatCredentials, parseChallenge } from '../wire/sip/digest.js';
import type { DigestChallenge } from '../wire/sip/digest.js';
import {
  digestAlgorithm,
  digestHa1,
  digestResponse,
  digestUserhash,
} from '../wire/sip/digest-response.js';
import type { DigestAlgorithm, Hash } from '../wire/sip/digest-response.js';
import type { HeaderField, SipResponse } from '../wire/sip/message.js';

/** What the user knows. */
export interface ClientCredentials {
  /** The user part of the own address unless told otherwise. */
  readonly username?: string;
  readonly password: string;
  /** The one realm that may ask; any realm unless told otherwise. */
  readonly realm?: string | undefined;
  /** Answers challenges that offer nothing better than MD5. */
  readonly md5?: boolean;
}

/** A challenge that can be answered. */
export interface Realm {
  /** Realm and kind: proxies and servers are asked apart. */
  readonly key: string;
  readonly isProxy: boolean;
  readonly challenge: DigestChallenge;
  readonly algorithm: DigestAlgorithm;
  readonly qop: 'auth' | 'auth-int' | undefined;
  /** Requests that carried this nonce. */
  count: number;
}

/** What of a request goes into the digest. */
export interface Protected {
  readonly method: string;
  readonly uri: string;
  readonly body: Buffer | undefined;
}

const realmsMax = 8;
/** Challenges of one response that are looked at. */
const challengesMax = 16;
const cnonceLength = 22;
const nothing = Buffer.alloc(0);

const hashNames = { 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256', MD5: 'md5' } as const;
const hash: Hash = (algorithm, data) => hashOf(hashNames[algorithm], data);

export class Realms {
  readonly #credentials: Required<ClientCredentials>;
  readonly #random: Random;
  readonly #known = new Map<string, Realm>();

  constructor(credentials: Required<ClientCredentials>, random: Random) {
    this.#credentials = credentials;
    this.#random = random;
  }

  /** The challenges of a 401 or 407 that can be answered, one for each realm. */
  challenged(response: Pick<SipResponse, 'status' | 'fields'>): readonly Realm[] {
    const isProxy = response.status === 407;
    const fields = response.fields(isProxy ? 'Proxy-Authenticate' : 'WWW-Authenticate');
    const chosen = new Map<string, Realm>();
    for (const value of fields.slice(0, challengesMax)) {
      const realm = this.#answerable(value, isProxy);
      if (!realm) continue;
      const before = chosen.get(realm.key);
      // RFC 8760 2.4: the topmost one that we know; MD5 is the last resort.
      if (!before || (isWeak(before) && !isWeak(realm))) chosen.set(realm.key, realm);
    }
    return [...chosen.values()];
  }

  /** Answers it from here on; the realm that was met first makes room. */
  keep(realm: Realm): void {
    this.#known.delete(realm.key);
    this.#known.set(realm.key, realm);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= realmsMax) return;
      this.#known.delete(oldest);
    }
  }

  forget({ key }: Realm): void {
    this.#known.delete(key);
  }

  /** A server has named the nonce it wants next. */
  renew(nonce: string): void {
    const servers = [...this.#known.values()].filter(({ isProxy }) => !isProxy);
    const [only] = servers;
    // With several realms nobody knows whose nonce it is.
    if (!only || servers.length > 1) return;
    this.keep({ ...only, challenge: { ...only.challenge, nonce }, count: 0 });
  }

  /** Authorization and Proxy-Authorization for every realm that has asked. */
  authorizations(request: Protected): HeaderField[] {
    return [...this.#known.values()].map((realm) => [
      realm.isProxy ? 'Proxy-Authorization' : 'Authorization',
      this.#authorization(realm, request),
    ]);
  }

  #answerable(value: string, isProxy: boolean): Realm | undefined {
    const challenge = readChallenge(value);
    const algorithm = challenge && digestAlgorithm(challenge.algorithm);
    if (!challenge || !algorithm) return undefined;
    const { realm, md5 } = this.#credentials;
    if (algorithm.hash === 'MD5' && !md5) return undefined;
    if (realm !== undefined && realm !== challenge.realm) return undefined;
    const qop = (['auth', 'auth-int'] as const).find((one) => challenge.qop.includes(one));
    if (qop === undefined && challenge.qop.length > 0) return undefined;
    const key = `${isProxy ? 'proxy' : 'server'} ${challenge.realm}`;
    return { key, isProxy, challenge, algorithm, qop, count: 0 };
  }

  #authorization(realm: Realm, { method, uri, body = nothing }: Protected): string {
    const { challenge, algorithm, qop } = realm;
    const { realm: name, nonce, opaque, userhash } = challenge;
    const { username, password } = this.#credentials;
    const user = { username, realm: name, password };
    const ha1 = digestHa1(hash, algorithm.hash, user);
    const isCounted = qop !== undefined || algorithm.session;
    const nc = (++realm.count).toString(16).padStart(8, '0');
    const cnonce = this.#random.token(cnonceLength);
    const input = { ...algorithm, ha1, method, uri, nonce, qop, nc, cnonce, body };
    return formatCredentials({
      username: userhash === true ? digestUserhash(hash, algorithm.hash, user) : username,
      ...(userhash === true && { userhash }),
      ...{ realm: name, nonce, uri, algorithm: challenge.algorithm },
      response: digestResponse(hash, input),
      ...(opaque !== undefined && { opaque }),
      ...(qop !== undefined && { qop }),
      ...(isCounted && { cnonce, nc }),
    });
  }
}

function isWeak({ algorithm }: Realm): boolean {
  return algorithm.hash === 'MD5';
}

/** A challenge that cannot be read is none; another one may do. */
function readChallenge(value: string): DigestChallenge | undefined {
  try {
    return parseChallenge(value);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
