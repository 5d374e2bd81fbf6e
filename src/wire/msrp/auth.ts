/** AUTH, with which a client gets a path through a relay (RFC 4976 5.1, 9). */

import { WireError } from '../error.js';
import { parseChallenge } from '../sip/digest.js';
import type { DigestChallenge } from '../sip/digest.js';
import type { MsrpResponseHead } from './frame.js';
import { readPath } from './head.js';

/** What a relay grants. */
export interface MsrpGrant {
  /** Use-Path: the relays in the order of our To-Path. */
  readonly usePath: readonly string[];
  /** Seconds. */
  readonly expires: number | undefined;
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

/** The Digest challenges of a 401; other schemes are passed over. Throws WireError `SIP_DIGEST`. */
export function readChallenges(head: MsrpResponseHead): DigestChallenge[] {
  const values = fieldsOf(head, 'www-authenticate').slice(0, challengesMax);
  return values.flatMap((value) => parseChallenge(value) ?? []);
}

function fieldsOf(head: MsrpResponseHead, name: string): string[] {
  return head.headers.flatMap(([field, value]) => (field.toLowerCase() === name ? [value] : []));
}
