/** Addresses of From, To, Contact, Route and their like: name-addr or addr-spec with parameters. */

import { WireError } from '../error.js';
import {
  formatParams,
  parseParams,
  quotedEnd,
  quotedString,
  skipSpace,
  unquoted,
} from './params.js';
import type { Params } from './params.js';

export interface NameAddr {
  /** Unquoted; undefined when there is none. */
  readonly displayName: string | undefined;
  /** The URI as written. */
  readonly uri: string;
  /** The parameters of the field, never those of the URI. */
  readonly params: Params;
}

/** Throws WireError `SIP_ADDRESS` or `SIP_PARAMETER`. `Contact: *` is no address. */
export function parseNameAddr(value: string): NameAddr {
  const start = skipSpace(value, 0);
  if (value.charCodeAt(start) === 0x22) {
    const end = quotedEnd(value, start);
    const open = end < 0 ? -1 : skipSpace(value, end);
    if (open < 0 || value.charCodeAt(open) !== 0x3c) throw malformed();
    return bracketed(value, open, unquoted(value.slice(start, end)));
  }
  const open = value.indexOf('<', start);
  if (open < 0) return bare(value, start);
  const name = value.slice(start, open).trim();
  // `sip:a@b;x="<"` is an addr-spec whose parameter holds the bracket.
  if (name.includes(';')) return bare(value, start);
  return bracketed(value, open, name === '' ? undefined : name);
}

/** `"name" <uri>;params`, or `<uri>;params`. */
export function formatNameAddr(address: {
  readonly displayName?: string | undefined;
  readonly uri: string;
  readonly params?: Params;
}): string {
  const name = address.displayName === undefined ? '' : `${quotedString(address.displayName)} `;
  return `${name}<${address.uri}>${address.params ? formatParams(address.params) : ''}`;
}

/** The tag parameter of a From or To value; undefined when absent or unreadable. */
export function tagOf(value: string | undefined): string | undefined {
  // Of a request outside a dialog To has none, and it is looked for more than once.
  if (value === undefined || !/tag/i.test(value)) return undefined;
  const tag = readable(value)?.params.get('tag');
  return tag === '' ? undefined : tag;
}

/** The URI of a From, To, Contact or P-Asserted-Identity value; undefined when unreadable. */
export function uriOf(value: string | undefined): string | undefined {
  return readable(value)?.uri;
}

/** The last few that were read: of one request URI and tag are asked for in several places. */
const recent: { value: string; address: NameAddr | undefined }[] = [];
const recentMax = 8;
const recentLength = 512;
let oldest = 0;

function readable(value: string | undefined): NameAddr | undefined {
  if (value === undefined) return undefined;
  for (const one of recent) if (one.value === value) return one.address;
  const address = parsed(value);
  if (value.length > recentLength) return address;
  recent[oldest] = { value, address };
  oldest = (oldest + 1) % recentMax;
  return address;
}

function parsed(value: string): NameAddr | undefined {
  try {
    return parseNameAddr(value);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function bracketed(value: string, open: number, displayName: string | undefined): NameAddr {
  const close = value.indexOf('>', open);
  const uri = close < 0 ? '' : value.slice(open + 1, close).trim();
  if (!isUri(uri)) throw malformed();
  return { displayName, uri, params: parseParams(value, close + 1) };
}

/** 20: without <> every parameter is one of the field, and ? and comma cannot be in the URI. */
function bare(value: string, start: number): NameAddr {
  const semicolon = value.indexOf(';', start);
  const end = semicolon < 0 ? value.length : semicolon;
  const uri = value.slice(start, end).trim();
  if (!isUri(uri) || uri.includes('?') || uri.includes(',')) throw malformed();
  return { displayName: undefined, uri, params: parseParams(value, end) };
}

/** A scheme, a colon, something without white space. */
function isUri(text: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"]+$/.test(text);
}

function malformed(): WireError {
  return new WireError('SIP_ADDRESS', 'malformed address');
}
