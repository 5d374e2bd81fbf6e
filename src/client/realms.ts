/** The protection spaces that a client has met, and its credentials for them (RFC 7616 3.3, 3.4). */

import { hash as hashOf } from 'node:crypto';
import type { Random } from '../ports.js';
import { WireError } from '../wire/error.js';
import { formatCredentials, parseChallenge } from '../wire/sip/digest.js';
import type { DigestChallenge } from '../wire/sip/digest.js';
import { readProof } from '../wire/sip/digest-proof.js';
import type { SentCredentials } from '../wire/sip/digest-proof.js';
import {
  digestAlgorithm,
  digestHa1,
  digestResponse,
  digestUserhash,
} from '../wire/sip/digest-response.js';
import type { DigestAlgorithm, DigestInput, Hash } from '../wire/sip/digest-response.js';
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
  /** Whether a 2xx without proof of its sender counts (RFC 7616 3.5); a wrong one never does. */
  readonly proof?: 'accept' | 'require';
}

/** The same with every default filled in. */
export type KnownCredentials = Required<ClientCredentials>;

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

/** Credentials of one realm as they went out with a request. */
export interface SentToRealm extends SentCredentials {
  readonly realm: Realm;
}

/** What a request goes out with. */
export interface Authorization {
  readonly fields: readonly HeaderField[];
  readonly sent: readonly SentToRealm[];
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
  readonly #credentials: KnownCredentials;
  readonly #random: Random;
  readonly #known = new Map<string, Realm>();

  constructor(credentials: KnownCredentials, random: Random) {
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

  /** Authorization and Proxy-Authorization for every realm that has asked. */
  authorize(request: Protected): Authorization {
    const sent = [...this.#known.values()].map((realm) => this.#sentTo(realm, request));
    return { sent, fields: sent.map((one) => this.#fieldOf(one)) };
  }

  /**
   * Of a 2xx: whether it comes from whom we asked, as far as that can be known. Takes up the nonces
   * that are wanted next; who is somebody else is asked nothing with credentials any more.
   */
  isProven(sent: readonly SentToRealm[], response: SipResponse): boolean {
    if (sent.length === 0) return true;
    const { proven, isWrong, next } = readProof(hash, sent, response);
    const isRequired = this.#credentials.proof === 'require';
    if (isWrong || (isRequired && sent.some((one) => !proven.has(one)))) {
      for (const { realm } of sent) this.forget(realm);
      return false;
    }
    for (const [{ realm }, nonce] of next) {
      this.keep({ ...realm, challenge: { ...realm.challenge, nonce }, count: 0 });
    }
    return true;
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

  #sentTo(realm: Realm, { method, uri, body = nothing }: Protected): SentToRealm {
    const { challenge, algorithm, qop, isProxy } = realm;
    const { nonce } = challenge;
    const { username, password } = this.#credentials;
    const ha1 = digestHa1(hash, algorithm.hash, { username, realm: challenge.realm, password });
    const nc = (++realm.count).toString(16).padStart(8, '0');
    const cnonce = this.#random.token(cnonceLength);
    const input: DigestInput = { ...algorithm, ha1, method, uri, nonce, qop, nc, cnonce, body };
    return { isProxy, realm, input };
  }

  #fieldOf({ isProxy, realm, input }: SentToRealm): HeaderField {
    const { challenge, algorithm, qop } = realm;
    const { realm: name, nonce, opaque, userhash } = challenge;
    const { username } = this.#credentials;
    const { uri, cnonce, nc } = input;
    const isCounted = qop !== undefined || algorithm.session;
    const hidden = (): string => digestUserhash(hash, algorithm.hash, { username, realm: name });
    const value = formatCredentials({
      username: userhash === true ? hidden() : username,
      ...(userhash === true && { userhash }),
      ...{ realm: name, nonce, uri, algorithm: challenge.algorithm },
      response: digestResponse(hash, input),
      ...(opaque !== undefined && { opaque }),
      ...(qop !== undefined && { qop }),
      ...(isCounted && { cnonce: cnonce!, nc: nc! }),
    });
    return [isProxy ? 'Proxy-Authorization' : 'Authorization', value];
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
