/** A streaming parser of MSRP frames (RFC 4975 7 and 9). */

import type { WireError } from '../error.js';
import type { MsrpFlag, MsrpHead } from './frame.js';

/** Bounds of what is kept of a frame; its body is never kept. All in octets but `headers`, `paths`. */
export interface MsrpLimits {
  readonly startLine: number;
  readonly headerLine: number;
  readonly headerSection: number;
  /** Number of header fields. */
  readonly headers: number;
  /** Number of URIs in To-Path, and in From-Path. */
  readonly paths: number;
  /** Body of a request other than SEND (RFC 4975 5.1). */
  readonly otherBody: number;
}

/** A frame that breaks the standard. Nothing else of that frame is told. */
export interface MsrpFault {
  /** `status` is the MSRP status of the answer. */
  readonly error: WireError;
  /** How to answer; absent when the frame is no request, must not be answered or cannot be. */
  readonly answer?: {
    readonly transactionId: string;
    readonly method: string;
    readonly toPath: readonly string[];
    /** From-Path of the request: its first URI is the To-Path of the answer. */
    readonly fromPath: readonly string[];
  };
  /** The stream is beyond repair: whatever follows is ignored. Else the next frame is parsed. */
  readonly fatal: boolean;
}

/** Told of every frame in order: `head`, `body` as often as octets come, `end`; or `fault`. */
export interface MsrpFrameHandler {
  head(head: MsrpHead): void;
  /** A view on the chunk that was pushed: copy it to keep it beyond the next push. */
  body(bytes: Buffer): void;
  end(flag: MsrpFlag): void;
  fault(fault: MsrpFault): void;
}

/** Takes in a connection's octets as they come, in pieces of any size. */
export class MsrpParser {
  readonly #handler: MsrpFrameHandler;

  constructor(handler: MsrpFrameHandler, limits?: Partial<MsrpLimits>) {
    this.#handler = handler;
    void limits;
  }

  push(chunk: Buffer): void {
    this.#handler.body(chunk);
  }
}
