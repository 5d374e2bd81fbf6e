/** Parameters of authentication header fields: `name=token`, `name="…"`, behind commas (RFC 7235). */

import { WireError } from '../error.js';
import { quotedEnd, quotedString, skipSpace, unquoted } from './params.js';

/** By lower-case name; values unquoted. */
export type AuthParams = ReadonlyMap<string, string>;

const separators = /[\s",;=()<>@:\\/[\]?{}]/;

/** Reads from `start` to the end. Throws WireError `SIP_DIGEST`. */
export function parseAuthParams(text: string, start: number): AuthParams {
  const params = new Map<string, string>();
  for (let at = nextElement(text, start); at < text.length; at = nextElement(text, at)) {
    const equals = text.indexOf('=', at);
    if (equals < 0) throw digestError('a parameter without value');
    const name = text.slice(at, equals).trim().toLowerCase();
    if (name === '' || separators.test(name)) throw digestError('a parameter without name');
    // RFC 7235 2.1: which of two would count is anybody's guess.
    if (params.has(name)) throw digestError(`${name.slice(0, 32)} is there twice`);
    const from = skipSpace(text, equals + 1);
    at = valueEnd(text, from);
    const value = text.slice(from, at);
    if (value === '') throw digestError('a parameter without value');
    params.set(name, unquoted(value));
    at = skipSpace(text, at);
    if (at < text.length && text.charCodeAt(at) !== comma) throw digestError('a missing comma');
  }
  return params;
}

/** `name="value"`. */
export function quotedParam(name: string, value: string): string {
  return `${name}=${quotedString(value)}`;
}

export function digestError(hint: string): WireError {
  return new WireError('SIP_DIGEST', hint);
}

const comma = 0x2c;

/** Lists may have empty elements (RFC 7230 7). */
function nextElement(text: string, from: number): number {
  let at = skipSpace(text, from);
  while (text.charCodeAt(at) === comma) at = skipSpace(text, at + 1);
  return at;
}

function valueEnd(text: string, from: number): number {
  if (text.charCodeAt(from) === 0x22) {
    const end = quotedEnd(text, from);
    if (end < 0) throw digestError('a quoted string without end');
    return end;
  }
  let at = from;
  while (at < text.length && !isDelimiter(text.charCodeAt(at))) at++;
  return at;
}

function isDelimiter(code: number): boolean {
  return code === comma || code === 0x22 || code <= 0x20;
}
