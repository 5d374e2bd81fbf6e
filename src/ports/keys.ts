/** Keys that wrap the keys of accounts (envelope encryption). Part of `ports.ts`. */

/**
 * Holds the keys that the store does not hold: a file, a key management service, a hardware module.
 * Every account has a data key of its own, which is kept in the store as this wraps it.
 */
export interface KeyProvider {
  /** Name of the key that wraps from now on; kept beside what it has wrapped. */
  readonly current: string;
  /** Wraps the 32 octets of a data key with the current key. */
  wrap(dataKey: Buffer): Promise<Buffer>;
  /** Undefined: there is no key of this name. Rejects when it cannot be asked, or `wrapped` lies. */
  unwrap(name: string, wrapped: Buffer): Promise<Buffer | undefined>;
}
