/** Records of LevelDB's logs, of which its MANIFEST is one (`doc/log_format.md` there). */

const blockBytes = 32_768;
export const headBytes = 7;
/** FULL, FIRST, MIDDLE, LAST. */
const typeMax = 4;

/** Where the block ends in which that place is. */
export function blockEndAt(log: Buffer, at: number): number {
  return Math.min((Math.floor(at / blockBytes) + 1) * blockBytes, log.length);
}

/** Where the record ends that begins here; undefined when it is not whole. */
export function recordEnd(log: Buffer, at: number): number | undefined {
  const blockEnd = blockEndAt(log, at);
  if (blockEnd - at < headBytes) return undefined;
  const type = log[at + 6]!;
  const end = at + headBytes + log.readUInt16LE(at + 4);
  if (type === 0 || type > typeMax || end > blockEnd) return undefined;
  return masked(crc32c(log, at + 6, end)) === log.readUInt32LE(at) ? end : undefined;
}

/** LevelDB masks checksums that are stored beside what they are of. */
function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

const table = Uint32Array.from({ length: 256 }, (_, octet) => {
  let crc = octet;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc >>> 0;
});

/** Castagnoli; node:zlib has the other polynomial. */
function crc32c(octets: Buffer, from: number, to: number): number {
  let crc = 0xffffffff;
  for (let at = from; at < to; at++) crc = table[(crc ^ octets[at]!) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
