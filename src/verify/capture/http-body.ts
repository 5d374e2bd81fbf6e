/** Where the body of an HTTP message ends, octet by octet as it comes (RFC 9112 6). */

/** `need`: more octets; `end`: the message is over, `used` octets of what was given belong to it. */
export interface BodyStep {
  readonly used: number;
  readonly isOver: boolean;
}

export type BodyLength = number | 'chunked' | 'close';

const sizeLineMax = 1_024;
const lf = 10;

/** Follows one body; throws nothing: what is no chunk ends it as `broken`. */
export class HttpBody {
  #left: number;
  readonly #isChunked: boolean;
  #state: 'octets' | 'size' | 'trailer' = 'octets';
  isBroken = false;

  constructor(length: BodyLength) {
    this.#isChunked = length === 'chunked';
    this.#left = length === 'close' ? Infinity : length === 'chunked' ? 0 : length;
    if (this.#isChunked) this.#state = 'size';
  }

  take(bytes: Buffer): BodyStep {
    if (!this.#isChunked) {
      const used = Math.min(this.#left, bytes.length);
      this.#left -= used;
      return { used, isOver: this.#left === 0 };
    }
    let at = 0;
    while (at < bytes.length && !this.isBroken) {
      if (this.#state === 'octets') {
        const used = Math.min(this.#left, bytes.length - at);
        at += used;
        this.#left -= used;
        if (this.#left === 0) this.#state = 'size';
        continue;
      }
      const end = bytes.indexOf(lf, at);
      if (end < 0) {
        this.isBroken = bytes.length - at > sizeLineMax;
        break;
      }
      const line = bytes.toString('latin1', at, end).trim();
      at = end + 1;
      if (this.#state === 'trailer' && line === '') return { used: at, isOver: true };
      if (this.#state === 'size') this.#begin(line);
    }
    return { used: at, isOver: false };
  }

  #begin(line: string): void {
    const size = /^([0-9a-f]{1,8})(?:\s*;.*)?$/i.exec(line)?.[1];
    if (size === undefined) this.isBroken = true;
    else if (Number.parseInt(size, 16) === 0) this.#state = 'trailer';
    else {
      // With the line end behind it.
      this.#left = Number.parseInt(size, 16) + 2;
      this.#state = 'octets';
    }
  }
}

/** The octets that were sent as chunks; undefined where they are not whole. */
export function withoutChunks(body: Buffer): Buffer | undefined {
  const pieces: Buffer[] = [];
  for (let at = 0; at < body.length;) {
    const end = body.indexOf('\r\n', at);
    const size = end < 0 ? NaN : Number.parseInt(body.toString('latin1', at, end), 16);
    if (!(size >= 0)) return undefined;
    if (size === 0) return Buffer.concat(pieces);
    pieces.push(body.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
  return undefined;
}
