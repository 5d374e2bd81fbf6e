/** Hosts that stand for whoever has no address of its own: names in `.invalid` (RFC 7118 5). */

import type { SipMessage } from '../../wire/sip/message.js';

const textMax = 1_024;
const pattern = /(?:^|[@:])([a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,4}\.invalid)(?=[:;>?\s,]|$)/i;

/** The host in `.invalid` of a URI, name-addr or host, in lower case; undefined for any other. */
export function invalidHost(text: string): string | undefined {
  if (text.length > textMax) return undefined;
  return pattern.exec(text)?.[1]?.toLowerCase();
}

/** The host in `.invalid` in the Contact of a request that says where later ones come back to. */
export function invalidContactHost(message: SipMessage): string | undefined {
  if (message.kind !== 'request') return undefined;
  const { method } = message;
  if (method !== 'REGISTER' && method !== 'INVITE' && method !== 'SUBSCRIBE') return undefined;
  return invalidHost(message.header('Contact') ?? '');
}
