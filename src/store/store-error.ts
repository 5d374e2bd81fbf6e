/** The error of the store: what the disk, or another owner, did to a request. */

import type { StoreErrorCode } from '../ports.js';

/** `code` is stable API; the message is for the reader of a log and never carries stored data. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, hint: string, cause?: unknown) {
    super(`${code}: ${hint}`, cause === undefined ? undefined : { cause });
    this.name = 'StoreError';
    this.code = code;
  }
}
