/** Contents of messages to send: octets in memory, a file, or one behind the other. */

import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { Content } from '../ports.js';

/** Octets as they are, anything else as it says. */
export function contentOf(content: Buffer | Content): Content {
  if (!Buffer.isBuffer(content)) return content;
  return {
    size: content.length,
    read: (offset, length) => content.subarray(offset, offset + length),
  };
}

/** `head`, then the content. */
export function prefixed(head: Buffer, content: Content): Content {
  return {
    size: head.length + content.size,
    read: (offset, length) =>
      offset < head.length
        ? head.subarray(offset, offset + length)
        : content.read(offset - head.length, length),
  };
}

/** Tells of every piece that is read. */
export function watched(content: Content, onRead: () => void): Content {
  return {
    size: content.size,
    read: (offset, length) => {
      onRead();
      return content.read(offset, length);
    },
  };
}

/** A file that is read piece by piece; it must not change meanwhile. */
export class FileContent implements Content {
  readonly size: number;
  readonly #file: FileHandle;

  private constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.size = size;
  }

  /** Rejects with the error of the system when the file cannot be opened. */
  static async open(path: string): Promise<FileContent> {
    const file = await open(path, 'r');
    const { size } = await file.stat();
    return new FileContent(file, size);
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const wanted = Math.min(length, this.size - offset);
    const { bytesRead, buffer } = await this.#file.read(
      Buffer.allocUnsafe(wanted),
      0,
      wanted,
      offset,
    );
    return buffer.subarray(0, bytesRead);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
