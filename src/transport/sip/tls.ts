/** TLS of SIP connections: our certificates, and whether that of a peer will do (RFC 5922). */

import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect, createSecureContext, createServer } from 'node:tls';
import type { SecureContext, SecureContextOptions, Server, TLSSocket } from 'node:tls';
import { certificateNames, provesHost } from './peer-certificate.js';

/** A certificate with its chain, and its key, as PEM. */
export interface SipCertificate {
  readonly certificate: string | Buffer;
  readonly key: string | Buffer;
}

export interface SipTlsOptions extends Partial<SipCertificate> {
  /** Certificates, as PEM, by which those of peers are verified; by default those of Node. */
  readonly ca?: readonly (string | Buffer)[];
  /**
   * `request`: a peer that connects is asked for a certificate; one that cannot be verified is as
   * good as none. `require`: without one that can be verified there is no connection.
   */
  readonly requestCertificate?: 'no' | 'request' | 'require';
  /** Further certificates: a client that names a domain of theirs (SNI) is shown that one. */
  readonly servers?: readonly SipCertificate[];
}

/** Certificates that cannot be used. `code` is stable API. */
export class SipTlsError extends Error {
  readonly code = 'SIP_CERTIFICATE';

  constructor(reason: string) {
    super(`SIP_CERTIFICATE: ${reason}`);
    this.name = 'SipTlsError';
  }
}

interface Loaded {
  readonly own: SecureContextOptions;
  readonly context: SecureContext;
  /** By domain, in lower case. */
  readonly byDomain: ReadonlyMap<string, SecureContext>;
  readonly hasCertificate: boolean;
}

export class TlsIdentity {
  readonly #requestCertificate: 'no' | 'request' | 'require';
  readonly #servers = new Set<Server>();
  #loaded: Loaded;

  /** Throws SipTlsError. */
  constructor(options: SipTlsOptions) {
    this.#requestCertificate = options.requestCertificate ?? 'no';
    this.#loaded = load(options);
  }

  /** Whether a listener has something to show. */
  get hasCertificate(): boolean {
    return this.#loaded.hasCertificate;
  }

  /**
   * From the next connection on. Those that stand keep theirs, and so does whether certificates
   * are asked for. On a throw all is as before.
   */
  reload(options: SipTlsOptions): void {
    this.#loaded = load(options);
    for (const server of this.#servers) server.setSecureContext(this.#loaded.own);
  }

  /** The side of a listener: takes raw connections by its event `connection`, never listens. */
  createServer(handshakeMs: number): Server {
    const server = createServer({
      ...this.#loaded.own,
      requestCert: this.#requestCertificate !== 'no',
      rejectUnauthorized: this.#requestCertificate === 'require',
      handshakeTimeout: handshakeMs,
      SNICallback: (domain, found) => found(null, this.#contextOf(domain)),
    });
    this.#servers.add(server);
    return server;
  }

  /**
   * Connects; `secureConnect` comes only when the certificate proves the domain of the URI that led
   * here, which is not the name that look-ups made of it (RFC 5922 7.3).
   */
  connect(address: string, port: number, domain: string): TLSSocket {
    return connect({
      ...{ host: address, port, secureContext: this.#loaded.context },
      // An address is not a name of SNI (RFC 6066 3).
      ...(isIP(domain) === 0 && { servername: domain }),
      rejectUnauthorized: true,
      checkServerIdentity: (_host, { subjectaltname }) =>
        provesHost(certificateNames(subjectaltname), domain)
          ? undefined
          : new SipTlsError(`the certificate is not for ${domain}`),
    });
  }

  #contextOf(domain: string): SecureContext {
    const { byDomain, context } = this.#loaded;
    return byDomain.get(domain.toLowerCase()) ?? context;
  }
}

/** The domains that a verified certificate of the peer proves. */
export function provenDomains(socket: TLSSocket): readonly string[] {
  if (!socket.authorized) return [];
  return certificateNames(socket.getPeerX509Certificate()?.subjectAltName).domains;
}

function load({ certificate, key, ca, servers = [] }: SipTlsOptions): Loaded {
  const shared: SecureContextOptions = {
    minVersion: 'TLSv1.2',
    ...(ca !== undefined && { ca: [...ca] }),
  };
  try {
    const own = { ...shared, ...(certificate && key && pairOf({ certificate, key })) };
    const byDomain = new Map<string, SecureContext>();
    for (const server of servers) {
      const context = createSecureContext({ ...shared, ...pairOf(server) });
      const { subjectAltName } = new X509Certificate(server.certificate);
      for (const domain of certificateNames(subjectAltName).domains) byDomain.set(domain, context);
    }
    const context = createSecureContext(own);
    return { own, context, byDomain, hasCertificate: own.cert !== undefined };
  } catch (error) {
    throw new SipTlsError(error instanceof Error ? error.message : String(error));
  }
}

/** Throws when the key is not that of the certificate. */
function pairOf({ certificate, key }: SipCertificate): {
  cert: string | Buffer;
  key: string | Buffer;
} {
  createSecureContext({ cert: certificate, key });
  return { cert: certificate, key };
}
