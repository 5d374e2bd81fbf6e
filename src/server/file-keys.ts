/** The wrapping keys that the settings name. */

import type { Settings } from '../config.js';
import type { KeyProvider } from '../ports.js';
import { createFileKeys } from '../store/encryption/file-keys.js';
import { readPem } from './pem-file.js';

/** Undefined: nothing is sealed. Throws ConfigError `CONFIG_UNREADABLE` and StoreError `STORE_KEY`. */
export function fileKeysOf({ encryption }: Settings['store']): KeyProvider | undefined {
  if (!encryption) return undefined;
  const texts = Object.entries(encryption.keys).map(
    ([name, path]) => [name, readPem(path).toString('latin1')] as const,
  );
  return createFileKeys(new Map(texts), encryption.current);
}
