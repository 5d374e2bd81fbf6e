/** Certificates for tests, valid for a hundred years. */

import { readFileSync } from 'node:fs';
import { X509Certificate } from 'node:crypto';
import type { MsrpCertificate, MsrpTlsOptions } from '../../../src/transport/msrp/options.js';
import { parseFingerprint } from '../../../src/wire/msrp/fingerprint.js';
import type { CertificateFingerprint } from '../../../src/wire/msrp/fingerprint.js';

/**
 * `server` and `renewed` are for 127.0.0.1 and localhost, `elsewhere` for im.example.org,
 * `nameless` has 127.0.0.1 in its subject only; `self-signed` is by no authority.
 */
export type CertificateName = 'server' | 'renewed' | 'elsewhere' | 'nameless' | 'self-signed';

export function certificate(name: CertificateName): MsrpCertificate {
  return { certificate: read(`${name}.pem`), key: read(`${name}.key`) };
}

export const authorities = [read('authority.pem')];

/** A TLS listener with that certificate; `msrps` is what sessions are. */
export function tlsOptions(name: CertificateName): MsrpTlsOptions {
  return { ...certificate(name), port: 0, authorities, preferred: true };
}

/** As Node computes it, which is not how the endpoint does. */
export function fingerprintOf(name: CertificateName): CertificateFingerprint {
  const { fingerprint256 } = new X509Certificate(read(`${name}.pem`));
  return parseFingerprint(`sha-256 ${fingerprint256}`);
}

function read(file: string): string {
  return readFileSync(new URL(`certificates/${file}`, import.meta.url), 'utf8');
}
