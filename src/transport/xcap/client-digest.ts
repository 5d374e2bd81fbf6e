/** Digest authentication of an HTTP client (RFC 7616). */

import { hash as hashOf } from 'node:crypto';
import type { Random } from '../../ports.js';
import { WireError } from '../../wire/error.js';
import { formatCredentials, parseChallenge } from '../../wire/sip/digest.js';
import type { DigestChallenge } from '../../wire/sip/digest.js';
import { digestAlgorithm, digestHa1, digestResponse } from '../../wire/sip/digest-response.js';
import type { Hash } from '../../wire/sip/digest-response.js';

export interface DigestUser {
  readonly username: string;
  readonly password: string;
  /** Whether a challenge with MD5 is answered. */
  readonly md5: boolean;
}

const names = { 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256', MD5: 'md5' } as const;
const hash: Hash = (algorithm, data) => hashOf(names[algorithm], data);

export class ClientDigest {
  readonly #user: DigestUser;
  readonly #random: Random;
  #challenge: DigestChallenge | undefined;
  #count = 0;

  constructor(user: DigestUser, random: Random) {
    this.#user = user;
    this.#random = random;
  }

  /** The value of Authorization, once there was a challenge. */
  authorization(method: string, uri: string): string | undefined {
    if (!this.#challenge) return undefined;
    const { realm, nonce, algorithm, opaque } = this.#challenge;
    const { username, password } = this.#user;
    const known = digestAlgorithm(algorithm)!;
    const nc = (++this.#count).toString(16).padStart(8, '0');
    const cnonce = this.#random.token(16);
    const ha1 = digestHa1(hash, known.hash, { username, realm, password });
    const protection = { qop: 'auth', nc, cnonce };
    const body = Buffer.alloc(0);
    const input = { ...known, ha1, method, uri, nonce, ...protection, body };
    const response = digestResponse(hash, input);
    return formatCredentials({
      ...{ username, realm, nonce, uri, response, algorithm, ...protection },
      ...(opaque !== undefined && { opaque }),
    });
  }

  /** Whether one of these values of WWW-Authenticate can be answered. */
  take(values: readonly string[]): boolean {
    for (const value of values) {
      const challenge = challengeOf(value);
      if (!challenge || !this.#answers(challenge)) continue;
      this.#challenge = challenge;
      this.#count = 0;
      return true;
    }
    return false;
  }

  #answers({ algorithm, qop }: DigestChallenge): boolean {
    const known = digestAlgorithm(algorithm);
    return known !== undefined && (known.hash !== 'MD5' || this.#user.md5) && qop.includes('auth');
  }
}

function challengeOf(value: string): DigestChallenge | undefined {
  try {
    return parseChallenge(value);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
