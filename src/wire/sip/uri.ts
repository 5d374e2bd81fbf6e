/** SIP, SIPS and tel URIs: their parts, and when two are the same (RFC 3261 19.1.4, RFC 3966 4). */

import { WireError } from '../error.js';
import { parseUri } from './uri-syntax.js';
import type { OtherUri, SipUri, TelUri } from './uri-syntax.js';

export { formatUri, parseUri } from './uri-syntax.js';
export type { OtherUri, SipUri, TelUri } from './uri-syntax.js';

type Uri = SipUri | TelUri | OtherUri;
type Params = ReadonlyMap<string, string>;

/**
 * URI parameters that make a difference when only one of two URIs has them. 19.1.4 names user,
 * ttl, method and maddr in its text, and transport in its examples.
 */
const DECISIVE = ['user', 'ttl', 'method', 'maddr', 'transport'];

/** RFC 3261 19.1.4; RFC 3966 4 for tel. False when one of them is no URI. */
export function uriEquals(a: string, b: string): boolean {
  const left = readable(a);
  const right = readable(b);
  if (!left || !right) return false;
  if (left.scheme === 'other') return right.scheme === 'other' && otherEquals(left, right);
  if (left.scheme === 'tel') return right.scheme === 'tel' && telEquals(left, right);
  return right.scheme === left.scheme && sipEquals(left, right);
}

/**
 * `user@host` of a sip or sips URI (user without needless escapes, host in lower case, no port, no
 * parameters), `+digits` of a global tel URI, `digits;phone-context=…` of a local one. Undefined
 * for other schemes, for a SIP URI without user, and for what is no URI.
 */
export function canonicalAor(uri: string): string | undefined {
  const parsed = readable(uri);
  if (!parsed || parsed.scheme === 'other') return undefined;
  if (parsed.scheme === 'tel') {
    const digits = withoutSeparators(parsed.number);
    const context = parsed.params.get('phone-context');
    if (digits.startsWith('+') || context === undefined) return digits;
    return `${digits};phone-context=${canonicalContext(context)}`;
  }
  if (parsed.user === undefined) return undefined;
  return `${canonicalEscapes(parsed.user)}@${parsed.host.toLowerCase()}`;
}

function sipEquals(a: SipUri, b: SipUri): boolean {
  return (
    sameEscaped(a.user, b.user) &&
    sameEscaped(a.password, b.password) &&
    a.host.toLowerCase() === b.host.toLowerCase() &&
    a.port === b.port &&
    paramsEqual(a.params, b.params) &&
    headerKey(a) === headerKey(b)
  );
}

/** What stands in both has to match; what stands in one counts only when it is decisive. */
function paramsEqual(a: Params, b: Params): boolean {
  if (DECISIVE.some((name) => a.has(name) !== b.has(name))) return false;
  for (const [name, value] of a) {
    const other = b.get(name);
    if (other !== undefined && !sameIgnoringCase(value, other)) return false;
  }
  return true;
}

/** Header components are never ignored; their order does not matter. */
function headerKey(uri: SipUri): string {
  const lines = uri.headers.map(
    ([name, value]) => `${canonicalEscapes(name).toLowerCase()}=${canonicalEscapes(value)}`,
  );
  return lines.sort().join('&');
}

function telEquals(a: TelUri, b: TelUri): boolean {
  const sameNumber =
    withoutSeparators(a.number).toLowerCase() === withoutSeparators(b.number).toLowerCase();
  if (!sameNumber || a.params.size !== b.params.size) return false;
  for (const [name, value] of a.params) {
    const other = b.params.get(name);
    if (other === undefined) return false;
    const same =
      name === 'phone-context'
        ? canonicalContext(value) === canonicalContext(other)
        : sameIgnoringCase(withoutSeparators(value), withoutSeparators(other));
    if (!same) return false;
  }
  return true;
}

/** RFC 3986 6.2.2.1: scheme case-insensitive, the rest as it is. */
function otherEquals(a: OtherUri, b: OtherUri): boolean {
  return a.name === b.name && a.text.slice(a.name.length) === b.text.slice(b.name.length);
}

/** A domain name, or digits of a global number. */
function canonicalContext(context: string): string {
  return context.startsWith('+') ? withoutSeparators(context) : context.toLowerCase();
}

function withoutSeparators(number: string): string {
  return number.replace(/[-.()]/g, '');
}

function sameEscaped(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a === b || canonicalEscapes(a) === canonicalEscapes(b);
}

function sameIgnoringCase(a: string, b: string): boolean {
  return canonicalEscapes(a).toLowerCase() === canonicalEscapes(b).toLowerCase();
}

/** An escape of an unreserved character equals the character; other escapes stay escapes. */
function canonicalEscapes(text: string): string {
  if (!text.includes('%')) return text;
  return text.replace(/%[0-9A-Fa-f]{2}/g, (escape) => {
    const character = String.fromCharCode(parseInt(escape.slice(1), 16));
    return /[A-Za-z0-9\-_.!~*'()]/.test(character) ? character : escape.toUpperCase();
  });
}

function readable(text: string): Uri | undefined {
  try {
    return parseUri(text);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
