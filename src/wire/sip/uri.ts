/** SIP, SIPS and tel URIs (RFC 3261 19.1, RFC 3966). */

export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  /** As written, escapes and all; undefined when there is none. */
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** As written; an IPv6 reference keeps its brackets. */
  readonly host: string;
  readonly port: number | undefined;
  /** By lower-case name; '' for a parameter without value. */
  readonly params: ReadonlyMap<string, string>;
  /** By name as written, after unescaping; values unescaped. */
  readonly headers: ReadonlyMap<string, string>;
}

export interface TelUri {
  readonly scheme: 'tel';
  /** As written, with visual separators; begins with + when global. */
  readonly number: string;
  readonly params: ReadonlyMap<string, string>;
}

export interface OtherUri {
  readonly scheme: 'other';
  /** Lower-case. */
  readonly name: string;
  readonly text: string;
}

/** Throws WireError `SIP_URI`. */
export function parseUri(_text: string): SipUri | TelUri | OtherUri {
  throw new Error('pending');
}

export function formatUri(_uri: SipUri | TelUri | OtherUri): string {
  throw new Error('pending');
}

/** RFC 3261 19.1.4; RFC 3966 4 for tel. False when one of them is no URI. */
export function uriEquals(_a: string, _b: string): boolean {
  throw new Error('pending');
}

/**
 * `user@host` of a sip or sips URI (user unescaped, host in lower case, no port, no parameters),
 * `+digits` of a global tel URI, `number;phone-context=…` of a local one. Undefined for other
 * schemes, for a SIP URI without user, and for what is no URI.
 */
export function canonicalAor(_uri: string): string | undefined {
  throw new Error('pending');
}
