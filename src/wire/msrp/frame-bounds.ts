/** Where the frames of a connection begin and end, and for whom they are: what a relay has to know. */

import { EndLineScanner } from './end-line.js';
import type { MsrpFlag } from './frame.js';
import { isIdent } from './ident.js';

/** Octets of a start line, of another line of a head, and of a head. */
export interface FrameBoundsLimits {
  readonly startLine: number;
  readonly headBytes: number;
}

/** All octets of a frame are told once, in order; views on what was pushed. */
export interface FrameBoundsHandler {
  /**
   * A whole head, with the empty line when a body follows. `toPath` is the value of its first
   * field, undefined when that is another one.
   */
  head(bytes: Buffer, toPath: string | undefined): void;
  body(bytes: Buffer): void;
  end(bytes: Buffer): void;
  /** Nothing of what follows can be told apart. Comes once, and nothing after it. */
  broken(bytes: Buffer): void;
}

const lf = 10;
const cr = 13;
const hyphen = 45;
const nothing = Buffer.alloc(0);

/**
 * Reads no more of a frame than its lines before the body, and judges none of them: what is wrong
 * in a frame whose end can be found is for whoever it is for. Octets may come in pieces of any size.
 */
export class FrameBounds {
  readonly #handler: FrameBoundsHandler;
  readonly #limits: FrameBoundsLimits;
  readonly #passBody: (bytes: Buffer) => void;
  /** A head of which not everything has come. */
  #kept: Buffer = nothing;
  /** Where in the head its next line begins. */
  #line = 0;
  #transactionId: string | undefined;
  #toPath: string | undefined;
  #lines = 0;
  #scanner: EndLineScanner | undefined;
  #isBroken = false;

  constructor(handler: FrameBoundsHandler, limits: FrameBoundsLimits) {
    this.#handler = handler;
    this.#limits = limits;
    this.#passBody = (bytes) => handler.body(bytes);
  }

  /** Whether no frame has begun that has not ended. */
  get isIdle(): boolean {
    return this.#scanner === undefined && this.#kept.length === 0;
  }

  /** What ends a frame here of which a part of the body has been told; undefined: none is open. */
  get interruption(): Buffer | undefined {
    return this.#scanner && endLine(this.#transactionId!, '#');
  }

  push(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length && !this.#isBroken) {
      if (this.#scanner) {
        offset = this.#pushBody(this.#scanner, chunk, offset);
        if (offset < 0) return;
      } else {
        const octets = offset === 0 ? chunk : chunk.subarray(offset);
        const kept = this.#kept.length;
        const head = kept === 0 ? octets : Buffer.concat([this.#kept, octets]);
        this.#kept = nothing;
        const length = this.#readHead(head);
        if (length === undefined) return;
        offset += length - kept;
      }
    }
  }

  #pushBody(scanner: EndLineScanner, chunk: Buffer, offset: number): number {
    const after = scanner.scan(chunk, offset, this.#passBody);
    if (after < 0) return after;
    const id = this.#transactionId!;
    this.#reset();
    this.#handler.end(endLine(id, scanner.flag));
    return after;
  }

  /** Its octets; undefined when there have to be more, or there is no use in more. */
  #readHead(octets: Buffer): number | undefined {
    for (;;) {
      const start = this.#line;
      const end = octets.indexOf(lf, start);
      const after = end < 0 ? octets.length : end + 1;
      if (!this.#fits(octets, start, after)) {
        this.#break(octets);
        return undefined;
      }
      if (end < 0) {
        // A copy: a view would keep the whole chunk alive.
        this.#kept = Buffer.from(octets);
        return undefined;
      }
      const isEmpty = after - start === 2 && octets[start] === cr;
      if (this.#lines === 0) {
        // Empty lines between frames are nobody's.
        if (isEmpty) return (this.#reset(), after);
        if (!this.#readStartLine(octets.toString('latin1', 0, after))) {
          this.#break(octets);
          return undefined;
        }
      } else if (isEmpty) {
        this.#scanner = new EndLineScanner(this.#transactionId!);
        this.#handler.head(octets.subarray(0, after), this.#toPath);
        return after;
      } else if (octets[start] === hyphen && this.#isEndLine(octets, start, after)) {
        const toPath = this.#toPath;
        this.#reset();
        this.#handler.head(octets.subarray(0, start), toPath);
        this.#handler.end(octets.subarray(start, after));
        return after;
      } else if (this.#lines === 1) {
        this.#toPath = toPathOf(octets.toString('latin1', start, after));
      }
      this.#lines += 1;
      this.#line = after;
    }
  }

  /** The bounds of the parser, so that it finds the same frames too long. */
  #fits(octets: Buffer, start: number, after: number): boolean {
    const { startLine, headBytes } = this.#limits;
    if (start > headBytes) return false;
    if (this.#lines > 0) return after - start <= headBytes + 2;
    // A peer that does not speak MSRP is found out by its first octets.
    const first = octets.toString('latin1', 0, Math.min(5, after));
    const isMsrp = 'MSRP '.startsWith(first) || first[0] === '\r';
    return isMsrp && after <= startLine + 2;
  }

  #readStartLine(line: string): boolean {
    const [, id] = /^MSRP ([^ ]+) .*\r\n$/.exec(line) ?? [];
    if (id === undefined || !isIdent(id)) return false;
    this.#transactionId = id;
    return true;
  }

  #isEndLine(octets: Buffer, start: number, after: number): boolean {
    const id = this.#transactionId!;
    if (after - start !== id.length + 10) return false;
    return /^-{7}.*[$+#]\r\n$/.test(octets.toString('latin1', start, after))
      ? octets.toString('latin1', start + 7, after - 3) === id
      : false;
  }

  #break(octets: Buffer): void {
    this.#isBroken = true;
    this.#handler.broken(octets);
  }

  #reset(): void {
    this.#scanner = undefined;
    this.#transactionId = undefined;
    this.#toPath = undefined;
    this.#lines = 0;
    this.#line = 0;
  }
}

function toPathOf(line: string): string | undefined {
  if (line.slice(0, 8).toLowerCase() !== 'to-path:') return undefined;
  return line.slice(8).trim();
}

function endLine(transactionId: string, flag: MsrpFlag): Buffer {
  return Buffer.from(`\r\n-------${transactionId}${flag}\r\n`, 'latin1');
}
