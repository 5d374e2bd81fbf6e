/** The certificates of test/vectors/tls. */

import { readFileSync } from 'node:fs';
import type { SipCertificate } from '../../../src/transport/sip/tls.js';

export type CertificateName =
  'server' | 'renewed' | 'second' | 'proxy' | 'wildcard' | 'nameless' | 'expired' | 'stranger';

export const authority = read('authority.pem');

export function certificate(name: CertificateName): SipCertificate {
  return { certificate: read(`${name}.pem`), key: read(`${name}.key`) };
}

/** As Node wants it. */
export function pair(name: CertificateName): { cert: string; key: string } {
  return { cert: read(`${name}.pem`), key: read(`${name}.key`) };
}

function read(file: string): string {
  return readFileSync(new URL(`../../vectors/tls/${file}`, import.meta.url), 'utf8');
}
