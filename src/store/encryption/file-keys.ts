/** Wrapping keys out of files: the provider that comes with the server. */

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { KeyProvider } from '../../ports.js';
import { StoreError } from '../store-error.js';

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

/**
 * `keys` by name, each the text of a file: 32 octets in base64, as `openssl rand -base64 32` writes
 * them. Throws STORE_KEY for any other, and when the current one is not among them.
 */
export function createFileKeys(keys: ReadonlyMap<string, string>, current: string): KeyProvider {
  const secrets = new Map<string, Buffer>();
  for (const [name, text] of keys) {
    const secret = Buffer.from(text.trim(), 'base64');
    if (secret.length !== keyBytes) {
      throw new StoreError('STORE_KEY', `the key "${name}" is not 32 octets in base64`);
    }
    secrets.set(name, secret);
  }
  const wrapping = secrets.get(current);
  if (!wrapping) throw new StoreError('STORE_KEY', `the current key "${current}" is not given`);
  return {
    current,
    wrap: (dataKey) => Promise.resolve(wrap(wrapping, current, dataKey)),
    unwrap: (name, wrapped) => {
      const secret = secrets.get(name);
      // Asynchronous for the interface; a throw becomes a rejection.
      return Promise.resolve().then(() => secret && unwrap(secret, name, wrapped));
    },
  };
}

function wrap(secret: Buffer, name: string, dataKey: Buffer): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', secret, nonce);
  cipher.setAAD(Buffer.from(name));
  return Buffer.concat([nonce, cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]);
}

function unwrap(secret: Buffer, name: string, wrapped: Buffer): Buffer {
  const end = wrapped.length - tagBytes;
  const nonce = wrapped.subarray(0, nonceBytes);
  const decipher = createDecipheriv('aes-256-gcm', secret, nonce, { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(name));
  decipher.setAuthTag(wrapped.subarray(end));
  return Buffer.concat([decipher.update(wrapped.subarray(nonceBytes, end)), decipher.final()]);
}
