/** The header fields of the client's requests and answers, and what its answers say. */

import type { AnswerFacts } from '../machines/client/events.js';
import type { SipOutgoing } from '../ports.js';
import type { HeaderField, SipHeaders, SipResponse } from '../wire/sip/message.js';
import { formatNameAddr } from '../wire/sip/name-addr.js';
import { parseDigits } from '../wire/sip/number.js';
import { parseWarning } from '../wire/sip/warning.js';
import type { ClientWorld } from './world.js';

/** The feature tag of the enabler (STANDARDS 1.4). */
export const imTag = '+g.oma.sip-im';

/** Methods the client answers. */
export const allow = 'INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, MESSAGE, NOTIFY';

const secondsMax = 4_294_967_295;

/** Route to the server and the fields that every request of the client has. */
export function addressed(
  world: ClientWorld,
  uri: string,
  to: string,
): Pick<SipOutgoing, 'uri' | 'from' | 'to' | 'route'> {
  const { aor, displayName, server } = world.options;
  const host = server.host.includes(':') ? `[${server.host}]` : server.host;
  return {
    uri,
    from: formatNameAddr({ displayName, uri: aor }),
    to: formatNameAddr({ uri: to }),
    route: [`<sip:${host}:${server.port};transport=${server.transport};lr>`],
  };
}

export function commonHeaders(world: ClientWorld): HeaderField[] {
  const headers: HeaderField[] = [['User-Agent', `IM-client/OMA1.0 ${world.product}`]];
  if (world.options.identity === 'asserted') {
    headers.push(['P-Asserted-Identity', formatNameAddr({ uri: world.options.aor })]);
  }
  return headers;
}

/** Where the server reaches this client, with what it can do (RFC 3840). */
export function contact(world: ClientWorld): HeaderField {
  const { aor, server, instance } = world.options;
  const uri = world.sip.contactUri(userOf(aor), server.transport);
  const device = instance === undefined ? '' : `;+sip.instance="<${instance}>"`;
  return ['Contact', `<${uri}>;${imTag}${device}`];
}

/** D-01: printed with scheme in URI lists; a header block names it without. */
export function messageUri(id: string): string {
  const bare = id.trim().replace(/^<(.*)>$/, '$1');
  return /^sips?:/i.test(bare) ? bare : `sip:${bare}`;
}

/** The function as provisioned, else that of the store which named the messages. */
export function deferredUri(world: ClientWorld, ids?: readonly string[]): string {
  if (world.options.deferredUri !== undefined) return world.options.deferredUri;
  return ids?.[0] === undefined ? defaultDeferredUri : `sip:Deferred@${hostOf(ids[0])}`;
}

/** The function of a server whose configuration does not name a host. */
const defaultDeferredUri = 'sip:Deferred@poste.localhost';

/** A value that would begin another header field. */
export const lineBreak = /[\r\n\0]/;

/** The user part of a SIP URI; `client` for a URI without one. */
export function userOf(uri: string): string {
  return /^sips?:([^@;?]+)@/i.exec(uri)?.[1] ?? 'client';
}

/** Host and port of a SIP URI, without user and parameters. */
export function hostOf(uri: string): string {
  return /^sips?:(?:[^@]*@)?([^;?]+)/i.exec(uri)?.[1] ?? 'invalid';
}

export function answerFacts(response: SipResponse): AnswerFacts {
  const warning = warningOf(response);
  const expires = parseDigits(response.header('Expires'), secondsMax);
  const minExpires = parseDigits(response.header('Min-Expires'), secondsMax);
  const retryAfter = parseDigits(/^\s*\d+/.exec(response.header('Retry-After') ?? '')?.[0].trim());
  return {
    status: response.status,
    reason: response.reason,
    ...(warning !== undefined && { warning }),
    ...(expires !== undefined && { expires }),
    ...(minExpires !== undefined && { minExpires }),
    ...(retryAfter !== undefined && { retryAfter }),
  };
}

function warningOf(headers: SipHeaders): string | undefined {
  const value = headers.list('Warning')[0];
  return value === undefined ? undefined : parseWarning(value)?.text;
}
