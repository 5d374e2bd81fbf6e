/** AES-256-GCM over the records of one account. */

import { createCipheriv, createDecipheriv, createSecretKey, randomFillSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { StoreError } from '../store-error.js';

/** Octets of a data key. */
export const dataKeyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
/** Octets that sealing adds. */
export const sealBytes = nonceBytes + tagBytes;

/** Nonces drawn at once: asking for few random octets costs as much as asking for many. */
const drawn = Buffer.allocUnsafeSlow(256 * nonceBytes);
let used = drawn.length;

/**
 * Nonces are random: 2^32 records of one account under one key stay within what SP 800-38D 8.3
 * allows. The key of the record is authenticated, so that no record can take the place of another.
 */
export class DataKey {
  readonly #secret: KeyObject;

  constructor(secret: Buffer) {
    if (secret.length !== dataKeyBytes) {
      throw new StoreError('STORE_KEY', `a data key has ${secret.length} octets`);
    }
    this.#secret = createSecretKey(secret);
  }

  /** `nonce | ciphertext | tag` */
  seal(key: Buffer, body: Buffer): Buffer {
    const nonce = nextNonce();
    const cipher = createCipheriv('aes-256-gcm', this.#secret, nonce);
    cipher.setAAD(key);
    const ciphertext = cipher.update(body);
    cipher.final();
    return Buffer.concat([nonce, ciphertext, cipher.getAuthTag()]);
  }

  /** Throws STORE_DAMAGED for what was not sealed by this key, under this key of a record. */
  open(key: Buffer, sealed: Buffer): Buffer {
    const end = sealed.length - tagBytes;
    if (end < nonceBytes) throw new StoreError('STORE_DAMAGED', 'a sealed record is too short');
    const nonce = sealed.subarray(0, nonceBytes);
    const decipher = createDecipheriv('aes-256-gcm', this.#secret, nonce, {
      authTagLength: tagBytes,
    });
    decipher.setAAD(key);
    decipher.setAuthTag(sealed.subarray(end));
    const body = decipher.update(sealed.subarray(nonceBytes, end));
    try {
      decipher.final();
    } catch (error) {
      throw new StoreError('STORE_DAMAGED', 'a sealed record was not sealed by this key', error);
    }
    return body;
  }
}

function nextNonce(): Buffer {
  if (used === drawn.length) {
    randomFillSync(drawn);
    used = 0;
  }
  const nonce = Buffer.from(drawn.subarray(used, used + nonceBytes));
  used += nonceBytes;
  return nonce;
}
