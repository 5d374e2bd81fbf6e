/** The Via header field (RFC 3261 20.42, RFC 3581). */

import { WireError } from '../error.js';
import { parseParams } from './params.js';
import type { Params } from './params.js';

export interface Via {
  /** Upper-case: UDP, TCP, TLS, WS, WSS. */
  readonly transport: string;
  /** As written; an IPv6 reference keeps its brackets. */
  readonly host: string;
  readonly port: number | undefined;
  readonly branch: string | undefined;
  /** Without brackets. */
  readonly received: string | undefined;
  /** true: present without value; a number: filled in. */
  readonly rport: number | true | undefined;
  readonly params: Params;
}

const SENT_PROTOCOL = /^SIP[ \t]*\/[ \t]*2\.0[ \t]*\/[ \t]*([A-Za-z0-9\-.!%*_+`'~]+)[ \t]+/i;
const SENT_BY = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)[ \t]*(?::[ \t]*([0-9]{1,5}))?$/;

/** Throws WireError `SIP_VIA`. */
export function parseVia(value: string): Via {
  const semicolon = value.indexOf(';');
  const end = semicolon < 0 ? value.length : semicolon;
  const sender = senderOf(value.slice(0, end));
  const params = parseParams(value, end);
  return {
    transport: sender.transport,
    host: sender.host,
    port: sender.port,
    branch: params.get('branch') === '' ? undefined : params.get('branch'),
    received: withoutBrackets(params.get('received')),
    rport: rportOf(params),
    params,
  };
}

/**
 * The Via value with `received` and `rport` as RFC 3261 18.2.1 and RFC 3581 4 demand of the server
 * that took the request from that source. Everything else stays as written. A `received` that
 * the peer put there itself is replaced.
 */
export function viaWithSource(
  value: string,
  source: { readonly address: string; readonly port: number },
): string {
  const via = parseVia(value);
  const host = withoutBrackets(via.host)!.toLowerCase();
  const asksPort = via.params.has('rport');
  const address = source.address.toLowerCase();
  if (!asksPort && host === address && via.received === undefined) return value;
  const kept = withoutParams(value, ['received', 'rport']);
  return `${kept};received=${source.address}${asksPort ? `;rport=${source.port}` : ''}`;
}

type Sender = Pick<Via, 'transport' | 'host' | 'port'>;

/** The last one that was read: most requests come from few peers, one behind the other. */
let latest: { readonly text: string; readonly sender: Sender } | undefined;

/** What stands before the parameters. */
function senderOf(text: string): Sender {
  if (latest?.text === text) return latest.sender;
  const protocol = SENT_PROTOCOL.exec(text);
  const sentBy = protocol && SENT_BY.exec(text.slice(protocol[0].length).trim());
  const port = sentBy?.[2] === undefined ? undefined : Number(sentBy[2]);
  if (!protocol || !sentBy || (port !== undefined && (port < 1 || port > 65_535))) {
    throw new WireError('SIP_VIA', 'malformed Via');
  }
  const sender = { transport: protocol[1]!.toUpperCase(), host: sentBy[1]!, port };
  latest = { text, sender };
  return sender;
}

function rportOf(params: Params): number | true | undefined {
  const text = params.get('rport');
  if (text === undefined) return undefined;
  if (text === '') return true;
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : true;
}

function withoutBrackets(host: string | undefined): string | undefined {
  return host?.startsWith('[') === true && host.endsWith(']') ? host.slice(1, -1) : host;
}

/** Cuts those parameters out; the value is known to be well formed. */
function withoutParams(value: string, names: readonly string[]): string {
  let kept = '';
  let from = 0;
  let quoted = false;
  for (let at = 0; at <= value.length; at++) {
    const code = value.charCodeAt(at);
    if (quoted && code === 0x5c) at++;
    else if (code === 0x22) quoted = !quoted;
    if (at < value.length && (quoted || code !== 0x3b)) continue;
    const piece = value.slice(from, at);
    const name = piece.slice(1).split('=', 1)[0]!.trim().toLowerCase();
    if (from === 0 || !names.includes(name)) kept += piece;
    from = at;
  }
  return kept.trimEnd();
}
