/** What LevelDB says when files cannot be opened, as an error of the store. */

import { StoreError } from './store-error.js';

export function openError(cause: unknown): StoreError {
  switch (codeOf(cause)) {
    case 'LEVEL_LOCKED':
      return new StoreError('STORE_LOCKED', 'another process holds the directory', cause);
    case 'LEVEL_CORRUPTION':
      return new StoreError('STORE_DAMAGED', 'LevelDB finds its files damaged', cause);
    default:
      return new StoreError('STORE_UNAVAILABLE', 'the directory cannot be opened', cause);
  }
}

export function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
