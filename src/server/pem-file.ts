/** PEM files that settings name. */

import { readFileSync } from 'node:fs';
import { ConfigError } from '../config.js';

/** Throws ConfigError `CONFIG_UNREADABLE`. */
export function readPem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new ConfigError('CONFIG_UNREADABLE', `${path}: ${reason}`);
  }
}

/** A certificate and its key. Throws ConfigError `CONFIG_UNREADABLE`. */
export function readPemPair(files: { readonly certificate: string; readonly key: string }): {
  certificate: Buffer;
  key: Buffer;
} {
  return { certificate: readPem(files.certificate), key: readPem(files.key) };
}
