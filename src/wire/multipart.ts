/** MIME multipart bodies (RFC 2046 5.1) as they come in SIP and MSRP. */

import { WireError } from './error.js';

export interface Part {
  /** Header fields in order, names as they came, values unfolded and trimmed. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** A view on the body that was parsed. */
  readonly body: Buffer;
}

export interface MultipartLimits {
  readonly parts: number;
  /** Octets of the header section of one part. */
  readonly headerSection: number;
  /** Multiparts inside multiparts. */
  readonly depth: number;
}

export const multipartLimits: MultipartLimits = { parts: 64, headerSection: 16384, depth: 4 };

const cr = 13;
const lf = 10;
const hyphen = 0x2d;
const crlf = Buffer.from('\r\n');
const headerEnd = Buffer.from('\r\n\r\n');

/** Whether the type is multipart/…. */
export function isMultipart(contentType: string): boolean {
  return /^[ \t]*multipart\//i.test(contentType);
}

/** The first header of that name, in any case. */
export function partHeader(part: Part, name: string): string | undefined {
  const lower = name.toLowerCase();
  return part.headers.find((field) => field[0].toLowerCase() === lower)?.[1];
}

/** The parts in order; nested multiparts are not opened. Throws WireError `MULTIPART_…`. */
export function parseMultipart(
  body: Buffer,
  contentType: string,
  limits: Partial<MultipartLimits> = {},
): Part[] {
  const bounds = { ...multipartLimits, ...limits };
  const delimiter = Buffer.from(`--${boundaryOf(contentType)}`, 'latin1');
  const parts: Part[] = [];
  let open = findDelimiter(body, delimiter, 0);
  while (!open.closes) {
    if (parts.length === bounds.parts) {
      throw new WireError('MULTIPART_PARTS', 'there are too many parts');
    }
    // The CRLF of one delimiter line may also be the one before the next: a part of no octets.
    const next = findDelimiter(body, delimiter, open.after - 2);
    const end = Math.max(open.after, next.at - 2);
    parts.push(readPart(body.subarray(open.after, end), bounds.headerSection));
    open = next;
  }
  if (parts.length === 0) throw new WireError('MULTIPART_PARTS', 'there is no part');
  return parts;
}

/** As `parseMultipart`, with the parts of nested multiparts in the place of these. */
export function leafParts(
  body: Buffer,
  contentType: string,
  limits: Partial<MultipartLimits> = {},
): Part[] {
  const { depth, ...bounds } = { ...multipartLimits, ...limits };
  if (depth === 0) throw new WireError('MULTIPART_DEPTH', 'multiparts are nested too deep');
  const leaves: Part[] = [];
  for (const part of parseMultipart(body, contentType, bounds)) {
    const type = partHeader(part, 'Content-Type') ?? 'text/plain';
    if (isMultipart(type)) {
      leaves.push(...leafParts(part.body, type, { ...bounds, depth: depth - 1 }));
    } else {
      leaves.push(part);
    }
    if (leaves.length > bounds.parts) {
      throw new WireError('MULTIPART_PARTS', 'there are too many parts');
    }
  }
  return leaves;
}

/**
 * Throws WireError `MULTIPART_BOUNDARY` when the boundary is malformed or occurs in a part, and
 * `MULTIPART_HEADER` when a header cannot be written.
 */
export function writeMultipart(parts: readonly Part[], boundary: string): Buffer {
  if (!isBoundary(boundary)) throw new WireError('MULTIPART_BOUNDARY', 'malformed boundary', 500);
  const delimiter = `--${boundary}`;
  const pieces: Buffer[] = [];
  for (const part of parts) {
    if (part.body.includes(delimiter)) {
      throw new WireError('MULTIPART_BOUNDARY', 'the boundary occurs in a part', 500);
    }
    const lines = part.headers.map(([name, value]) => `${name}: ${value}\r\n`);
    if (lines.some((line) => !/^[^\s:\x00-\x1f\x7f]+: [^\r\n\0]*\r\n$/.test(line))) {
      throw new WireError('MULTIPART_HEADER', 'a header field cannot be written', 500);
    }
    pieces.push(Buffer.from(`${delimiter}\r\n${lines.join('')}\r\n`), part.body, crlf);
  }
  pieces.push(Buffer.from(`${delimiter}--\r\n`));
  return Buffer.concat(pieces);
}

function boundaryOf(contentType: string): string {
  if (!isMultipart(contentType)) throw new WireError('MULTIPART_TYPE', 'not a multipart type');
  const boundary = parameterOf(contentType, 'boundary');
  if (boundary === undefined || !isBoundary(boundary)) {
    throw new WireError('MULTIPART_BOUNDARY', 'the boundary is missing or malformed');
  }
  return boundary;
}

/** One parameter after the other, for the quoted value of one may look like another. */
function parameterOf(contentType: string, name: string): string | undefined {
  const parameter = /[ \t]*;[ \t]*([^\s=;"]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))/gy;
  parameter.lastIndex = Math.max(0, contentType.indexOf(';'));
  for (let next = parameter.exec(contentType); next; next = parameter.exec(contentType)) {
    if (next[1]!.toLowerCase() === name) return next[2]?.replace(/\\(.)/g, '$1') ?? next[3];
  }
  return undefined;
}

function isBoundary(boundary: string): boolean {
  return /^[A-Za-z0-9'()+_,\-./:=? ]{0,69}[A-Za-z0-9'()+_,\-./:=?]$/.test(boundary);
}

/** A line that is a delimiter. */
interface Delimiter {
  readonly at: number;
  /** Where the line after it begins. */
  readonly after: number;
  readonly closes: boolean;
}

/** The next delimiter at the beginning of a line; `from` is such a beginning or its CRLF. */
function findDelimiter(body: Buffer, delimiter: Buffer, from: number): Delimiter {
  for (let at = body.indexOf(delimiter, from); at >= 0; at = body.indexOf(delimiter, at + 1)) {
    const begins = at === 0 || (at >= 2 && body[at - 2] === cr && body[at - 1] === lf);
    const found = begins ? readDelimiter(body, at, at + delimiter.length) : undefined;
    if (found !== undefined) return found;
  }
  throw new WireError('MULTIPART_UNCLOSED', 'a delimiter or the closing one is missing');
}

/** After the boundary: perhaps `--`, blanks, and a line end, which the last line may lack. */
function readDelimiter(body: Buffer, at: number, end: number): Delimiter | undefined {
  const closes = body[end] === hyphen && body[end + 1] === hyphen;
  let after = closes ? end + 2 : end;
  while (body[after] === 0x20 || body[after] === 0x09) after++;
  if (body[after] === cr && body[after + 1] === lf) return { at, after: after + 2, closes };
  return closes && after === body.length ? { at, after, closes } : undefined;
}

function readPart(bytes: Buffer, headerSectionMax: number): Part {
  if (bytes.length === 0) return { headers: [], body: bytes };
  if (bytes[0] === cr && bytes[1] === lf) return { headers: [], body: bytes.subarray(2) };
  const end = bytes.indexOf(headerEnd);
  const section = bytes.subarray(0, end < 0 ? bytes.length : end);
  if (section.length > headerSectionMax) {
    throw new WireError('MULTIPART_HEADER', 'the header section of a part is too long');
  }
  const headers = readHeaders(section.toString('utf8'));
  return { headers, body: bytes.subarray(end < 0 ? bytes.length : end + headerEnd.length) };
}

function readHeaders(section: string): [string, string][] {
  const headers: [string, string][] = [];
  for (const line of section.split('\r\n')) {
    const last = headers.at(-1);
    const match = /^([^\s:\x00-\x1f\x7f]+)[ \t]*:(.*)$/s.exec(line);
    if (/^[ \t]/.test(line) && last !== undefined) last[1] = `${last[1]} ${line.trim()}`.trim();
    else if (match !== null && !/[\r\n\0]/.test(line)) headers.push([match[1]!, match[2]!.trim()]);
    else throw new WireError('MULTIPART_HEADER', 'a header field of a part is malformed');
  }
  return headers;
}
