/** The SIP identities of an X.509 certificate (RFC 5922 7). */

import { isIP } from 'node:net';

/** What the SubjectAltName of a certificate proves. */
export interface CertificateNames {
  /** SIP domains in lower case. */
  readonly domains: readonly string[];
  /** IP addresses as they stand there. */
  readonly addresses: readonly string[];
}

/** `Kind:value` as Node writes them: a value with a comma or quote comes as a JSON string. */
const entry = /(?:^|, )(DNS|URI|IP Address|[^:,"]+):("(?:[^"\\]|\\.)*"|[^,]*)/g;
/** A SIP URI without user part is a domain; `sips` is not accepted here (7.1). */
const sipDomain = /^sip:(\[[0-9a-f:.]+\]|[a-z0-9.-]+)$/i;

/**
 * Reads a SubjectAltName as Node writes it. A SIP URI counts before DNS names, and the common name
 * of the subject never counts.
 */
export function certificateNames(subjectAltName: string | undefined): CertificateNames {
  const uris: string[] = [];
  const names: string[] = [];
  const addresses: string[] = [];
  for (const [, kind, value] of (subjectAltName ?? '').matchAll(entry)) {
    const text = unquoted(value!);
    if (text === '') continue;
    if (kind === 'DNS') names.push(text.toLowerCase());
    else if (kind === 'IP Address') addresses.push(text);
    else if (kind === 'URI') {
      const domain = sipDomain.exec(text)?.[1];
      if (domain !== undefined) uris.push(domain.toLowerCase());
    }
  }
  return { domains: uris.length > 0 ? uris : names, addresses };
}

/**
 * Whether the certificate proves that host, without wildcards (7.2). An address is proved by an
 * address of the certificate.
 */
export function provesHost(names: CertificateNames, host: string): boolean {
  const wanted = host.toLowerCase().replace(/\.$/, '');
  if (isIP(wanted) === 0) return names.domains.includes(wanted);
  return names.addresses.some((own) => isSame(own, wanted));
}

function isSame(own: string, wanted: string): boolean {
  if (!own.includes(':')) return own === wanted;
  return wanted.includes(':') && canonicalIpv6(own) === canonicalIpv6(wanted);
}

/** Certificates hold IPv6 addresses without `::`. */
function canonicalIpv6(address: string): string {
  try {
    return new URL(`http://[${address}]`).hostname;
  } catch {
    // What is no address is only the same as itself.
    return address;
  }
}

function unquoted(value: string): string {
  if (!value.startsWith('"')) return value;
  try {
    return String(JSON.parse(value));
  } catch {
    // It proves nothing then.
    return '';
  }
}
