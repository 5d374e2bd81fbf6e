/** Which IP packet is in a frame. */

import type { Frame } from './frame.js';

/** Octets of an IP packet; `missing` of the end of its frame were not captured. */
export interface Network {
  readonly bytes: Buffer;
  readonly missing: number;
}

const ipv4 = 0x0800;
const ipv6 = 0x86dd;
/** IEEE 802.1Q, 802.1ad, and what was used before it. */
const tags = new Set([0x8100, 0x88a8, 0x9100, 0x9200]);
const tagsMax = 8;

/** Values of AF_INET6 of the systems that write BSD loopback frames. */
const families6 = new Set([10, 24, 28, 30]);

/** `none`: something else than IP, such as ARP; undefined: a link layer that is not known here. */
export function networkOf({ linkType, bytes, length }: Frame): Network | 'none' | undefined {
  const start = startOf(linkType, bytes);
  if (typeof start !== 'number') return start;
  return { bytes: bytes.subarray(start), missing: length - bytes.length };
}

function startOf(linkType: number, bytes: Buffer): number | 'none' | undefined {
  switch (linkType) {
    case 1: // ETHERNET
      return behindType(bytes, 12);
    case 113: // LINUX_SLL
      return behindType(bytes, 14);
    case 276: // LINUX_SLL2
      return behindType(bytes, 0, 20);
    case 0: // NULL, in the order of the host that captured
    case 108: // LOOP
      return behindFamily(bytes);
    case 12: // raw IP as some systems number it
    case 14:
    case 101: // RAW
    case 228: // IPV4
    case 229: // IPV6
      return bytes.length > 0 && /[46]/.test(String(bytes[0]! >> 4)) ? 0 : 'none';
    default:
      return undefined;
  }
}

/** A type of Ethernet at `at`, and perhaps tags of VLANs behind it. */
function behindType(bytes: Buffer, at: number, header = at + 2): number | 'none' {
  let typeAt = at;
  let start = header;
  for (let tag = 0; tag <= tagsMax && typeAt + 2 <= bytes.length; tag++) {
    const type = bytes.readUInt16BE(typeAt);
    if (type === ipv4 || type === ipv6) return start < bytes.length ? start : 'none';
    if (!tags.has(type)) return 'none';
    typeAt = start + 2;
    start += 4;
  }
  return 'none';
}

function behindFamily(bytes: Buffer): number | 'none' {
  if (bytes.length < 5) return 'none';
  const family = Math.min(bytes.readUInt32BE(0), bytes.readUInt32LE(0));
  return family === 2 || families6.has(family) ? 4 : 'none';
}
