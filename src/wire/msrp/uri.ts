/** MSRP URIs (RFC 4975 6). */

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

/** Throws WireError `MSRP_URI`. */
export function parseMsrpUri(text: string): MsrpUri {
  throw new Error(text);
}

export function formatMsrpUri(uri: MsrpUri): string {
  throw new Error(uri.host);
}

/** Comparison of RFC 4975 6.1 (MSRP-10). */
export function sameMsrpUri(a: MsrpUri, b: MsrpUri): boolean {
  throw new Error(a.host + b.host);
}

/** The session-id of a URI, or undefined when it has none or is no MSRP URI. */
export function sessionIdOf(uri: string): string | undefined {
  throw new Error(uri);
}
