/** The shard of an account: fixed for ever, because rows and leases are stored by it. */

/** How many shards there are. */
export const shardCount = 4096;

/**
 * FNV-1a of 32 bits over the UTF-8 octets of the account, its halves folded, modulo 4096:
 * `(h ^ (h >>> 16)) & 0xfff`. FNV's low bits alone depend only on the low bits of the octets.
 */
export function shardOf(account: string): number {
  let hash = 0x811c9dc5;
  for (const octet of Buffer.from(account, 'utf8')) {
    hash = Math.imul(hash ^ octet, 0x01000193) >>> 0;
  }
  return (hash ^ (hash >>> 16)) & 0xfff;
}
