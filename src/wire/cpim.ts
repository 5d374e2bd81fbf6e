/** message/cpim (RFC 3862) with the headers of IMDN (RFC 5438). */

import { WireError } from './error.js';

type HeaderField = readonly [name: string, value: string];

export interface Cpim {
  /** Message headers in order, names and values as they came. */
  readonly headers: readonly HeaderField[];
  /** MIME headers of the content, in order. */
  readonly contentHeaders: readonly HeaderField[];
  /** Content-Type of the content; text/plain when it is not given. */
  readonly contentType: string;
  /** The content: a view on the octets that were parsed. */
  readonly body: Buffer;
}

/** What a CPIM says of itself and of the reports it asks for. */
export interface CpimFacts {
  /** URI of From, without name and brackets. */
  readonly from?: string;
  readonly to?: string;
  /** As written. */
  readonly dateTime?: string;
  /** imdn.Message-ID. */
  readonly messageId?: string;
  /** Lower-case: positive-delivery, negative-delivery, processing, display. */
  readonly dispositions: ReadonlySet<string>;
  readonly originalTo?: string;
  /** URIs of IMDN-Record-Route, topmost first. */
  readonly recordRoute: readonly string[];
}

export interface CpimFields {
  /** URIs, without brackets. */
  readonly from: string;
  readonly to: string;
  /** RFC 3339. */
  readonly dateTime?: string;
  /** Further message headers, such as NS and imdn.Message-ID. */
  readonly headers?: readonly HeaderField[];
  readonly contentType: string;
  /** Further MIME headers, such as Content-Disposition. */
  readonly contentHeaders?: readonly HeaderField[];
  readonly body: Buffer;
}

export interface CpimLimits {
  /** Octets of the message headers and the MIME headers together. */
  readonly headerSection: number;
  /** Number of both. */
  readonly headers: number;
}

export const cpimLimits: CpimLimits = { headerSection: 16384, headers: 64 };

export const imdnNamespace = 'urn:ietf:params:imdn';

const lf = 10;
const cr = 13;

/**
 * Takes what peers emit (CPIM-02): no space or several after the colon, an empty line more before
 * the MIME headers. Throws WireError `CPIM_…`.
 */
export function parseCpim(bytes: Buffer, limits: Partial<CpimLimits> = {}): Cpim {
  const reader = new HeaderReader(bytes, { ...cpimLimits, ...limits });
  const headers = reader.readSection();
  if (headers.length === 0) throw new WireError('CPIM_HEADER', 'there is no message header');
  reader.skipEmptyLine();
  const contentHeaders = reader.readSection();
  const type = contentHeaders.find(([name]) => name.toLowerCase() === 'content-type');
  return {
    headers,
    contentHeaders,
    contentType: type?.[1] ?? 'text/plain',
    body: bytes.subarray(reader.offset),
  };
}

/** Prefixes are resolved by `urn:ietf:params:imdn` (CPIM-03); names are case-sensitive (CPIM-01). */
export function cpimFacts(cpim: Cpim): CpimFacts {
  const prefixes = new Map<string, string>();
  const found = new Map<string, string>();
  const dispositions = new Set<string>();
  const recordRoute: string[] = [];
  for (const [name, value] of cpim.headers) {
    if (name === 'NS') {
      const match = /^([^\s<]*)[ \t]*<([^>]*)>$/.exec(value);
      if (match !== null) prefixes.set(match[1]!, match[2]!);
      continue;
    }
    const local = imdnName(name, prefixes);
    if (local === 'Disposition-Notification') addDispositions(dispositions, value);
    else if (local === 'IMDN-Record-Route') recordRoute.push(...urisOf(value));
    else {
      const key = local === undefined ? name : `imdn ${local}`;
      if (!found.has(key)) found.set(key, value);
    }
  }
  const originalTo = found.get('imdn Original-To');
  return {
    ...uriField('from', found.get('From')),
    ...uriField('to', found.get('To')),
    ...textField('dateTime', found.get('DateTime')),
    ...textField('messageId', found.get('imdn Message-ID')),
    dispositions,
    ...uriField('originalTo', originalTo),
    recordRoute,
  };
}

/** Throws WireError `CPIM_FIELD` when a value cannot stand in a line of its own. */
export function wrapCpim(fields: CpimFields): Buffer {
  const headers: HeaderField[] = [
    ['From', `<${fields.from}>`],
    ['To', `<${fields.to}>`],
  ];
  if (fields.dateTime !== undefined) headers.push(['DateTime', fields.dateTime]);
  headers.push(...(fields.headers ?? []));
  const contentHeaders: HeaderField[] = [
    ['Content-Type', fields.contentType],
    ...(fields.contentHeaders ?? []),
  ];
  const head = `${linesOf(headers)}\r\n${linesOf(contentHeaders)}\r\n`;
  return Buffer.concat([Buffer.from(head), fields.body]);
}

/** Reads lines up to the body, within the bounds. */
class HeaderReader {
  readonly #bytes: Buffer;
  readonly #limits: CpimLimits;
  #offset = 0;
  #count = 0;

  constructor(bytes: Buffer, limits: CpimLimits) {
    this.#bytes = bytes;
    this.#limits = limits;
  }

  /** Of the first octet that was not read. */
  get offset(): number {
    return this.#offset;
  }

  /** The lines up to an empty one, which is read too. */
  readSection(): HeaderField[] {
    const fields: HeaderField[] = [];
    for (let line = this.#readLine(); line !== ''; line = this.#readLine()) {
      const match = /^([^:;\s\x00-\x1f]+):[ \t]*(.*)$/.exec(line);
      if (match === null) throw new WireError('CPIM_HEADER', 'a header is malformed');
      if (++this.#count > this.#limits.headers) {
        throw new WireError('CPIM_HEADERS_TOO_MANY', 'there are too many headers');
      }
      fields.push([match[1]!, match[2]!.trimEnd()]);
    }
    return fields;
  }

  /** Only before MIME headers: else it ends a section of none, and the content begins. */
  skipEmptyLine(): void {
    const next = this.#bytes.toString('latin1', this.#offset, this.#offset + 10);
    if (/^\r\ncontent-/i.test(next)) this.#offset += 2;
  }

  #readLine(): string {
    const end = this.#bytes.indexOf(lf, this.#offset);
    if (end < 0) throw new WireError('CPIM_TRUNCATED', 'the headers do not end');
    if (end >= this.#limits.headerSection) {
      throw new WireError('CPIM_HEADER_TOO_LONG', 'the headers are too long');
    }
    if (this.#bytes[end - 1] !== cr || end === this.#offset) {
      throw new WireError('CPIM_LINE_END', 'a line does not end with CRLF');
    }
    const line = this.#bytes.toString('utf8', this.#offset, end - 1);
    if (/[\x00-\x08\x0b-\x1f\x7f]/.test(line)) {
      throw new WireError('CPIM_HEADER', 'a header has control characters');
    }
    this.#offset = end + 1;
    return line;
  }
}

/** The local name when the prefix of a name stands for IMDN. */
function imdnName(name: string, prefixes: ReadonlyMap<string, string>): string | undefined {
  const dot = name.indexOf('.');
  const namespace = prefixes.get(dot < 0 ? '' : name.slice(0, dot));
  return namespace === imdnNamespace ? name.slice(dot + 1) : undefined;
}

function addDispositions(dispositions: Set<string>, value: string): void {
  for (const item of value.split(',')) {
    const disposition = item.replace(/;.*$/s, '').trim().toLowerCase();
    if (disposition !== '') dispositions.add(disposition);
  }
}

/** The URIs in angle brackets, else the value itself. */
function urisOf(value: string): string[] {
  const uris = Array.from(value.matchAll(/<([^<>]*)>/g), (match) => match[1]!);
  return uris.length > 0 ? uris : [value.trim()];
}

function uriField<K extends string>(key: K, value: string | undefined): { [P in K]?: string } {
  // The last brackets: a quoted name before them may hold others.
  const uri = value === undefined ? undefined : urisOf(value).at(-1);
  return textField(key, uri);
}

function textField<K extends string>(key: K, value: string | undefined): { [P in K]?: string } {
  return (value === undefined || value === '' ? {} : { [key]: value }) as { [P in K]?: string };
}

function linesOf(headers: readonly HeaderField[]): string {
  return headers
    .map(([name, value]) => {
      const line = `${name}: ${value}`;
      if (/^[^:;\s\x00-\x1f\x7f]+$/.test(name) && !/[\x00-\x08\x0a-\x1f\x7f]/.test(line)) {
        return `${line}\r\n`;
      }
      throw new WireError('CPIM_FIELD', 'a header cannot be written', 500);
    })
    .join('');
}
