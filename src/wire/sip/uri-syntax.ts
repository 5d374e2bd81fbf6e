/** The syntax of SIP, SIPS and tel URIs (RFC 3261 19.1, RFC 3966 3). */

import { WireError } from '../error.js';
import type { HeaderField } from './message.js';

type Params = ReadonlyMap<string, string>;

export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  /** As written, escapes and all; undefined when there is none. */
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** As written; an IPv6 reference keeps its brackets. */
  readonly host: string;
  readonly port: number | undefined;
  /** By lower-case name, values as written; '' for a parameter without value. */
  readonly params: ReadonlyMap<string, string>;
  /** Names and values as written, escapes and all. */
  readonly headers: readonly HeaderField[];
}

export interface TelUri {
  readonly scheme: 'tel';
  /** As written, with visual separators; begins with + when global. */
  readonly number: string;
  /** By lower-case name, values as written; '' for a parameter without value. */
  readonly params: ReadonlyMap<string, string>;
}

export interface OtherUri {
  readonly scheme: 'other';
  /** The scheme in lower case. */
  readonly name: string;
  readonly text: string;
}

const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):/;
const USER = /^(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/]|%[0-9A-Fa-f]{2})+$/;
const PASSWORD = /^(?:[A-Za-z0-9\-_.!~*'()&=+$,]|%[0-9A-Fa-f]{2})*$/;
const PARAM = /^(?:[A-Za-z0-9\-_.!~*'()[\]/:&+$]|%[0-9A-Fa-f]{2})+$/;
/** With = as well: proxies put base64 into parameters of their Record-Route. */
const PARAM_VALUE = /^(?:[A-Za-z0-9\-_.!~*'()[\]/:&+$=]|%[0-9A-Fa-f]{2})+$/;
const TEL_PARAM = /^(?:[A-Za-z0-9\-_.!~*'()[\]/:&+$%])+$/;
const HEADER_PART = /^(?:[A-Za-z0-9\-_.!~*'()[\]/?:+$]|%[0-9A-Fa-f]{2})*$/;
const HOST = /^(?:[A-Za-z0-9_](?:[A-Za-z0-9_.-]*)|\[[0-9A-Fa-f]*:[0-9A-Fa-f:.]*\])$/;
const GLOBAL_NUMBER = /^\+[0-9\-.()]*[0-9][0-9\-.()]*$/;
const LOCAL_NUMBER = /^[0-9A-Fa-f*#\-.()]*[0-9A-Fa-f*#][0-9A-Fa-f*#\-.()]*$/;

const nobody: Pick<SipUri, 'user' | 'password'> = { user: undefined, password: undefined };
const noParams: Params = new Map();
const noHeaders: readonly HeaderField[] = [];

/** Throws WireError `SIP_URI`. */
export function parseUri(text: string): SipUri | TelUri | OtherUri {
  const match = SCHEME.exec(text);
  if (!match) throw malformed('no scheme');
  const name = match[1]!.toLowerCase();
  const rest = text.slice(match[0].length);
  if (name === 'sip' || name === 'sips') return parseSipUri(name, rest);
  if (name === 'tel') return parseTelUri(rest);
  if (rest === '' || /[\s<>"\x00-\x1f\x7f]/.test(rest)) throw malformed('white space or brackets');
  return { scheme: 'other', name, text };
}

/** The text of the URI; what `parseUri` read comes out equal to what was written. */
export function formatUri(uri: SipUri | TelUri | OtherUri): string {
  if (uri.scheme === 'other') return uri.text;
  let params = '';
  for (const [name, value] of uri.params) params += `;${name}${value === '' ? '' : `=${value}`}`;
  if (uri.scheme === 'tel') return `tel:${uri.number}${params}`;
  const password = uri.password === undefined ? '' : `:${uri.password}`;
  const user = uri.user === undefined ? '' : `${uri.user}${password}@`;
  const port = uri.port === undefined ? '' : `:${uri.port}`;
  const headers = uri.headers.map(([name, value]) => `${name}=${value}`).join('&');
  return `${uri.scheme}:${user}${uri.host}${port}${params}${headers === '' ? '' : `?${headers}`}`;
}

function parseSipUri(scheme: 'sip' | 'sips', rest: string): SipUri {
  // No component but the user part may hold an unescaped @.
  const at = rest.indexOf('@');
  const question = rest.indexOf('?', at + 1);
  const headersFrom = question < 0 ? rest.length : question;
  const semicolon = rest.indexOf(';', at + 1);
  const paramsFrom = semicolon < 0 || semicolon > headersFrom ? headersFrom : semicolon;
  const { user, password } = at < 0 ? nobody : userInfo(rest.slice(0, at));
  const { host, port } = hostPort(rest.slice(at + 1, paramsFrom));
  return {
    scheme,
    user,
    password,
    host,
    port,
    params: paramsOf(rest.slice(paramsFrom, headersFrom), PARAM, PARAM_VALUE),
    headers: question < 0 ? noHeaders : headersOf(rest.slice(question + 1)),
  };
}

function userInfo(text: string): Pick<SipUri, 'user' | 'password'> {
  const colon = text.indexOf(':');
  const user = colon < 0 ? text : text.slice(0, colon);
  const password = colon < 0 ? undefined : text.slice(colon + 1);
  if (!USER.test(user)) throw malformed('user part');
  if (password !== undefined && !PASSWORD.test(password)) throw malformed('password');
  return { user, password };
}

function hostPort(text: string): Pick<SipUri, 'host' | 'port'> {
  const from = text.startsWith('[') ? text.indexOf(']') + 1 : 0;
  const colon = text.indexOf(':', from);
  const host = colon < 0 ? text : text.slice(0, colon);
  if (!HOST.test(host)) throw malformed('host');
  if (colon < 0) return { host, port: undefined };
  const digits = text.slice(colon + 1);
  const port = /^[0-9]+$/.test(digits) ? Number(digits) : Infinity;
  if (port > 65_535) throw malformed('port');
  return { host, port };
}

function paramsOf(text: string, nameGrammar: RegExp, valueGrammar: RegExp): Params {
  if (text === '') return noParams;
  const params = new Map<string, string>();
  for (const param of text.slice(1).split(';')) {
    const equals = param.indexOf('=');
    const name = (equals < 0 ? param : param.slice(0, equals)).toLowerCase();
    const value = equals < 0 ? '' : param.slice(equals + 1);
    if (!nameGrammar.test(name)) throw malformed('parameter name');
    if (equals >= 0 && !valueGrammar.test(value)) throw malformed('parameter value');
    // 19.1.1: a name must not appear more than once.
    if (params.has(name)) throw malformed('parameter given twice');
    params.set(name, value);
  }
  return params;
}

function headersOf(text: string): readonly HeaderField[] {
  return text.split('&').map((header) => {
    const equals = header.indexOf('=');
    const name = header.slice(0, Math.max(equals, 0));
    const value = header.slice(equals + 1);
    if (name === '' || !HEADER_PART.test(name) || !HEADER_PART.test(value)) {
      throw malformed('headers');
    }
    return [name, value] as const;
  });
}

function parseTelUri(rest: string): TelUri {
  const semicolon = rest.indexOf(';');
  const number = semicolon < 0 ? rest : rest.slice(0, semicolon);
  const params = paramsOf(semicolon < 0 ? '' : rest.slice(semicolon), TEL_PARAM, TEL_PARAM);
  if (number.startsWith('+')) {
    if (!GLOBAL_NUMBER.test(number)) throw malformed('global number');
  } else if (!LOCAL_NUMBER.test(number) || (params.get('phone-context') ?? '') === '') {
    // RFC 3966 5.1.5: a local number without phone-context means nothing elsewhere.
    throw malformed('local number');
  }
  return { scheme: 'tel', number, params };
}

function malformed(part: string): WireError {
  return new WireError('SIP_URI', `malformed URI: ${part}`);
}
