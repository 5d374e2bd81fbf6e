/** Who sends an HTTP request: by digest, or by what a trusted proxy asserts (XCAP-01, XCAP-09). */

import { BlockList, isIP } from 'node:net';
import type { HttpAuthentication, HttpCredentials } from '../../ports.js';
import type { XcapIdentities } from './usage.js';

export interface IdentifiedRequest extends HttpCredentials {
  /** TLS, or a connection that does not leave the host: what is said on it stays private. */
  readonly isPrivate: boolean;
  readonly asserted: string | undefined;
  readonly intended: string | undefined;
}

export type Identified =
  | { readonly kind: 'known'; readonly identities: XcapIdentities }
  | { readonly kind: 'challenge'; readonly challenges: readonly string[] }
  | { readonly kind: 'refused'; readonly status: 403 | 429 | 503 };

/** URIs of one header field. */
const urisMax = 16;
const refused = { kind: 'refused', status: 403 } as const;

export class Identification {
  readonly #authentication: HttpAuthentication | undefined;
  readonly #proxies = new BlockList();

  /** Proxies are CIDR blocks. */
  constructor(proxies: readonly string[], authentication: HttpAuthentication | undefined) {
    this.#authentication = authentication;
    for (const block of proxies) {
      const [address = '', prefix] = block.split('/');
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (prefix === undefined) this.#proxies.addAddress(address, family);
      else this.#proxies.addSubnet(address, Number(prefix), family);
    }
  }

  isProxy(address: string): boolean {
    const plain = plainAddress(address);
    const family = isIP(plain);
    return family !== 0 && this.#proxies.check(plain, family === 4 ? 'ipv4' : 'ipv6');
  }

  /** Throws WireError for credentials that are malformed. */
  async identify(request: IdentifiedRequest): Promise<Identified> {
    if (this.isProxy(request.address)) {
      // TS 24.109: the proxy has checked either of them; the one it made itself comes first.
      const identities = urisOf(request.asserted ?? request.intended ?? '');
      if (identities.length > 0) return { kind: 'known', identities };
    }
    // RFC 4825 14: digest is for TLS.
    if (!this.#authentication || !request.isPrivate) return refused;
    const verdict = await this.#authentication.judge(request);
    switch (verdict.kind) {
      case 'proven':
        return { kind: 'known', identities: [verdict.identity] };
      case 'unproven': {
        const challenges = this.#authentication.challenges(request.address, verdict.stale);
        return { kind: 'challenge', challenges };
      }
      case 'blocked':
        return { kind: 'refused', status: 429 };
      case 'unavailable':
        return { kind: 'refused', status: 503 };
      default:
        return verdict satisfies never;
    }
  }
}

/** `"sip:a@example.org", "tel:+12025550147"`; nothing of a field that is none. */
export function urisOf(field: string): string[] {
  const uris: string[] = [];
  const form = /\s*(?:"([^"\\]{1,1024})"|([^\s",]{1,1024}))\s*(?:,|$)/y;
  while (form.lastIndex < field.length) {
    const match = form.exec(field);
    if (!match || uris.length === urisMax) return [];
    uris.push(match[1] ?? match[2]!);
  }
  return uris;
}

function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
