/** Whether an answer shows that whoever gave it knows the credentials too (RFC 7616 3.5). */

import { WireError } from '../error.js';
import { parseAuthenticationInfo } from './digest.js';
import type { AuthenticationInfo } from './digest.js';
import { digestResponse } from './digest-response.js';
import type { DigestInput, Hash } from './digest-response.js';
import type { SipResponse } from './message.js';

/** Credentials that went out with a request. */
export interface SentCredentials {
  /** In Proxy-Authorization: its proof is in Proxy-Authentication-Info (RFC 7615 4). */
  readonly isProxy: boolean;
  /** What their digest was made of. */
  readonly input: DigestInput;
}

/** What an answer says of the credentials of its request. */
export interface DigestProof<T extends SentCredentials> {
  /** Whose owner has shown that it knows them. */
  readonly proven: ReadonlySet<T>;
  /** Something is there that should be a proof and is none: whoever answers is somebody else. */
  readonly isWrong: boolean;
  /** The nonces that are wanted next. */
  readonly next: ReadonlyMap<T, string>;
}

/** Fields of one answer that are looked at. */
const fieldsMax = 16;

/** The credentials are told apart by their cnonce, which is another one in every request. */
export function readProof<T extends SentCredentials>(
  hash: Hash,
  sent: readonly T[],
  response: Pick<SipResponse, 'fields' | 'body'>,
): DigestProof<T> {
  const proven = new Set<T>();
  const next = new Map<T, string>();
  let isWrong = false;
  for (const isProxy of [false, true]) {
    const asked = sent.filter((one) => one.isProxy === isProxy);
    if (asked.length === 0) continue;
    const name = isProxy ? 'Proxy-Authentication-Info' : 'Authentication-Info';
    for (const value of response.fields(name).slice(0, fieldsMax)) {
      const info = readInfo(value);
      const one = info && credentialsOf(asked, info);
      if (!one || (info.rspauth !== undefined && !isProof(hash, one, info, response.body))) {
        isWrong = true;
        continue;
      }
      if (info.rspauth !== undefined) proven.add(one);
      if (info.nextnonce !== undefined) next.set(one, info.nextnonce);
    }
  }
  return { proven, isWrong, next };
}

/** Without a cnonce it can be the answer to one only. */
function credentialsOf<T extends SentCredentials>(
  sent: readonly T[],
  { cnonce }: AuthenticationInfo,
): T | undefined {
  if (cnonce !== undefined) return sent.find(({ input }) => input.cnonce === cnonce);
  return sent.length === 1 ? sent[0] : undefined;
}

/** 3.5: as the request-digest, without a method and with the body of the answer. */
function isProof(
  hash: Hash,
  { input }: SentCredentials,
  { rspauth, qop, nc }: AuthenticationInfo,
  body: Buffer,
): boolean {
  // A count and a protection that were not those of the request belong to another one.
  if (qop !== undefined && (qop !== input.qop || nc !== input.nc)) return false;
  return rspauth === digestResponse(hash, { ...input, method: '', body });
}

/** Undefined when it cannot be read: that proves nothing. */
function readInfo(value: string): AuthenticationInfo | undefined {
  try {
    return parseAuthenticationInfo(value);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
