/** The octets of a file or of a Buffer, taken from the front in pieces. */

import { closeSync, openSync, readSync } from 'node:fs';
import { VerifyError } from '../verify-error.js';

const windowBytes = 1_048_576;
const nothing = Buffer.alloc(0);

/** A window on what is to come; no more of a file is held than was asked for at once. */
export class OctetSource {
  readonly #descriptor: number | undefined;
  #window: Buffer = nothing;
  #at = 0;
  #ended = false;
  #offset = 0;

  /** A path, or the octets themselves. */
  constructor(source: string | Buffer) {
    if (typeof source === 'string') {
      this.#descriptor = open(source);
    } else {
      this.#window = source;
      this.#ended = true;
    }
  }

  /** How many octets were taken. */
  get offset(): number {
    return this.#offset;
  }

  /** Up to that many octets, which stay where they are. */
  peek(length: number): Buffer {
    this.#fill(length);
    return this.#window.subarray(this.#at, this.#at + length);
  }

  /** That many octets, or undefined when there are less. A view: copy it to keep it. */
  take(length: number): Buffer | undefined {
    const bytes = this.peek(length);
    if (bytes.length < length) return undefined;
    this.discard(length);
    return bytes;
  }

  /** Passes over octets that were looked at. */
  discard(length: number): void {
    this.#at += length;
    this.#offset += length;
  }

  /** Passes over octets that nobody looks at, however many; false when there are less. */
  pass(length: number): boolean {
    for (let left = length; left > 0;) {
      const count = this.peek(Math.min(left, windowBytes)).length;
      if (count === 0) return false;
      this.discard(count);
      left -= count;
    }
    return true;
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
  }

  #fill(length: number): void {
    while (this.#window.length - this.#at < length && !this.#ended) {
      const held = this.#window.subarray(this.#at);
      // A new one each time: what was taken are views on the old one.
      const window = Buffer.allocUnsafeSlow(Math.max(windowBytes, 2 * length));
      held.copy(window);
      const read = readInto(this.#descriptor!, window, held.length);
      this.#window = window.subarray(0, held.length + read);
      this.#at = 0;
      this.#ended = read === 0;
    }
  }
}

function open(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw unreadable(error);
  }
}

function readInto(descriptor: number, window: Buffer, at: number): number {
  try {
    return readSync(descriptor, window, at, window.length - at, null);
  } catch (error) {
    throw unreadable(error);
  }
}

function unreadable(error: unknown): VerifyError {
  const { code = 'unknown' } = error as { readonly code?: string };
  return new VerifyError('CAPTURE_FILE', `the file cannot be read (${code})`);
}
