/** Requests and responses as a parser yields them: octets, offsets and a start line. */

import type { Head } from './head.js';
import type { HeaderTable } from './header-table.js';
import type { HeaderField, SipMessage, SipRequest, SipResponse } from './message.js';
import type { StartLine } from './start-line.js';

interface Parsed {
  readonly bytes: Buffer;
  /** Where the body begins in `bytes`. */
  readonly bodyStart: number;
  readonly headers: HeaderTable;
}

const EMPTY = Buffer.alloc(0);

/** The message that stands from `start` to `end` in the octets of its scanned head. */
export function messageAt(head: Head, line: StartLine, start: number, end: number): SipMessage {
  const whole = start === 0 && end === head.bytes.length;
  const parsed: Parsed = {
    bytes: whole ? head.bytes : head.bytes.subarray(start, end),
    bodyStart: head.bodyStart - start,
    headers: head.headers(),
  };
  return line.kind === 'request'
    ? new ParsedRequest(line, parsed)
    : new ParsedResponse(line, parsed);
}

export class ParsedRequest implements SipRequest {
  readonly kind = 'request';
  readonly method: string;
  readonly uri: string;
  readonly bytes: Buffer;
  readonly #headers: HeaderTable;
  readonly #bodyStart: number;
  #body: Buffer | undefined;

  constructor(line: StartLine, parsed: Parsed) {
    this.method = line.method;
    this.uri = line.uri;
    this.bytes = parsed.bytes;
    this.#bodyStart = parsed.bodyStart;
    this.#headers = parsed.headers;
  }

  get body(): Buffer {
    this.#body ??= bodyOf(this.bytes, this.#bodyStart);
    return this.#body;
  }

  header(name: string): string | undefined {
    return this.#headers.header(name);
  }

  fields(name: string): readonly string[] {
    return this.#headers.fields(name);
  }

  list(name: string): readonly string[] {
    return this.#headers.list(name);
  }

  all(): readonly HeaderField[] {
    return this.#headers.all();
  }
}

export class ParsedResponse implements SipResponse {
  readonly kind = 'response';
  readonly status: number;
  readonly reason: string;
  readonly bytes: Buffer;
  readonly #headers: HeaderTable;
  readonly #bodyStart: number;
  #body: Buffer | undefined;

  constructor(line: StartLine, parsed: Parsed) {
    this.status = line.status;
    this.reason = line.reason;
    this.bytes = parsed.bytes;
    this.#bodyStart = parsed.bodyStart;
    this.#headers = parsed.headers;
  }

  get body(): Buffer {
    this.#body ??= bodyOf(this.bytes, this.#bodyStart);
    return this.#body;
  }

  header(name: string): string | undefined {
    return this.#headers.header(name);
  }

  fields(name: string): readonly string[] {
    return this.#headers.fields(name);
  }

  list(name: string): readonly string[] {
    return this.#headers.list(name);
  }

  all(): readonly HeaderField[] {
    return this.#headers.all();
  }
}

function bodyOf(bytes: Buffer, start: number): Buffer {
  return start === bytes.length ? EMPTY : bytes.subarray(start);
}
