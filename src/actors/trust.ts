/** Which peers are trusted to assert identities (RFC 3325 section 3). */

import assert from 'node:assert';
import { BlockList, isIP } from 'node:net';
import type { Peer } from '../ports.js';

const remembered = 1_024;

export interface TrustOptions {
  /** CIDR blocks. */
  readonly peers: readonly string[];
  /** Domains that a certificate has to prove; `*.example.net` stands for one label. */
  readonly names: readonly string[];
}

/** Answers whether a peer is trusted: by its address, or by the certificate it has shown. */
export function createTrust({ peers, names }: TrustOptions): (peer: Peer) => boolean {
  const isTrustedAddress = createAddressTrust(peers);
  const known = new Set(names.map((name) => name.toLowerCase()));
  return (peer) => {
    if (isTrustedAddress(peer.address)) return true;
    return peer.names?.some((name) => isNamed(known, name.toLowerCase())) ?? false;
  };
}

function isNamed(known: ReadonlySet<string>, name: string): boolean {
  if (known.has(name)) return true;
  const dot = name.indexOf('.');
  return dot > 0 && known.has(`*${name.slice(dot)}`);
}

function createAddressTrust(blocks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const block of blocks) addBlock(list, block);
  const known = new Map<string, boolean>();
  return (address) => {
    const before = known.get(address);
    if (before !== undefined) return before;
    const trusted = isInside(list, address);
    // The same few peers send nearly everything, so the table may simply begin anew when full.
    if (known.size >= remembered) known.clear();
    known.set(address, trusted);
    return trusted;
  };
}

function addBlock(list: BlockList, block: string): void {
  const [network, prefix] = block.split('/');
  assert(network !== undefined && isIP(network) !== 0, `no CIDR block: ${block}`);
  const family = isIP(network) === 4 ? 'ipv4' : 'ipv6';
  const length = prefix === undefined ? (family === 'ipv4' ? 32 : 128) : Number(prefix);
  list.addSubnet(network, length, family);
}

function isInside(list: BlockList, address: string): boolean {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address;
  const family = isIP(plain);
  if (family === 0) return false;
  return list.check(plain, family === 4 ? 'ipv4' : 'ipv6');
}
