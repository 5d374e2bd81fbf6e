/** Answers challenges to requests of ours (RFC 3261 22.2 and 22.3, RFC 7616, RFC 8760). */

import { hash as hashOf } from 'node:crypto';
import type { Random } from '../../ports.js';
import { WireError } from '../../wire/error.js';
import { formatCredentials, parseChallenge } from '../../wire/sip/digest.js';
import type { DigestChallenge } from '../../wire/sip/digest.js';
import { digestAlgorithm, digestHa1, digestResponse } from '../../wire/sip/digest-response.js';
import type { DigestAlgorithm, Hash } from '../../wire/sip/digest-response.js';
import type { HeaderField } from '../../wire/sip/message.js';
import type { Authorise, Challenged } from './retries.js';

/** Who we are in one protection space. */
export interface RealmCredentials {
  readonly realm: string;
  readonly username: string;
  readonly password: string;
  /** Whether a challenge that offers nothing better than MD5 is answered. */
  readonly md5?: boolean;
}

interface Answerable {
  readonly challenge: DigestChallenge;
  readonly algorithm: DigestAlgorithm;
  readonly qop: 'auth' | 'auth-int' | undefined;
  readonly user: RealmCredentials;
}

/** Challenges of one response that are looked at. */
const challengesMax = 16;
const cnonceLength = 22;
const nothing = Buffer.alloc(0);
const hashNames = { 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256', MD5: 'md5' } as const;
const hash: Hash = (algorithm, data) => hashOf(hashNames[algorithm], data);

/** Credentials for the realms that are known; a nonce is used for one request only. */
export function createAuthorise(known: readonly RealmCredentials[], random: Random): Authorise {
  const byRealm = new Map(known.map((user) => [user.realm, user]));
  return (challenged) => {
    const isProxy = challenged.response.status === 407;
    const name = isProxy ? 'Proxy-Authorization' : 'Authorization';
    const chosen = answerable(challenged, byRealm);
    if (chosen.length === 0) return undefined;
    return chosen.map((one): HeaderField => {
      return [name, credentialsOf(one, challenged, random.token(cnonceLength))];
    });
  };
}

/** RFC 8760 2.4: of each realm the topmost challenge that we know; MD5 is the last resort. */
function answerable(
  { response }: Challenged,
  byRealm: ReadonlyMap<string, RealmCredentials>,
): readonly Answerable[] {
  const name = response.status === 407 ? 'Proxy-Authenticate' : 'WWW-Authenticate';
  const chosen = new Map<string, Answerable>();
  for (const value of response.fields(name).slice(0, challengesMax)) {
    const challenge = readChallenge(value);
    const algorithm = challenge && digestAlgorithm(challenge.algorithm);
    const user = challenge && byRealm.get(challenge.realm);
    if (!challenge || !algorithm || !user) continue;
    if (algorithm.hash === 'MD5' && user.md5 !== true) continue;
    const qop = (['auth', 'auth-int'] as const).find((one) => challenge.qop.includes(one));
    if (qop === undefined && challenge.qop.length > 0) continue;
    const before = chosen.get(challenge.realm);
    const isBetter = before?.algorithm.hash === 'MD5' && algorithm.hash !== 'MD5';
    if (!before || isBetter) chosen.set(challenge.realm, { challenge, algorithm, qop, user });
  }
  return [...chosen.values()];
}

function credentialsOf(
  { challenge, algorithm, qop, user }: Answerable,
  { method, uri, body = nothing }: Challenged,
  cnonce: string,
): string {
  const { realm, nonce, opaque } = challenge;
  const { username, password } = user;
  const ha1 = digestHa1(hash, algorithm.hash, { username, realm, password });
  const nc = '00000001';
  const isCounted = qop !== undefined || algorithm.session;
  const input = { ...algorithm, ha1, method, uri, nonce, qop, nc, cnonce, body };
  return formatCredentials({
    ...{ username, realm, nonce, uri, algorithm: challenge.algorithm },
    response: digestResponse(hash, input),
    ...(opaque !== undefined && { opaque }),
    ...(qop !== undefined && { qop }),
    ...(isCounted && { cnonce, nc }),
  });
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
