/** TLS of MSRP connections: our certificate, and whether that of a peer will do (MSRP-14). */

import { X509Certificate, createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { checkServerIdentity, connect, createSecureContext } from 'node:tls';
import type { SecureContext, SecureContextOptions, Server, TLSSocket, TlsOptions } from 'node:tls';
import type { CertificateFingerprint } from '../../wire/msrp/fingerprint.js';
import type { Carrier, Target } from './carrier.js';
import { MsrpError } from './options.js';
import type { MsrpCertificate, MsrpTlsOptions } from './options.js';

/** By strength, the strongest first. MD2 and MD5 are ruled out by RFC 8122 5. */
const hashes = ['sha-512', 'sha-384', 'sha-256', 'sha-224', 'sha-1'];

/** What the handshake of an accepted connection has shown of the peer. */
export interface PeerProof {
  /** DER; undefined when it has shown none. */
  readonly certificate: Buffer | undefined;
  /** Whether an authority stands for it, and why not. */
  readonly isAuthorized: boolean;
  readonly error: string;
}

export class TlsIdentity {
  readonly #options: MsrpTlsOptions;
  readonly #servers = new Set<Server>();
  #context: SecureContext;
  #certificate: MsrpCertificate;
  #fingerprint: CertificateFingerprint;

  /** Throws MsrpError `MSRP_CERTIFICATE`. */
  constructor(options: MsrpTlsOptions) {
    this.#options = options;
    this.#certificate = options;
    [this.#context, this.#fingerprint] = this.#read(options);
  }

  /** SHA-256 over our certificate. */
  get fingerprint(): CertificateFingerprint {
    return this.#fingerprint;
  }

  /** From the next connection on. Those that stand keep theirs; on a throw all is as before. */
  reload(certificate: MsrpCertificate): void {
    [this.#context, this.#fingerprint] = this.#read(certificate);
    this.#certificate = certificate;
    for (const server of this.#servers) server.setSecureContext(this.#contextOptions());
  }

  /** For a listener whose handshakes take at most `handshakeMs`. */
  serverOptions(handshakeMs: number): TlsOptions {
    return {
      ...this.#contextOptions(),
      requestCert: this.#options.clientCertificate !== undefined,
      // Judged once the session is known: a self-signed one may have its fingerprint there.
      rejectUnauthorized: false,
      handshakeTimeout: handshakeMs,
    };
  }

  /** The listener gets every certificate that is loaded from here on. */
  keep(server: Server): void {
    this.#servers.add(server);
    server.on('close', () => this.#servers.delete(server));
  }

  /** Of a connection that the peer opened. */
  accepted(socket: TLSSocket): Carrier {
    const proof = this.proofOf(socket);
    const refusal: Carrier['refusal'] = (expected) => this.clientRefusal(proof, expected);
    const opens = undefined;
    return { socket, transport: 'tls', target: undefined, opens, framed: false, refusal, proof };
  }

  open({ host, port }: Target, target: string): Carrier {
    const socket = connect({
      ...{ host, port, secureContext: this.#context },
      ...(isIP(host) === 0 && { servername: host }),
      // Judged by `refusal`, which knows the fingerprints.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    const refusal: Carrier['refusal'] = (expected) =>
      expected.length > 0
        ? mismatch(socket.getPeerX509Certificate()?.raw, expected)
        : serverRefusal(socket, host);
    return { socket, transport: 'tls', target, opens: 'secureConnect', framed: false, refusal };
  }

  /** Of an accepted connection. */
  proofOf(socket: TLSSocket): PeerProof {
    const isAsked = this.#options.clientCertificate !== undefined;
    const certificate = isAsked ? socket.getPeerX509Certificate()?.raw : undefined;
    const { authorized: isAuthorized, authorizationError } = socket;
    return { certificate, isAuthorized, error: String(authorizationError) };
  }

  /** Why the certificate of an accepted connection does not do. */
  clientRefusal(
    { certificate, isAuthorized, error }: PeerProof,
    expected: readonly CertificateFingerprint[],
  ): string | undefined {
    const { clientCertificate } = this.#options;
    if (clientCertificate === undefined) return undefined;
    if (certificate === undefined) {
      return clientCertificate === 'require' ? 'no certificate' : undefined;
    }
    if (expected.length > 0) return mismatch(certificate, expected);
    return isAuthorized || clientCertificate === 'request' ? undefined : error;
  }

  #read(certificate: MsrpCertificate): [SecureContext, CertificateFingerprint] {
    try {
      const { raw } = new X509Certificate(certificate.certificate);
      const context = createSecureContext(this.#contextOptions(certificate));
      return [context, { hash: 'sha-256', value: digestOf(raw, 'sha-256') }];
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new MsrpError('MSRP_CERTIFICATE', reason);
    }
  }

  #contextOptions({ certificate, key } = this.#certificate): SecureContextOptions {
    const { authorities } = this.#options;
    return { cert: certificate, key, ...(authorities !== undefined && { ca: [...authorities] }) };
  }
}

/** Without a fingerprint: a chain to an authority, and a SubjectAltName that fits (14.4). */
function serverRefusal(socket: TLSSocket, host: string): string | undefined {
  if (!socket.authorized) return String(socket.authorizationError);
  const certificate = socket.getPeerCertificate();
  // A name in the subject alone does not count.
  if (certificate.subjectaltname === undefined) return 'no SubjectAltName';
  return checkServerIdentity(host, certificate)?.message;
}

/** RFC 8122 5: of several fingerprints those of the strongest known hash count. */
function mismatch(
  certificate: Buffer | undefined,
  expected: readonly CertificateFingerprint[],
): string | undefined {
  if (!certificate) return 'no certificate';
  const hash = hashes.find((name) => expected.some((fingerprint) => fingerprint.hash === name));
  if (hash === undefined) return 'no fingerprint of a known hash';
  const digest = digestOf(certificate, hash);
  const isSame = expected.some(({ hash: name, value }) => name === hash && value === digest);
  return isSame ? undefined : 'the fingerprint is another one';
}

function digestOf(raw: Buffer, hash: string): string {
  const hex = createHash(hash.replace('-', '')).update(raw).digest('hex').toUpperCase();
  return hex.replace(/..(?!$)/g, '$&:');
}
