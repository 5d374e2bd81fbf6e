/** Reads the lines of an MSRP frame before its body (RFC 4975 9). */

import { WireError } from '../error.js';
import type {
  MsrpByteRange,
  MsrpHead,
  MsrpHeaderField,
  MsrpRequestHead,
  MsrpResponseHead,
  MsrpStatus,
} from './frame.js';
import { isIdent, isMessageId } from './ident.js';
import { isMsrpUri } from './uri.js';

/** What a start line says. */
export type MsrpStart =
  | { readonly kind: 'request'; readonly transactionId: string; readonly method: string }
  | {
      readonly kind: 'response';
      readonly transactionId: string;
      readonly status: number;
      readonly comment: string;
    };

const field = /^([A-Za-z][A-Za-z0-9!#$%&'*+\-.^_`|~]*):[ \t]*(.*)$/;
const control = /[\x00-\x08\x0a-\x1f\x7f]/;
/** What `field` does not match, in a line whose name is known. */
const unusual = /[\x00-\x08\x0a-\x1f\x7f\u2028\u2029]/;
/** Header fields that may come once, by their lower-case name. */
interface SingleFields {
  'to-path'?: string;
  'from-path'?: string;
  'message-id'?: string;
  'byte-range'?: string;
  'success-report'?: string;
  'failure-report'?: string;
  status?: string;
  'content-type'?: string;
}

/** As nearly every peer writes them: looked up before anything is put into lower case. */
const singles = new Map<string, keyof SingleFields>(
  [
    'To-Path',
    'From-Path',
    'Message-ID',
    'Byte-Range',
    'Success-Report',
    'Failure-Report',
    'Status',
    'Content-Type',
  ].flatMap((name): [string, keyof SingleFields][] => {
    const lower = name.toLowerCase() as keyof SingleFields;
    return [
      [name, lower],
      [lower, lower],
    ];
  }),
);

function singleOf(name: string): keyof SingleFields | undefined {
  return singles.get(name) ?? singles.get(name.toLowerCase());
}

/** Throws when no transaction id can be read, for then the end of the frame cannot be found. */
export function readStartLine(line: string): MsrpStart {
  const [, transactionId, rest] = /^MSRP ([^ ]+) (.*)$/.exec(line) ?? [];
  if (transactionId === undefined || rest === undefined || !isIdent(transactionId)) {
    throw new WireError('MSRP_START_LINE', 'neither a request nor a response');
  }
  const answer = /^(\d{3})(?: (.*))?$/.exec(rest);
  if (answer === null) return { kind: 'request', transactionId, method: rest };
  const [, status, comment] = answer;
  return { kind: 'response', transactionId, status: Number(status), comment: comment ?? '' };
}

export function readField(line: string): MsrpHeaderField {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(0, colon));
  if (singles.has(name) && !unusual.test(line)) {
    let start = colon + 1;
    while (isBlank(line.charCodeAt(start))) start += 1;
    return [name, line.slice(start).trimEnd()];
  }
  const match = field.exec(line);
  if (match === null || control.test(line)) {
    throw new WireError('MSRP_HEADER', 'not a header field');
  }
  return [match[1]!, match[2]!.trimEnd()];
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** The head as a whole, checked. `paths` reads the value of To-Path and of From-Path. */
export function readHead(
  start: MsrpStart,
  headers: readonly MsrpHeaderField[],
  hasBody: boolean,
  paths: (value: string) => readonly string[],
): MsrpHead {
  const known = singleFields(headers);
  const [first, second] = headers;
  if (first === undefined || singleOf(first[0]) !== 'to-path') {
    throw new WireError('MSRP_TO_PATH', 'To-Path is not the first header field');
  }
  if (second === undefined || singleOf(second[0]) !== 'from-path') {
    throw new WireError('MSRP_FROM_PATH', 'From-Path is not the second header field');
  }
  const toPath = paths(first[1]);
  const fromPath = paths(second[1]);
  if (start.kind === 'response') {
    if (hasBody) throw new WireError('MSRP_RESPONSE_BODY', 'a response has no body');
    return responseHead(start, toPath, fromPath, headers);
  }
  return requestHead(start, known, { toPath, fromPath, headers, hasBody });
}

function responseHead(
  start: MsrpStart & { readonly kind: 'response' },
  toPath: readonly string[],
  fromPath: readonly string[],
  headers: readonly MsrpHeaderField[],
): MsrpResponseHead {
  const { kind, transactionId, status, comment } = start;
  return { kind, transactionId, status, comment, toPath, fromPath, headers };
}

function requestHead(
  start: MsrpStart & { readonly kind: 'request' },
  known: SingleFields,
  rest: Pick<MsrpRequestHead, 'toPath' | 'fromPath' | 'headers' | 'hasBody'>,
): MsrpRequestHead {
  const { kind, transactionId, method } = start;
  if (!/^[A-Z]{1,32}$/.test(method)) throw new WireError('MSRP_METHOD', 'not a method');
  if (method !== 'SEND' && method !== 'REPORT') {
    throw new WireError('MSRP_METHOD_UNKNOWN', 'unknown method', 501);
  }
  const messageId = known['message-id'];
  if (messageId === undefined || !isMessageId(messageId)) {
    throw new WireError('MSRP_MESSAGE_ID', 'Message-ID is missing or malformed');
  }
  const byteRange = known['byte-range'];
  const contentType = known['content-type'];
  const { status } = known;
  if (method === 'REPORT' && status === undefined) {
    throw new WireError('MSRP_STATUS', 'REPORT without Status');
  }
  return {
    kind,
    transactionId,
    method,
    ...rest,
    messageId,
    ...(byteRange !== undefined && { byteRange: readByteRange(byteRange) }),
    successReport: readChoice(known, 'success-report', ['no', 'yes']) === 'yes',
    failureReport: readChoice(known, 'failure-report', ['yes', 'no', 'partial']),
    ...(method === 'REPORT' && { status: readStatus(status!) }),
    ...(contentType !== undefined && { contentType }),
  };
}

function singleFields(headers: readonly MsrpHeaderField[]): SingleFields {
  const known: SingleFields = {};
  for (const [name, value] of headers) {
    const single = singleOf(name);
    if (single === undefined) continue;
    if (known[single] !== undefined) {
      throw new WireError('MSRP_HEADER_TWICE', `two header fields ${single}`);
    }
    known[single] = value;
  }
  return known;
}

/** The URIs of To-Path or From-Path. */
export function readPath(value: string, pathsMax: number): string[] {
  const path = value.split(/ +/, pathsMax + 1);
  if (path.length > pathsMax) throw new WireError('MSRP_PATH', 'too many URIs in a path');
  if (!path.every(isMsrpUri)) throw new WireError('MSRP_PATH', 'a path is not made of MSRP URIs');
  return path;
}

function readByteRange(value: string): MsrpByteRange {
  const match = /^(\d{1,16})-(\d{1,16}|\*)\/(\d{1,16}|\*)$/.exec(value);
  if (match === null) throw new WireError('MSRP_BYTE_RANGE', 'Byte-Range is malformed');
  const start = Number(match[1]);
  const end = match[2] === '*' ? undefined : Number(match[2]);
  const total = match[3] === '*' ? undefined : Number(match[3]);
  for (const number of [start, end, total]) {
    if (number !== undefined && !Number.isSafeInteger(number)) {
      throw new WireError('MSRP_BYTE_RANGE', 'a number of Byte-Range is too large');
    }
  }
  // A chunk without octets has its end one before its start: 1-0/0 (MSRP-05).
  const last = end ?? start - 1;
  if (start < 1 || last < start - 1 || (total !== undefined && last > total)) {
    throw new WireError('MSRP_BYTE_RANGE', 'Byte-Range contradicts itself');
  }
  return { start, end, total };
}

function readStatus(value: string): MsrpStatus {
  const match = /^(\d{3}) (\d{3})(?: (.*))?$/.exec(value);
  if (match === null) throw new WireError('MSRP_STATUS', 'Status is malformed');
  return { namespace: Number(match[1]), code: Number(match[2]), comment: match[3] ?? '' };
}

/** The first choice is the default. */
function readChoice<C extends string>(
  known: SingleFields,
  name: 'success-report' | 'failure-report',
  choices: readonly [C, ...C[]],
): C {
  const value = known[name]?.toLowerCase();
  if (value === undefined) return choices[0];
  const choice = choices.find((candidate) => candidate === value);
  if (choice === undefined) throw new WireError('MSRP_HEADER_VALUE', `${name} is malformed`);
  return choice;
}
