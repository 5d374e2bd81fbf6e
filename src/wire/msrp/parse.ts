/** A streaming parser of MSRP frames (RFC 4975 7 and 9). */

import { WireError } from '../error.js';
import { EndLineScanner } from './end-line.js';
import type { MsrpFlag, MsrpHead, MsrpHeaderField } from './frame.js';
import { readField, readHead, readPath, readStartLine } from './head.js';
import type { MsrpStart } from './head.js';

/** Bounds of what is kept of a frame; its body is never kept. All in octets but `headers`, `paths`. */
export interface MsrpLimits {
  readonly startLine: number;
  readonly headerLine: number;
  readonly headerSection: number;
  /** Number of header fields. */
  readonly headers: number;
  /** Number of URIs in To-Path, and in From-Path. */
  readonly paths: number;
  /** Body of anything but a SEND (MSRP-09). */
  readonly otherBody: number;
}

export const msrpLimits: MsrpLimits = {
  startLine: 512,
  headerLine: 8192,
  headerSection: 32768,
  headers: 64,
  paths: 16,
  otherBody: 10240,
};

/** A frame that breaks the standard. Nothing else of that frame is told. */
export interface MsrpFault {
  /** `status` is the MSRP status of the answer. */
  readonly error: WireError;
  /** How to answer; absent when the frame is no request, must not be answered or cannot be. */
  readonly answer?: MsrpAnswerable;
  /** The stream is beyond repair: whatever follows is ignored. Else the next frame is parsed. */
  readonly fatal: boolean;
}

/** What the answer to a faulty request is made of. */
export interface MsrpAnswerable {
  readonly transactionId: string;
  readonly method: string;
  /** Empty when it could not be read. */
  readonly toPath: readonly string[];
  /** From-Path of the request: its first URI is the To-Path of the answer. */
  readonly fromPath: readonly string[];
}

/** Told of every frame in order: `head`, `body` as often as octets come, `end`; or `fault`. */
export interface MsrpFrameHandler {
  head(head: MsrpHead): void;
  /** A view on the chunk that was pushed: copy it to keep it beyond the next push. */
  body(bytes: Buffer): void;
  end(flag: MsrpFlag): void;
  /** May also end a frame whose head and part of whose body were told, if it is fatal. */
  fault(fault: MsrpFault): void;
}

const cr = 13;
const lf = 10;
const hyphens = '-------';
/** Paths remembered: those of the sessions of a connection come with every frame. */
const knownPathsMax = 1_024;

/**
 * Takes in a connection's octets as they come, in pieces of any size. Empty lines between frames
 * are passed over.
 */
export class MsrpParser {
  readonly #handler: MsrpFrameHandler;
  readonly #limits: MsrpLimits;
  readonly #pass: (bytes: Buffer) => void;
  #state: 'start' | 'head' | 'body' | 'dead' = 'start';
  /** Pieces of a line that is cut off. */
  #pieces: Buffer[] = [];
  #piecesLength = 0;
  #start: MsrpStart | undefined;
  #headers: MsrpHeaderField[] = [];
  #headLength = 0;
  /** The first fault of the frame; its body is then passed over. */
  #error: WireError | undefined;
  #scanner: EndLineScanner | undefined;
  #bodyLeft = Infinity;
  readonly #knownPaths = new Map<string, readonly string[]>();
  readonly #readPath = (value: string): readonly string[] => this.#pathFrom(value);

  constructor(handler: MsrpFrameHandler, limits: Partial<MsrpLimits> = {}) {
    this.#handler = handler;
    this.#limits = { ...msrpLimits, ...limits };
    this.#pass = (bytes) => this.#passBody(bytes);
  }

  /** Whether no frame has begun that has not ended. */
  get idle(): boolean {
    return this.#state === 'start' && this.#piecesLength === 0;
  }

  push(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length && this.#state !== 'dead') {
      if (this.#state === 'body') {
        offset = this.#pushBody(chunk, offset);
        if (offset < 0) return;
      } else {
        offset = this.#pushLine(chunk, offset);
      }
    }
  }

  /** Whatever is or was pushed is not parsed any further. */
  stop(): void {
    this.#state = 'dead';
    this.#pieces = [];
  }

  #pushLine(chunk: Buffer, offset: number): number {
    const end = chunk.indexOf(lf, offset);
    const after = end < 0 ? chunk.length : end + 1;
    const max = this.#state === 'start' ? this.#limits.startLine : this.#limits.headerLine;
    const length = this.#piecesLength + after - offset;
    if (length > max + 2) {
      const first = this.#firstBytes(chunk, offset);
      const code = this.#state === 'start' ? startLineCode(first) : 'MSRP_HEADER_TOO_LONG';
      this.#die(code, 'a line is too long');
      return chunk.length;
    }
    if (end < 0) {
      this.#keepPiece(chunk.subarray(offset));
      return chunk.length;
    }
    let text: string | undefined;
    if (this.#piecesLength === 0) {
      text = textOf(chunk, offset, after);
    } else {
      const line = Buffer.concat([...this.#pieces, chunk.subarray(offset, after)]);
      text = textOf(line, 0, line.length);
      this.#pieces = [];
      this.#piecesLength = 0;
    }
    if (this.#state === 'start') this.#takeStartLine(text, length);
    else this.#takeHeadLine(text, length);
    return after;
  }

  /** A peer that does not speak MSRP is found out by its first octets, not by the limit. */
  #keepPiece(piece: Buffer): void {
    if (this.#state === 'start') {
      const first = this.#firstBytes(piece, 0);
      if (!'MSRP '.startsWith(first) && first !== '\r') {
        this.#die('MSRP_START_LINE', 'this is not MSRP');
        return;
      }
    }
    // Copied: a view would keep the whole chunk alive.
    this.#pieces.push(Buffer.from(piece));
    this.#piecesLength += piece.length;
  }

  #firstBytes(chunk: Buffer, offset: number): string {
    const pieces = this.#pieces.slice(0, 5);
    return Buffer.concat([...pieces, chunk.subarray(offset, offset + 5)]).toString('latin1', 0, 5);
  }

  #takeStartLine(text: string | undefined, length: number): void {
    if (text === '') return;
    try {
      if (text === undefined) throw new WireError('MSRP_START_LINE', 'the start line is no text');
      this.#start = readStartLine(text);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#die(error.code, error.hint);
      return;
    }
    this.#state = 'head';
    this.#headLength = length;
  }

  #takeHeadLine(text: string | undefined, length: number): void {
    this.#headLength += length;
    if (this.#headLength > this.#limits.headerSection) {
      this.#die('MSRP_HEADER_TOO_LONG', 'the header section is too long');
      return;
    }
    const flag = text === undefined ? undefined : this.#endFlag(text);
    if (flag !== undefined) {
      this.#endHead(false);
      this.#endFrame(flag);
    } else if (text === '') {
      this.#endHead(true);
    } else if (this.#headers.length === this.#limits.headers) {
      this.#die('MSRP_HEADERS_TOO_MANY', 'there are too many header fields');
    } else {
      this.#takeField(text);
    }
  }

  #takeField(text: string | undefined): void {
    try {
      if (text === undefined) throw new WireError('MSRP_HEADER', 'a header field is no text line');
      this.#headers.push(readField(text));
    } catch (error) {
      this.#note(error);
    }
  }

  #endFlag(text: string): MsrpFlag | undefined {
    if (!text.startsWith(hyphens)) return undefined;
    const line = hyphens + this.#start!.transactionId;
    const flag = text.slice(line.length);
    return text.startsWith(line) && (flag === '$' || flag === '+' || flag === '#')
      ? flag
      : undefined;
  }

  #endHead(hasBody: boolean): void {
    const start = this.#start!;
    let head: MsrpHead | undefined;
    try {
      head = readHead(start, this.#headers, hasBody, this.#readPath);
    } catch (error) {
      this.#note(error);
    }
    if (hasBody) {
      this.#state = 'body';
      this.#scanner = new EndLineScanner(start.transactionId);
      const isSend = start.kind === 'request' && start.method === 'SEND';
      this.#bodyLeft = isSend ? Infinity : this.#limits.otherBody;
    }
    if (this.#error !== undefined) this.#tellFault(this.#error, false);
    else if (head !== undefined) this.#handler.head(head);
  }

  #pathFrom(value: string): readonly string[] {
    const known = this.#knownPaths.get(value);
    if (known !== undefined) return known;
    const path = readPath(value, this.#limits.paths);
    if (this.#knownPaths.size >= knownPathsMax) this.#knownPaths.clear();
    this.#knownPaths.set(value, path);
    return path;
  }

  /** Only the first fault of a frame is told. */
  #note(error: unknown): void {
    if (!(error instanceof WireError)) throw error;
    this.#error ??= error;
  }

  #pushBody(chunk: Buffer, offset: number): number {
    const scanner = this.#scanner!;
    const after = scanner.scan(chunk, offset, this.#pass);
    if (after >= 0 && this.#state === 'body') this.#endFrame(scanner.flag);
    return after;
  }

  #passBody(bytes: Buffer): void {
    if (this.#state !== 'body') return;
    this.#bodyLeft -= bytes.length;
    if (this.#bodyLeft < 0) this.#die('MSRP_BODY_TOO_LONG', 'the body is too long');
    else if (this.#error === undefined) this.#handler.body(bytes);
  }

  #endFrame(flag: MsrpFlag): void {
    const told = this.#error === undefined;
    if (this.#state === 'dead') return;
    this.#state = 'start';
    this.#start = undefined;
    this.#headers = [];
    this.#error = undefined;
    this.#scanner = undefined;
    if (told) this.#handler.end(flag);
  }

  #die(code: string, hint: string): void {
    const told = this.#error !== undefined && this.#state === 'body';
    this.#state = 'dead';
    this.#pieces = [];
    // A transaction is answered once: not again when its fault was told before.
    if (told) this.#start = undefined;
    this.#tellFault(new WireError(code, hint), true);
  }

  #tellFault(error: WireError, fatal: boolean): void {
    const answer = this.#answerable();
    this.#handler.fault({ error, ...(answer !== undefined && { answer }), fatal });
  }

  /** Whoever reads a From-Path may answer, unless Failure-Report forbids it (MSRP-20). */
  #answerable(): MsrpAnswerable | undefined {
    const start = this.#start;
    if (start?.kind !== 'request' || start.method === 'REPORT') return undefined;
    const fromPath = this.#pathOf('from-path');
    if (fromPath.length === 0) return undefined;
    if (this.#valueOf('failure-report')?.toLowerCase() === 'no') return undefined;
    const { transactionId, method } = start;
    return { transactionId, method, toPath: this.#pathOf('to-path'), fromPath };
  }

  #pathOf(name: string): readonly string[] {
    const value = this.#valueOf(name);
    if (value === undefined) return [];
    try {
      return readPath(value, this.#limits.paths);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return [];
    }
  }

  #valueOf(name: string): string | undefined {
    return this.#headers.find((field) => field[0].toLowerCase() === name)?.[1];
  }
}

/** Without the CRLF; undefined when it does not end so or is not UTF-8. */
function textOf(bytes: Buffer, start: number, after: number): string | undefined {
  const end = after - 2;
  if (end < start || bytes[end] !== cr) return undefined;
  const text = bytes.toString('utf8', start, end);
  const isSuspect = text.includes('\ufffd');
  return isSuspect && !Buffer.from(text).equals(bytes.subarray(start, end)) ? undefined : text;
}

function startLineCode(first: string): string {
  return first === 'MSRP ' ? 'MSRP_START_LINE_TOO_LONG' : 'MSRP_START_LINE';
}
