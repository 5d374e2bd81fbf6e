/** AUTH, with which a client gets a path through a relay (RFC 4976 5.1, 9). */

import { WireError } from '../error.js';
import type { MsrpResponseHead } from './frame.js';
import { readPath } from './head.js';

/** What a relay grants. */
export interface MsrpGrant {
  /** Use-Path: the relays in the order of our To-Path. */
  readonly usePath: readonly string[];
  /** Seconds. */
  readonly expires: number | undefined;
}

/** A Digest challenge (RFC 7616 3.3). */
export interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  /** In upper case; MD5 when none was named. */
  readonly algorithm: string;
  readonly opaque: string | undefined;
  readonly stale: boolean;
  /** Whether qop has `auth`; without it the challenge cannot be answered safely. */
  readonly auth: boolean;
}

const pathsMax = 16;
const challengesMax = 8;
const expiresMax = 2 ** 31;

/** Of a 200. Throws WireError `MSRP_USE_PATH`, and `MSRP_EXPIRES`. */
export function readGrant(head: MsrpResponseHead): MsrpGrant {
  const value = fieldsOf(head, 'use-path')[0];
  if (value === undefined) throw new WireError('MSRP_USE_PATH', 'there is no Use-Path');
  return { usePath: readPath(value, pathsMax), expires: readSeconds(head, 'expires') };
}

/** Seconds in a header field such as Expires or Min-Expires. */
export function readSeconds(head: MsrpResponseHead, name: string): number | undefined {
  const value = fieldsOf(head, name)[0];
  if (value === undefined) return undefined;
  if (!/^\d{1,10}$/.test(value) || Number(value) > expiresMax) {
    throw new WireError('MSRP_EXPIRES', `${name} is malformed`);
  }
  return Number(value);
}

/** The Digest challenges of a 401; other schemes are passed over. Throws WireError. */
export function readChallenges(head: MsrpResponseHead): DigestChallenge[] {
  const values = fieldsOf(head, 'www-authenticate').slice(0, challengesMax);
  return values.filter((value) => /^digest /i.test(value)).map(readChallenge);
}

function readChallenge(value: string): DigestChallenge {
  const parameters = readParameters(value.slice('digest '.length));
  const realm = parameters.get('realm');
  const nonce = parameters.get('nonce');
  if (realm === undefined || nonce === undefined) {
    throw new WireError('MSRP_CHALLENGE', 'a challenge without realm or nonce');
  }
  const qop = parameters.get('qop') ?? '';
  return {
    realm,
    nonce,
    algorithm: (parameters.get('algorithm') ?? 'MD5').toUpperCase(),
    opaque: parameters.get('opaque'),
    stale: parameters.get('stale')?.toLowerCase() === 'true',
    auth: qop.split(',').some((option) => option.trim().toLowerCase() === 'auth'),
  };
}

/** The parameters of a challenge by lower-case name. */
function readParameters(text: string): Map<string, string> {
  const parameters = new Map<string, string>();
  const parameter =
    /[ \t]*([A-Za-z0-9-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))[ \t]*(?:,|$)/y;
  while (parameter.lastIndex < text.length) {
    const match = parameter.exec(text);
    if (match === null) throw new WireError('MSRP_CHALLENGE', 'a challenge is malformed');
    const name = match[1]!.toLowerCase();
    if (parameters.has(name)) throw new WireError('MSRP_CHALLENGE', 'a parameter twice');
    parameters.set(name, match[2]?.replace(/\\(.)/g, '$1') ?? match[3]!);
  }
  return parameters;
}

function fieldsOf(head: MsrpResponseHead, name: string): string[] {
  return head.headers.flatMap(([field, value]) => (field.toLowerCase() === name ? [value] : []));
}
