/** Generic parameters behind semicolons: `;name`, `;name=token`, `;name="…"` (RFC 3261 25.1). */

import { WireError } from '../error.js';

/** By lower-case name; values unquoted; '' when there is no value. The first of a name counts. */
export type Params = ReadonlyMap<string, string>;

const NONE: Params = new Map();

/** Reads from `start`, which is at a semicolon or at the end. Throws WireError `SIP_PARAMETER`. */
export function parseParams(text: string, start = 0): Params {
  let at = skipSpace(text, start);
  if (at >= text.length) return NONE;
  const params = new Map<string, string>();
  while (at < text.length) {
    if (text.charCodeAt(at) !== 0x3b) throw malformed();
    at = skipSpace(text, at + 1);
    const nameStart = at;
    while (at < text.length && !isEnd(text.charCodeAt(at))) at++;
    const name = text.slice(nameStart, at).toLowerCase();
    at = skipSpace(text, at);
    let value = '';
    if (text.charCodeAt(at) === 0x3d) {
      at = skipSpace(text, at + 1);
      const valueStart = at;
      at = valueEnd(text, at);
      value = unquoted(text.slice(valueStart, at));
      at = skipSpace(text, at);
    }
    // `;;` and a trailing semicolon are seen in the wild and say nothing.
    if (name !== '' && !params.has(name)) params.set(name, value);
    else if (name === '' && value !== '') throw malformed();
  }
  return params;
}

/** `;name=value` for each, quoted where a token cannot hold the value. */
export function formatParams(params: Params): string {
  let text = '';
  for (const [name, value] of params) text += `;${name}${value === '' ? '' : `=${quoted(value)}`}`;
  return text;
}

/** The content of a quoted string; other text as it is. */
export function unquoted(text: string): string {
  if (text.charCodeAt(0) !== 0x22) return text;
  const inner = text.slice(1, -1);
  return inner.includes('\\') ? inner.replace(/\\([\s\S])/g, '$1') : inner;
}

/** The text as a quoted string. */
export function quotedString(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** The position behind a quoted string that begins at `start`; -1 when it does not end. */
export function quotedEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5c) at++;
    else if (code === 0x22) return at + 1;
  }
  return -1;
}

export function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && isSpace(text.charCodeAt(at))) at++;
  return at;
}

function quoted(value: string): string {
  return /^[A-Za-z0-9\-.!%*_+`'~:[\]]+$/.test(value) ? value : quotedString(value);
}

function valueEnd(text: string, start: number): number {
  if (text.charCodeAt(start) === 0x22) {
    const end = quotedEnd(text, start);
    if (end < 0) throw malformed();
    return end;
  }
  let at = start;
  while (at < text.length && text.charCodeAt(at) !== 0x3b && !isSpace(text.charCodeAt(at))) at++;
  return at;
}

function isEnd(code: number): boolean {
  return code === 0x3b || code === 0x3d || code === 0x22 || isSpace(code);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a;
}

function malformed(): WireError {
  return new WireError('SIP_PARAMETER', 'malformed parameters of a header field');
}
