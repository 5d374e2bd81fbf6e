/** Header fields of digest authentication (RFC 7616, RFC 8760, RFC 3261 22.4). */

import { digestError, parseAuthParams, quotedParam } from './digest-params.js';
import type { AuthParams } from './digest-params.js';

/** One value of WWW-Authenticate or Proxy-Authenticate. */
export interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  /** As named; `MD5` when none is. */
  readonly algorithm: string;
  /** In lower case; empty in a challenge of RFC 2069. */
  readonly qop: readonly string[];
  readonly opaque?: string;
  readonly stale?: boolean;
  /** The server takes the hash of a user name in place of it. */
  readonly userhash?: boolean;
}

/** The value of Authorization or Proxy-Authorization. */
export interface DigestCredentials {
  /** The name, or its hash when `userhash` is set. */
  readonly username: string;
  readonly userhash?: boolean;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  /** Hexadecimal digits in lower case. */
  readonly response: string;
  /** As named; `MD5` when none is. */
  readonly algorithm: string;
  readonly opaque?: string;
  /** In lower case; with it come `cnonce` and `nc`. */
  readonly qop?: string;
  readonly cnonce?: string;
  /** Eight hexadecimal digits. */
  readonly nc?: string;
}

/** The value of Authentication-Info. */
export interface AuthenticationInfo {
  readonly nextnonce?: string;
  readonly qop?: string;
  readonly rspauth?: string;
  readonly cnonce?: string;
  readonly nc?: string;
}

const scheme = /^\s*digest(?:\s+|$)/i;
const hexDigits = /^[0-9a-f]+$/i;
const nonceCount = /^[0-9a-f]{8}$/i;

/** Undefined for another scheme. Throws WireError `SIP_DIGEST`. */
export function parseChallenge(value: string): DigestChallenge | undefined {
  const params = digestParams(value);
  if (!params) return undefined;
  const opaque = params.get('opaque');
  const qop = params.get('qop')?.toLowerCase().split(',') ?? [];
  return {
    realm: required(params, 'realm'),
    nonce: required(params, 'nonce'),
    algorithm: params.get('algorithm') ?? 'MD5',
    qop: qop.map((option) => option.trim()).filter((option) => option !== ''),
    ...(opaque !== undefined && { opaque }),
    ...(isTrue(params, 'stale') && { stale: true }),
    ...(isTrue(params, 'userhash') && { userhash: true }),
  };
}

export function formatChallenge(challenge: DigestChallenge): string {
  const { realm, nonce, algorithm, qop, opaque, stale, userhash } = challenge;
  const params = [quotedParam('realm', realm), quotedParam('nonce', nonce)];
  if (opaque !== undefined) params.push(quotedParam('opaque', opaque));
  params.push(`algorithm=${algorithm}`);
  if (qop.length > 0) params.push(quotedParam('qop', qop.join(',')));
  if (stale === true) params.push('stale=true');
  if (userhash === true) params.push('userhash=true');
  return `Digest ${params.join(', ')}`;
}

/** Undefined for another scheme. Throws WireError `SIP_DIGEST`. */
export function parseCredentials(value: string): DigestCredentials | undefined {
  const params = digestParams(value);
  if (!params) return undefined;
  const response = required(params, 'response');
  if (!hexDigits.test(response)) throw digestError('response is not hexadecimal');
  const opaque = params.get('opaque');
  return {
    ...usernameOf(params),
    realm: required(params, 'realm'),
    nonce: required(params, 'nonce'),
    uri: required(params, 'uri'),
    response: response.toLowerCase(),
    algorithm: params.get('algorithm') ?? 'MD5',
    ...(opaque !== undefined && { opaque }),
    ...protectionOf(params),
  };
}

/** RFC 7616 3.4: what is quoted and what is not is fixed. */
export function formatCredentials(credentials: DigestCredentials): string {
  const { realm, nonce, uri, response, algorithm, opaque } = credentials;
  const { username, userhash, qop, cnonce, nc } = credentials;
  const params = [
    quotedParam('username', username),
    quotedParam('realm', realm),
    quotedParam('nonce', nonce),
    quotedParam('uri', uri),
    quotedParam('response', response),
    `algorithm=${algorithm}`,
  ];
  if (qop !== undefined) params.push(`qop=${qop}`);
  if (cnonce !== undefined) params.push(quotedParam('cnonce', cnonce));
  if (nc !== undefined) params.push(`nc=${nc}`);
  if (opaque !== undefined) params.push(quotedParam('opaque', opaque));
  if (userhash === true) params.push('userhash=true');
  return `Digest ${params.join(', ')}`;
}

/** Throws WireError `SIP_DIGEST`. */
export function parseAuthenticationInfo(value: string): AuthenticationInfo {
  const params = parseAuthParams(value, 0);
  const nextnonce = params.get('nextnonce');
  const rspauth = params.get('rspauth');
  if (rspauth !== undefined && !hexDigits.test(rspauth)) {
    throw digestError('rspauth is not hexadecimal');
  }
  return {
    ...(nextnonce !== undefined && { nextnonce }),
    ...(rspauth !== undefined && { rspauth: rspauth.toLowerCase() }),
    ...protectionOf(params),
  };
}

export function formatAuthenticationInfo(info: AuthenticationInfo): string {
  const { nextnonce, qop, rspauth, cnonce, nc } = info;
  const params: string[] = [];
  if (nextnonce !== undefined) params.push(quotedParam('nextnonce', nextnonce));
  if (qop !== undefined) params.push(`qop=${qop}`);
  if (rspauth !== undefined) params.push(quotedParam('rspauth', rspauth));
  if (cnonce !== undefined) params.push(quotedParam('cnonce', cnonce));
  if (nc !== undefined) params.push(`nc=${nc}`);
  return params.join(', ');
}

function digestParams(value: string): AuthParams | undefined {
  const match = scheme.exec(value);
  return match ? parseAuthParams(value, match[0].length) : undefined;
}

function required(params: AuthParams, name: string): string {
  const value = params.get(name);
  if (value === undefined) throw digestError(`${name} is missing`);
  return value;
}

function isTrue(params: AuthParams, name: string): boolean {
  return params.get(name)?.toLowerCase() === 'true';
}

/** 3.4: as `username`, or as `username*` (RFC 5987), which is never a hash. */
function usernameOf(params: AuthParams): Pick<DigestCredentials, 'username' | 'userhash'> {
  const userhash = isTrue(params, 'userhash');
  const extended = params.get('username*');
  if (extended === undefined) {
    const username = required(params, 'username');
    return userhash ? { username, userhash } : { username };
  }
  if (userhash || params.has('username')) throw digestError('two forms of username');
  return { username: extendedValue(extended) };
}

function extendedValue(text: string): string {
  const match = /^utf-8'[A-Za-z0-9-]*'([A-Za-z0-9!#$&+\-.^_`|~%]*)$/i.exec(text);
  if (!match) throw digestError('username* is not UTF-8');
  try {
    return decodeURIComponent(match[1]!);
  } catch (error) {
    if (error instanceof URIError) throw digestError('username* is not UTF-8');
    throw error;
  }
}

/** `qop` comes with `cnonce` and `nc`, or none of them counts. */
function protectionOf(params: AuthParams): Pick<DigestCredentials, 'qop' | 'cnonce' | 'nc'> {
  const qop = params.get('qop')?.toLowerCase();
  if (qop === undefined) return {};
  const cnonce = required(params, 'cnonce');
  const nc = required(params, 'nc').toLowerCase();
  if (!nonceCount.test(nc)) throw digestError('nc is not a count of eight digits');
  return { qop, cnonce, nc };
}
