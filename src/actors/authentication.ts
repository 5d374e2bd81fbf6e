/** Digest authentication of requests by a UAS (RFC 3261 22, RFC 7616, RFC 8760). */

import { hash as hashOf, timingSafeEqual } from 'node:crypto';
import type { Clock, Log, Peer, Random } from '../ports.js';
import type { HeaderField, SipRequest } from '../wire/sip/message.js';
import { formatAuthenticationInfo, formatChallenge, parseCredentials } from '../wire/sip/digest.js';
import type { DigestCredentials } from '../wire/sip/digest.js';
import { digestError } from '../wire/sip/digest-params.js';
import { digestAlgorithm, digestHa1, digestResponse } from '../wire/sip/digest-response.js';
import type { DigestAlgorithm, DigestHash, Hash } from '../wire/sip/digest-response.js';
import { canonicalAor, uriEquals } from '../wire/sip/uri.js';
import type { CredentialsPort, UserCredentials } from './authentication-credentials.js';
import { Failures } from './authentication-failures.js';
import type { Proof } from './authentication-info.js';
import { Nonces } from './authentication-nonces.js';
import type { Nonce } from './authentication-nonces.js';

/** How peers that nobody vouches for prove who they are. */
export interface AuthenticationOptions {
  readonly realm: string;
  readonly credentials: CredentialsPort;
  /** Offered in this order; SHA-256 and SHA-512-256 unless told otherwise. */
  readonly algorithms?: readonly DigestHash[];
  /** Offered in this order; `auth` and `auth-int` unless told otherwise. */
  readonly qop?: readonly ('auth' | 'auth-int')[];
  /** Whether clients may hide their names; the credentials have to be found by the hash then. */
  readonly userhash?: boolean;
  /** Whether whoever sends a message to a user has to authenticate; `optional` by default. */
  readonly messages?: 'optional' | 'required';
  /** Makes the nonces of several nodes good at each of them; drawn at random when absent. */
  readonly secret?: string;
  readonly bounds?: Partial<AuthenticationBounds>;
}

export interface AuthenticationBounds {
  /** ms for which a nonce is good. */
  readonly nonceMs: number;
  /** Nonces whose counts are kept. */
  readonly nonces: number;
  /** Wrong digests of one address within `failureMs` before it is refused. */
  readonly failures: number;
  readonly failureMs: number;
  /** Addresses whose failures are remembered. */
  readonly addresses: number;
  /** Look-ups of credentials under way at a time. */
  readonly lookups: number;
}

export const defaultAuthenticationBounds: AuthenticationBounds = {
  nonceMs: 300_000,
  nonces: 100_000,
  failures: 20,
  failureMs: 60_000,
  addresses: 10_000,
  lookups: 1_000,
};

/** What a request is worth. */
export type Verdict =
  /** The identity that is proven. */
  | { readonly kind: 'authenticated'; readonly identity: string; readonly proof: Proof }
  /**
   * `absent`: nothing for our realm; `stale`: a nonce whose time is over; `foreign`: a nonce that
   * is not ours, or not of this address or process; `replayed`: a count that was used before;
   * `wrong`: everything else.
   */
  | {
      readonly kind: 'unproven';
      readonly cause: 'absent' | 'stale' | 'foreign' | 'replayed' | 'wrong';
    }
  /** Too many failures of this address. */
  | { readonly kind: 'blocked' }
  /** The credentials cannot be looked up at present. */
  | { readonly kind: 'unavailable' };

/** What of a request counts. */
export type DigestedRequest = Pick<SipRequest, 'method' | 'uri' | 'body' | 'fields'>;
/** What of a peer counts. */
export type DigestPeer = Pick<Peer, 'address'>;

const hashNames = { 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256', MD5: 'md5' } as const;

export const cryptoHash: Hash = (algorithm, data) => hashOf(hashNames[algorithm], data);

/** Credentials of one request that are looked at, those for other realms included. */
const fieldsMax = 8;

interface Claim {
  readonly credentials: DigestCredentials;
  readonly algorithm: DigestAlgorithm;
  readonly nonce: Nonce;
  readonly count: number;
}

export class Authentication {
  readonly messages: 'optional' | 'required';
  readonly #options: AuthenticationOptions;
  readonly #algorithms: readonly DigestHash[];
  readonly #qop: readonly string[];
  readonly #lookupsMax: number;
  readonly #nonces: Nonces;
  readonly #failures: Failures;
  readonly #log: Log;
  /** In place of the HA1 of users that do not exist. */
  readonly #nobodysSecret: string;
  #lookups = 0;

  constructor(
    options: AuthenticationOptions,
    world: { readonly clock: Clock; readonly random: Random; readonly log: Log },
  ) {
    const bounds = { ...defaultAuthenticationBounds, ...options.bounds };
    const { clock, random, log } = world;
    this.messages = options.messages ?? 'optional';
    this.#options = options;
    this.#algorithms = options.algorithms ?? ['SHA-256', 'SHA-512-256'];
    this.#qop = options.qop ?? ['auth', 'auth-int'];
    this.#lookupsMax = bounds.lookups;
    this.#nonces = new Nonces({
      ...{ clock, random, secret: options.secret },
      lifetimeMs: bounds.nonceMs,
      bound: bounds.nonces,
    });
    const { failures: max, failureMs: windowMs, addresses } = bounds;
    this.#failures = new Failures({ clock, max, windowMs, addresses });
    this.#log = log;
    this.#nobodysSecret = random.token(43);
  }

  /** AUTH-01: one challenge for each algorithm, most preferred first, with one nonce. */
  challenges(peer: DigestPeer, stale: boolean): HeaderField[] {
    const { realm, userhash } = this.#options;
    const nonce = this.#nonces.issue(this.#scope(peer));
    const challenge = { realm, nonce, qop: this.#qop, stale, userhash: userhash === true };
    return this.#algorithms.map((algorithm) => [
      'WWW-Authenticate',
      formatChallenge({ ...challenge, algorithm }),
    ]);
  }

  /** Throws WireError when the credentials are malformed or for another Request-URI. */
  judge(request: DigestedRequest, peer: DigestPeer): Verdict | Promise<Verdict> {
    const claim = this.#claimOf(request, peer);
    if ('kind' in claim) return claim;
    if (this.#failures.isBlocked(peer.address)) return { kind: 'blocked' };
    const { username, userhash, realm } = claim.credentials;
    const query = { username, userhash: userhash === true, realm, algorithm: claim.algorithm.hash };
    const found = this.#options.credentials(query);
    if (!(found instanceof Promise)) return this.#compare(claim, found, request, peer);
    if (this.#lookups >= this.#lookupsMax) {
      // Nobody waits for it; its failure is that of nobody.
      found.catch(() => undefined);
      return { kind: 'unavailable' };
    }
    return this.#awaited(found, claim, request, peer);
  }

  async #awaited(
    found: Promise<UserCredentials | undefined>,
    claim: Claim,
    request: DigestedRequest,
    peer: DigestPeer,
  ): Promise<Verdict> {
    this.#lookups++;
    try {
      return this.#compare(claim, await found, request, peer);
    } catch (error) {
      this.#log.error({ err: error, code: 'AUTH_CREDENTIALS' }, 'credentials cannot be looked up');
      return { kind: 'unavailable' };
    } finally {
      this.#lookups--;
    }
  }

  /** What can be compared; nothing is compared for a nonce that is not good any more. */
  #claimOf(request: DigestedRequest, peer: DigestPeer): Claim | Verdict {
    const credentials = this.#credentialsOf(request);
    if (!credentials) return { kind: 'unproven', cause: 'absent' };
    const algorithm = digestAlgorithm(credentials.algorithm);
    if (!algorithm || algorithm.session || !this.#algorithms.includes(algorithm.hash)) {
      return { kind: 'unproven', cause: 'absent' };
    }
    // Without a count there is no protection against a replay.
    if (credentials.qop === undefined || !this.#qop.includes(credentials.qop)) {
      return { kind: 'unproven', cause: 'absent' };
    }
    if (!isSameTarget(credentials.uri, request.uri)) {
      throw digestError('uri is not the Request-URI');
    }
    const nonce = this.#nonces.read(credentials.nonce, this.#scope(peer));
    if (!nonce) return { kind: 'unproven', cause: 'foreign' };
    if (this.#nonces.isExpired(nonce)) return { kind: 'unproven', cause: 'stale' };
    const count = parseInt(credentials.nc!, 16);
    if (!this.#nonces.isFresh(nonce, count)) return { kind: 'unproven', cause: 'replayed' };
    return { credentials, algorithm, nonce, count };
  }

  #credentialsOf(request: DigestedRequest): DigestCredentials | undefined {
    for (const value of request.fields('authorization').slice(0, fieldsMax)) {
      const credentials = parseCredentials(value);
      if (credentials?.realm === this.#options.realm) return credentials;
    }
    return undefined;
  }

  #compare(
    { credentials, algorithm, nonce, count }: Claim,
    user: UserCredentials | undefined,
    request: DigestedRequest,
    peer: DigestPeer,
  ): Verdict {
    const { method, body } = request;
    const { uri, qop, nc, cnonce } = credentials;
    const ha1 = this.#ha1Of(user, algorithm.hash);
    const input = { ...algorithm, ha1, method, uri, nonce: nonce.value, qop, nc, cnonce, body };
    const expected = Buffer.from(digestResponse(cryptoHash, input));
    const given = Buffer.from(credentials.response);
    const isRight = given.length === expected.length && timingSafeEqual(given, expected);
    if (!isRight || !user) {
      this.#failed(peer);
      return { kind: 'unproven', cause: 'wrong' };
    }
    if (!this.#nonces.use(nonce, count)) return { kind: 'unproven', cause: 'replayed' };
    const info = { qop: qop!, cnonce: cnonce!, nc: nc! };
    const proof: Proof = (answer) => {
      // 3.5: as the request-digest, without a method and with the body of the answer.
      const rspauth = digestResponse(cryptoHash, { ...input, method: '', body: answer });
      return formatAuthenticationInfo({ ...info, rspauth });
    };
    return { kind: 'authenticated', identity: user.identity, proof };
  }

  /** A user that does not exist takes about as long as one that does. */
  #ha1Of(user: UserCredentials | undefined, algorithm: DigestHash): string {
    const known = user?.ha1?.[algorithm];
    if (known !== undefined) return known;
    const { realm } = this.#options;
    const username = user?.username ?? '';
    const password = user?.password ?? this.#nobodysSecret;
    return digestHa1(cryptoHash, algorithm, { username, realm, password });
  }

  #failed({ address }: DigestPeer): void {
    const blocks = this.#failures.add(address);
    if (blocks) this.#log.warn({ code: 'AUTH_BLOCKED', address }, 'too many wrong digests');
    else this.#log.debug({ code: 'AUTH_WRONG', address }, 'a wrong digest');
  }

  /** A nonce is good for the address that got it, so that nobody fails in the name of another. */
  #scope({ address }: DigestPeer): string {
    return `${address} ${this.#options.realm}`;
  }
}

/** RFC 7616 3.4.6: the same resource; ports and parameters may have been added on the way. */
function isSameTarget(named: string, uri: string): boolean {
  if (named === uri || uriEquals(named, uri)) return true;
  const aor = canonicalAor(named);
  if (aor !== undefined) return aor === canonicalAor(uri);
  const host = hostForm.exec(named)?.[1];
  return host !== undefined && host.toLowerCase() === hostForm.exec(uri)?.[1]?.toLowerCase();
}

const hostForm = /^sips?:([^@:;?[\]]+|\[[^\]@]*\])(?:[:;?]|$)/i;
