/** MSRP URIs (RFC 4975 6). */

import { WireError } from '../error.js';

export interface MsrpUri {
  readonly secure: boolean;
  readonly userinfo?: string;
  /** As written; an IPv6 address is in brackets. */
  readonly host: string;
  readonly port?: number;
  /** Case-sensitive. */
  readonly sessionId?: string;
  /** Lower-case, such as `tcp` or `ws`. */
  readonly transport: string;
  /** Further parameters as written, each without its semicolon. */
  readonly parameters: readonly string[];
}

const grammar =
  /^(msrps?):\/\/(?:([^@/;\s]*)@)?(\[[0-9a-f:.]+\]|[^:/;@[\]\s]+)(?::(\d{1,5}))?(?:\/([^;\s]*))?;([a-z0-9]+)((?:;[^;\s]+)*)$/i;

/** Throws WireError `MSRP_URI`. */
export function parseMsrpUri(text: string): MsrpUri {
  const match = matchUri(text);
  if (match === null) throw new WireError('MSRP_URI', 'not an MSRP URI');
  const [, scheme, userinfo, host, port, sessionId, transport, parameters] = match;
  return {
    secure: scheme!.length === 5,
    ...(userinfo !== undefined && { userinfo }),
    host: host!,
    ...(port !== undefined && { port: Number(port) }),
    ...(sessionId !== undefined && sessionId !== '' && { sessionId }),
    transport: transport!.toLowerCase(),
    parameters: parameters === '' ? [] : parameters!.slice(1).split(';'),
  };
}

/** Whether the text is an MSRP URI. */
export function isMsrpUri(text: string): boolean {
  return matchUri(text) !== null;
}

export function formatMsrpUri(uri: MsrpUri): string {
  const userinfo = uri.userinfo === undefined ? '' : `${uri.userinfo}@`;
  const port = uri.port === undefined ? '' : `:${uri.port}`;
  const session = uri.sessionId === undefined ? '' : `/${uri.sessionId}`;
  const parameters = [uri.transport, ...uri.parameters].join(';');
  return `msrp${uri.secure ? 's' : ''}://${userinfo}${uri.host}${port}${session};${parameters}`;
}

/** Comparison of RFC 4975 6.1 (MSRP-10): userinfo and further parameters do not count. */
export function sameMsrpUri(a: MsrpUri, b: MsrpUri): boolean {
  return (
    a.secure === b.secure &&
    a.host.toLowerCase() === b.host.toLowerCase() &&
    a.port === b.port &&
    a.sessionId === b.sessionId &&
    a.transport === b.transport
  );
}

/** The session-id of a URI, or undefined when it has none or is no MSRP URI. */
export function sessionIdOf(uri: string): string | undefined {
  const sessionId = matchUri(uri)?.[5];
  return sessionId === '' ? undefined : sessionId;
}

function matchUri(text: string): RegExpExecArray | null {
  const match = grammar.exec(text);
  return Number(match?.[4] ?? 0) > 65535 ? null : match;
}
