/** Documents in memory: for tests, and for trying out an XDMS of one's own. */

import { WireError } from '../../wire/error.js';
import type { DocumentsPort, KeptDocument } from './documents.js';

export interface MemoryDocumentsOptions {
  readonly documents: number;
}

export class MemoryDocuments implements DocumentsPort {
  readonly #kept = new Map<string, KeptDocument>();
  readonly #max: number;
  #version = 0;

  constructor({ documents }: MemoryDocumentsOptions = { documents: 10_000 }) {
    this.#max = documents;
  }

  read(xui: string, name: string): Promise<KeptDocument | undefined> {
    return Promise.resolve(this.#kept.get(keyOf(xui, name)));
  }

  write(
    xui: string,
    name: string,
    content: Buffer | undefined,
    expected: string | undefined,
  ): Promise<KeptDocument | undefined | 'stale'> {
    const key = keyOf(xui, name);
    if (this.#kept.get(key)?.etag !== expected) return Promise.resolve('stale');
    if (!content) {
      this.#kept.delete(key);
      return Promise.resolve(undefined);
    }
    if (expected === undefined && this.#kept.size >= this.#max) {
      return Promise.reject(new WireError('XCAP_FULL', 'there is room for no more documents', 507));
    }
    const kept = { content, etag: `${++this.#version}` };
    this.#kept.set(key, kept);
    return Promise.resolve(kept);
  }
}

function keyOf(xui: string, name: string): string {
  return JSON.stringify([xui, name]);
}
