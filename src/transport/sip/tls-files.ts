/** Certificates and keys of SIP out of PEM files. */

import { readFileSync } from 'node:fs';
import { SipTlsError, type SipCertificate, type SipTlsOptions } from './tls.js';

/** Paths of PEM files: a certificate with its chain, and its key. */
export interface SipCertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

export interface SipTlsFiles {
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  readonly ca?: readonly string[] | undefined;
  readonly requestCertificate?: 'no' | 'request' | 'require' | undefined;
  readonly servers?: readonly SipCertificateFiles[] | undefined;
}

/** Throws SipTlsError, which names the file. */
export function readTlsFiles(files: SipTlsFiles): SipTlsOptions {
  const { certificate, key, ca, requestCertificate, servers } = files;
  return {
    ...(certificate !== undefined && key !== undefined && pairOf({ certificate, key })),
    ...(ca && { ca: ca.map(read) }),
    ...(requestCertificate && { requestCertificate }),
    ...(servers && { servers: servers.map(pairOf) }),
  };
}

function pairOf({ certificate, key }: SipCertificateFiles): SipCertificate {
  return { certificate: read(certificate), key: read(key) };
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new SipTlsError(`cannot read ${path}: ${(error as NodeJS.ErrnoException).code}`);
  }
}
