/** What one process wants to leave by a connection that others write to as well, frame by frame. */

import { FrameBounds } from '../../wire/msrp/frame-bounds.js';

export interface FramePart {
  readonly bytes: Buffer;
  /** A frame may only begin where no other one is open. */
  readonly kind: 'head' | 'body' | 'end';
}

/** Octets of a head of our own: what a sender put in is bounded where it came in. */
const headBytes = 1_048_576;

export class FrameQueue {
  readonly #bounds: FrameBounds;
  #parts: FramePart[] = [];
  #next = 0;
  #hasEnded = false;

  /** `broken`: it is not MSRP that comes. */
  constructor(broken: () => void) {
    this.#bounds = new FrameBounds(
      {
        head: (bytes) => this.#parts.push({ bytes, kind: 'head' }),
        body: (bytes) => this.#parts.push({ bytes, kind: 'body' }),
        end: (bytes) => this.#parts.push({ bytes, kind: 'end' }),
        broken,
      },
      { startLine: headBytes, headBytes },
    );
  }

  get isEmpty(): boolean {
    return this.#next === this.#parts.length;
  }

  push(octets: Buffer): void {
    if (!this.#hasEnded) this.#bounds.push(octets);
  }

  shift(): FramePart | undefined {
    const part = this.#parts[this.#next];
    if (!part) return undefined;
    this.#next += 1;
    if (this.isEmpty) {
      this.#parts = [];
      this.#next = 0;
    }
    return part;
  }

  /** Nothing more comes: a chunk that is open ends with `#`, as one that was interrupted for good. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const { interruption } = this.#bounds;
    if (interruption) this.#parts.push({ bytes: interruption, kind: 'end' });
  }
}
