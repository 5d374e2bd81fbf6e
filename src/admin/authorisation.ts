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

/** `clientNames`: the certificates that count; every one of our authorities when absent. */
export function createAuthorise(
  tokens: readonly AdminToken[],
  clientNames?: readonly string[],
): Authorise {
  const wanted = clientNames && new Set(clientNames.map((name) => name.toLowerCase()));
  const known = tokens.map(({ name, sha256 }) => ({ name, digest: Buffer.from(sha256, 'hex') }));
  return ({ headers, socket }) => {
    if (socket instanceof TLSSocket && socket.authorized && isWanted(socket, wanted)) {
      return 'certificate';
    }
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

/** By the common name or a DNS name of the certificate, whole: no pattern matches. */
function isWanted(socket: TLSSocket, wanted: ReadonlySet<string> | undefined): boolean {
  if (!wanted) return true;
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return false;
  const subject = certificate.subject?.split('\n') ?? [];
  const common = subject.filter((line) => line.startsWith('CN=')).map((line) => line.slice(3));
  const others = certificate.subjectAltName?.split(', ') ?? [];
  const dns = others.filter((name) => name.startsWith('DNS:')).map((name) => name.slice(4));
  return [...common, ...dns].some((name) => wanted.has(name.toLowerCase()));
}
