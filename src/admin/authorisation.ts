/** Who may administer: whoever has a token, or a certificate of our authorities. */

import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';

export interface AdminToken {
  /** For the log. */
  readonly name: string;
  /** SHA-256 of the token, in hexadecimal digits. */
  readonly sha256: string;
}

/** The name of whoever asks; undefined: nobody who may. */
export type Authorise = (request: IncomingMessage) => string | undefined;

export function createAuthorise(tokens: readonly AdminToken[]): Authorise {
  const known = tokens.map(({ name, sha256 }) => ({ name, digest: Buffer.from(sha256, 'hex') }));
  return ({ headers, socket }) => {
    if (socket instanceof TLSSocket && socket.authorized) return 'certificate';
    const token = /^Bearer +([\x21-\x7e]{1,1024}) *$/i.exec(headers.authorization ?? '')?.[1];
    if (token === undefined) return undefined;
    const digest = hash('sha256', token, 'buffer');
    // Every one is compared, in a time that tells nothing.
    let found: string | undefined;
    for (const { name, digest: expected } of known) {
      if (timingSafeEqual(digest, expected)) found = name;
    }
    return found;
  };
}
