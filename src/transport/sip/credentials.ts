/** Digest authentication of our requests and of their answers (RFC 3261 22, RFC 7616, RFC 8760). */

import { hash as hashOf } from 'node:crypto';
import type { Random } from '../../ports.js';
import { WireError } from '../../wire/error.js';
import { formatCredentials, parseChallenge } from '../../wire/sip/digest.js';
import type { DigestChallenge } from '../../wire/sip/digest.js';
import { readProof } from '../../wire/sip/digest-proof.js';
import type { SentCredentials } from '../../wire/sip/digest-proof.js';
import {
  digestAlgorithm,
  digestHa1,
  digestResponse,
  digestUserhash,
} from '../../wire/sip/digest-response.js';
import type { DigestAlgorithm, Hash } from '../../wire/sip/digest-response.js';
import type { HeaderField, SipResponse } from '../../wire/sip/message.js';
import { nextHopOf } from './next-hop.js';
import type { RequestDraft } from './request.js';

/** Who we are in one protection space. */
export interface RealmCredentials {
  readonly realm: string;
  readonly username: string;
  readonly password: string;
  /** Whether a challenge that offers nothing better than MD5 is answered. */
  readonly md5?: boolean;
  /** Whether a 2xx without proof counts (RFC 7616 3.5); a wrong proof never does. */
  readonly proof?: 'accept' | 'require';
}

/** A request as its credentials see it. */
export type Protected = Pick<RequestDraft, 'method' | 'uri' | 'nextHop' | 'body'>;

/** A challenge that we can answer, and how often we have. */
interface Space {
  /** Kind and realm: proxies and servers are asked apart. */
  readonly key: string;
  readonly isProxy: boolean;
  readonly challenge: DigestChallenge;
  readonly algorithm: DigestAlgorithm;
  readonly qop: 'auth' | 'auth-int' | undefined;
  readonly user: RealmCredentials;
  readonly ha1: string;
  /** Requests that carried this nonce. */
  count: number;
}

interface Sent extends SentCredentials {
  readonly space: Space;
}

/** What one request carries. */
export interface Credentials {
  readonly fields: readonly HeaderField[];
  readonly sent: readonly Sent[];
}

/** Our side of digest authentication for all requests of an endpoint. */
export interface Authoriser {
  /** For a request to a place that has asked before: credentials at once. */
  foresee(request: Protected): Credentials;
  /** The same for another attempt of a request, which never has the count of the last one. */
  again(request: Protected, last: Credentials): Credentials;
  /** Undefined: there are no credentials for that, and its user hears of the challenge. */
  answer(request: Protected, response: SipResponse, last: Credentials): Credentials | undefined;
  /** Of a 2xx: whether it comes from whom we asked, as far as that can be known. */
  isProven(request: Protected, response: SipResponse, sent: Credentials): boolean;
}

export const noCredentials: Credentials = { fields: [], sent: [] };

/** Challenges of one response that are looked at. */
const challengesMax = 16;
/** Next hops whose challenges are remembered, and those of one of them. */
const placesMax = 1_000;
const spacesMax = 8;
const cnonceLength = 22;
const nothing = Buffer.alloc(0);
const hashNames = { 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256', MD5: 'md5' } as const;
const hash: Hash = (algorithm, data) => hashOf(hashNames[algorithm], data);

export function createAuthoriser(known: readonly RealmCredentials[], random: Random): Authoriser {
  return new RealmAuthoriser(known, random);
}

class RealmAuthoriser implements Authoriser {
  readonly #users: ReadonlyMap<string, RealmCredentials>;
  readonly #random: Random;
  /** By next hop, the one that asked longest ago first. */
  readonly #places = new Map<string, readonly Space[]>();

  constructor(known: readonly RealmCredentials[], random: Random) {
    this.#users = new Map(known.map((user) => [user.realm, user]));
    this.#random = random;
  }

  foresee(request: Protected): Credentials {
    return this.#sign(request, this.#places.get(placeOf(request)) ?? []);
  }

  again(request: Protected, last: Credentials): Credentials {
    return this.#sign(
      request,
      last.sent.map(({ space }) => space),
    );
  }

  answer(request: Protected, response: SipResponse, last: Credentials): Credentials | undefined {
    const asked = this.#answerable(response);
    if (asked.length === 0) return undefined;
    const isAsked = ({ key }: Space): boolean => asked.some((space) => space.key === key);
    const before = last.sent.map(({ space }) => space).filter((space) => !isAsked(space));
    // What was not good enough for this request is not for the next one either.
    this.#keep(placeOf(request), (space) => !isAsked(space));
    return this.#sign(request, [...before, ...asked].slice(-spacesMax));
  }

  isProven(request: Protected, response: SipResponse, { sent }: Credentials): boolean {
    if (sent.length === 0) return true;
    const { proven, isWrong, next } = readProof(hash, sent, response);
    const isLacking = sent.some((one) => one.space.user.proof === 'require' && !proven.has(one));
    const place = placeOf(request);
    if (isWrong || isLacking) {
      this.#places.delete(place);
      return false;
    }
    this.#learn(
      place,
      sent.map((one) => renewed(one.space, next.get(one))),
    );
    return true;
  }

  /** Where several requests are under way, the challenge that was met last counts. */
  #learn(place: string, spaces: readonly Space[]): void {
    const others = this.#places.get(place) ?? [];
    const isNew = ({ key }: Space): boolean => !spaces.some((space) => space.key === key);
    this.#places.delete(place);
    this.#places.set(place, [...others.filter(isNew), ...spaces].slice(-spacesMax));
    for (const oldest of this.#places.keys()) {
      if (this.#places.size <= placesMax) return;
      this.#places.delete(oldest);
    }
  }

  #keep(place: string, isKept: (space: Space) => boolean): void {
    const spaces = this.#places.get(place);
    if (spaces) this.#places.set(place, spaces.filter(isKept));
  }

  /** RFC 8760 2.4: of each realm the topmost challenge that we know; MD5 is the last resort. */
  #answerable(response: SipResponse): readonly Space[] {
    const isProxy = response.status === 407;
    const name = isProxy ? 'Proxy-Authenticate' : 'WWW-Authenticate';
    const chosen = new Map<string, Space>();
    for (const value of response.fields(name).slice(0, challengesMax)) {
      const space = this.#spaceOf(value, isProxy);
      if (!space) continue;
      const before = chosen.get(space.key);
      const isBetter = before?.algorithm.hash === 'MD5' && space.algorithm.hash !== 'MD5';
      if (!before || isBetter) chosen.set(space.key, space);
    }
    return [...chosen.values()];
  }

  #spaceOf(value: string, isProxy: boolean): Space | undefined {
    const challenge = readChallenge(value);
    const algorithm = challenge && digestAlgorithm(challenge.algorithm);
    const user = challenge && this.#users.get(challenge.realm);
    if (!challenge || !algorithm || !user) return undefined;
    if (algorithm.hash === 'MD5' && user.md5 !== true) return undefined;
    const qop = (['auth', 'auth-int'] as const).find((one) => challenge.qop.includes(one));
    if (qop === undefined && challenge.qop.length > 0) return undefined;
    const key = `${isProxy ? 'proxy' : 'server'} ${challenge.realm}`;
    const ha1 = digestHa1(hash, algorithm.hash, user);
    return { key, isProxy, challenge, algorithm, qop, user, ha1, count: 0 };
  }

  #sign(request: Protected, spaces: readonly Space[]): Credentials {
    if (spaces.length === 0) return noCredentials;
    const fields: HeaderField[] = [];
    const sent: Sent[] = [];
    for (const space of spaces) {
      const input = inputOf(space, request, this.#random.token(cnonceLength));
      const name = space.isProxy ? 'Proxy-Authorization' : 'Authorization';
      fields.push([name, fieldOf(space, input)]);
      sent.push({ isProxy: space.isProxy, input, space });
    }
    return { fields, sent };
  }
}

function inputOf(space: Space, { method, uri, body = nothing }: Protected, cnonce: string) {
  const { algorithm, ha1, qop } = space;
  const { nonce } = space.challenge;
  const nc = (++space.count).toString(16).padStart(8, '0');
  return { ...algorithm, ha1, method, uri, nonce, qop, nc, cnonce, body };
}

function fieldOf(
  { challenge, algorithm, qop, user }: Space,
  input: ReturnType<typeof inputOf>,
): string {
  const { realm, nonce, opaque, userhash } = challenge;
  const { username } = user;
  const { uri, nc, cnonce } = input;
  const isCounted = qop !== undefined || algorithm.session;
  return formatCredentials({
    username: userhash === true ? digestUserhash(hash, algorithm.hash, user) : username,
    ...(userhash === true && { userhash }),
    ...{ realm, nonce, uri, algorithm: challenge.algorithm },
    response: digestResponse(hash, input),
    ...(opaque !== undefined && { opaque }),
    ...(qop !== undefined && { qop }),
    ...(isCounted && { cnonce, nc }),
  });
}

/** RFC 7616 3.5: with a nonce of its own the count begins anew. */
function renewed(space: Space, nonce: string | undefined): Space {
  if (nonce === undefined) return space;
  return { ...space, challenge: { ...space.challenge, nonce }, count: 0 };
}

/** Whoever answers there is one and the same, however many users are behind it. */
function placeOf({ nextHop }: Protected): string {
  const hop = nextHopOf(nextHop);
  return hop ? `${hop.host.toLowerCase()} ${hop.port ?? ''}` : nextHop;
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
