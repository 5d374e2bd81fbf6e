/** SIP messages made into octets. */

import type { HeaderField } from './message.js';
import { reasonPhrase } from './reason.js';

export interface RequestParts {
  readonly method: string;
  readonly uri: string;
  readonly headers: readonly HeaderField[];
  readonly body?: Buffer | undefined;
}

export interface ResponseParts {
  readonly status: number;
  readonly reason?: string | undefined;
  /** Made by `headerLine`; they stand before the fields, and none of them is Content-Length. */
  readonly lines?: string;
  readonly headers: readonly HeaderField[];
  readonly body?: Buffer | undefined;
}

const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/;
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;
const UNSEEN = /[\x00-\x20\x7f]/;

/** Content-Length is added unless it is among the fields. Throws SerialiseError. */
export function serialiseRequest(parts: RequestParts): Buffer {
  if (!TOKEN.test(parts.method)) throw new SerialiseError('SIP_BAD_METHOD', 'method is no token');
  if (parts.uri === '' || UNSEEN.test(parts.uri)) {
    throw new SerialiseError('SIP_BAD_URI', 'Request-URI is empty or holds white space');
  }
  return joined(`${parts.method} ${parts.uri} SIP/2.0\r\n`, parts.headers, parts.body);
}

/** The reason defaults to `reasonPhrase(status)`. Throws SerialiseError. */
export function serialiseResponse(parts: ResponseParts): Buffer {
  const { status } = parts;
  const reason = parts.reason ?? reasonPhrase(status);
  if (!Number.isInteger(status) || status < 100 || status > 699) {
    throw new SerialiseError('SIP_BAD_STATUS', 'status is not between 100 and 699');
  }
  if (CONTROL.test(reason)) {
    throw new SerialiseError('SIP_BAD_REASON', 'reason phrase holds a control character');
  }
  const { lines = '', headers, body } = parts;
  return joined(`SIP/2.0 ${status} ${reason}\r\n${lines}`, headers, body);
}

/** A mistake of ours: a part that would break the message it goes into. `code` is stable API. */
export class SerialiseError extends Error {
  readonly code: string;

  constructor(code: string, hint: string) {
    super(`${code}: ${hint}`);
    this.name = 'SerialiseError';
    this.code = code;
  }
}

/** Names that were found to be tokens: we write some dozens; what peers name is beyond the bound. */
const tokens = new Set<string>();
const tokensMax = 128;

function assertToken(name: string): void {
  if (tokens.has(name)) return;
  if (!TOKEN.test(name)) throw new SerialiseError('SIP_BAD_HEADER_NAME', 'name is no token');
  if (tokens.size < tokensMax) tokens.add(name);
}

/** One header line with its line end. Throws SerialiseError on anything that would break out. */
export function headerLine(name: string, value: string): string {
  assertToken(name);
  if (CONTROL.test(value)) {
    throw new SerialiseError('SIP_BAD_HEADER_VALUE', `${name} holds a control character`);
  }
  return `${name}: ${value}\r\n`;
}

function joined(beginning: string, headers: readonly HeaderField[], body?: Buffer): Buffer {
  let text = beginning;
  let hasLength = false;
  for (const [name, value] of headers) {
    text += headerLine(name, value);
    hasLength ||= name.length === 14 ? name.toLowerCase() === 'content-length' : isCompact(name);
  }
  const length = body?.length ?? 0;
  if (!hasLength) text += `Content-Length: ${length}\r\n`;
  text += '\r\n';
  if (!body || length === 0) return Buffer.from(text, 'utf8');
  const headLength = Buffer.byteLength(text, 'utf8');
  const bytes = Buffer.allocUnsafe(headLength + length);
  bytes.write(text, 0, 'utf8');
  body.copy(bytes, headLength);
  return bytes;
}

function isCompact(name: string): boolean {
  return name === 'l' || name === 'L';
}
