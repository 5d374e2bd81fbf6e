/** Where the URI of the next hop leads, before any look-up (RFC 3261 8.1.2, 26.2; RFC 7118 5). */

import { isIP } from 'node:net';
import { WireError } from '../../wire/error.js';
import { parseUri } from '../../wire/sip/uri.js';
import type { SipTransport } from './options.js';

/** Where a request is to go, as its next-hop URI says. */
export interface NextHop {
  /** Host without brackets. */
  readonly host: string;
  readonly port?: number;
  readonly transport?: SipTransport;
  /** A `sips:` URI: nothing but TLS will do. */
  readonly secure?: true;
}

/** Undefined when the URI is none that SIP can reach. */
export function nextHopOf(uri: string): NextHop | undefined {
  const parsed = readUri(uri);
  if (parsed?.scheme !== 'sip' && parsed?.scheme !== 'sips') return undefined;
  const host = parsed.params.get('maddr') ?? parsed.host;
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  if (bare === '' || (host.startsWith('[') && isIP(bare) !== 6)) return undefined;
  const secure = parsed.scheme === 'sips';
  const named = parsed.params.get('transport')?.toLowerCase();
  const transport = named === undefined ? undefined : transportOf(named, secure);
  if (named !== undefined && transport === undefined) return undefined;
  return {
    host: bare,
    ...(parsed.port === undefined ? {} : { port: parsed.port }),
    ...(transport === undefined ? {} : { transport }),
    ...(secure ? { secure } : {}),
  };
}

/** 26.2.2: in a `sips:` URI `tcp` means TLS over TCP, and there is none over UDP. */
function transportOf(name: string, secure: boolean): SipTransport | undefined {
  switch (name) {
    case 'tls':
    case 'wss':
      return name;
    case 'tcp':
      return secure ? 'tls' : 'tcp';
    case 'ws':
      return secure ? 'wss' : 'ws';
    case 'udp':
      return secure ? undefined : 'udp';
    default:
      return undefined;
  }
}

function readUri(uri: string) {
  try {
    return parseUri(uri);
  } catch (error) {
    // A URI that a peer gave us leads nowhere when it cannot be read; the request fails for it.
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
