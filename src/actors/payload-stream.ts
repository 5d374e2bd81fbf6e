/** Payloads put together of octets of ours and of stored ones, which are read as they are sent. */

import { WireError } from '../wire/error.js';
import type { Content } from '../ports.js';

/** A part of a stored content. */
export interface Slice {
  readonly content: Content;
  readonly offset: number;
  readonly size: number;
}

/** A content of which that much is read at once anyhow, so that nothing is gained by streaming. */
const smallBytes = 65_536;

/** Octets that are in memory anyhow. */
export function contentOf(bytes: Buffer): Content {
  return {
    size: bytes.length,
    read: (offset, length) => bytes.subarray(offset, offset + length),
  };
}

/** One behind the other; a small payload is whole in memory, of a large one no more than is asked. */
export async function spliced(parts: readonly (Buffer | Slice)[]): Promise<Content> {
  const pieces: Piece[] = [];
  let size = 0;
  for (const part of parts) {
    pieces.push({ part, start: size });
    size += Buffer.isBuffer(part) ? part.length : part.size;
  }
  const stream = new SplicedContent(pieces, size);
  return size <= smallBytes ? contentOf(await stream.read(0, size)) : stream;
}

/** Exactly these octets. Throws WireError `STORE_CONTENT_SHORT` when the content ends before. */
export async function readExactly(
  content: Content,
  offset: number,
  length: number,
): Promise<Buffer> {
  const first = await content.read(offset, length);
  if (first.length === length) return first;
  const pieces = [first];
  let read = first.length;
  while (read < length) {
    const piece = await content.read(offset + read, length - read);
    if (piece.length === 0) throw new WireError('STORE_CONTENT_SHORT', 'content ends too early');
    pieces.push(piece);
    read += piece.length;
  }
  return Buffer.concat(pieces);
}

interface Piece {
  readonly part: Buffer | Slice;
  /** Where it begins in the whole. */
  readonly start: number;
}

class SplicedContent implements Content {
  readonly size: number;
  readonly #pieces: readonly Piece[];

  constructor(pieces: readonly Piece[], size: number) {
    this.#pieces = pieces;
    this.size = size;
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const end = Math.min(offset + length, this.size);
    const found: Buffer[] = [];
    for (const { part, start } of this.#pieces) {
      const size = Buffer.isBuffer(part) ? part.length : part.size;
      const from = Math.max(offset, start) - start;
      const to = Math.min(end, start + size) - start;
      if (from >= to) continue;
      if (Buffer.isBuffer(part)) found.push(part.subarray(from, to));
      else found.push(await readExactly(part.content, part.offset + from, to - from));
    }
    return found.length === 1 ? found[0]! : Buffer.concat(found);
  }
}
