/**
 * Records of the store: `crc32 u32 | schema u8 | body`. The checksum covers the key, the schema
 * number and the body, so a value that stands under the wrong key is damage too: LevelDB checks
 * nothing when it reads. The body of a sealed record is encrypted with the data key of its account.
 */

import { crc32 } from 'node:zlib';

import { Packr, RESERVE_START_SPACE } from 'msgpackr';

import { sealBytes } from './encryption/data-key.js';
import type { DataKey } from './encryption/data-key.js';
import { StoreError } from './store-error.js';

/** Schema of records; one written by a later version is refused. */
const recordSchema = 1;
const sealedSchema = 2;

/** Octets in front of the body of a record. */
export const recordHeadBytes = 5;
const headSize = recordHeadBytes;

/** Octets of a chunk of a large content; contents up to this size stand in one record. */
export const chunkBytes = 65_536;

const packedTrue = Buffer.from([0xc3]);

// With records on, another instance cannot read the data. Octets are copied when decoded: a view
// would keep the whole record alive, or change with it.
const packr = new Packr({ useRecords: false, variableMapSize: true, copyBuffers: true });

/**
 * A record with plain data as MessagePack, sealed when a data key is given. Throws STORE_INVALID
 * for what it cannot hold.
 */
export function encodeRow(key: Buffer, value: unknown, dataKey?: DataKey): Buffer {
  if (dataKey) return encodeOctets(key, pack(value, 0), dataKey);
  // Timers and digests: every message has one.
  if (value === true) return encodeOctets(key, packedTrue);
  // The head is written in front of the body where that stands: a copy costs as much as the rest.
  const record = pack(value, RESERVE_START_SPACE + headSize);
  record[4] = recordSchema;
  record.writeUInt32BE(checksum(key, record), 0);
  return record;
}

function pack(value: unknown, options: number): Buffer {
  try {
    return packr.pack(value, options);
  } catch (error) {
    throw new StoreError('STORE_INVALID', 'a value is not plain data', error);
  }
}

/** Throws STORE_DAMAGED rather than return what was not written, STORE_KEY without its data key. */
export function decodeRow(key: Buffer, record: Buffer, dataKey?: DataKey): unknown {
  const body = decodeOctets(key, record, dataKey);
  try {
    return packr.unpack(body);
  } catch (error) {
    throw new StoreError('STORE_DAMAGED', 'a record is not MessagePack', error);
  }
}

/** A record with octets as they are, or sealed. */
export function encodeOctets(key: Buffer, octets: Buffer, dataKey?: DataKey): Buffer {
  const body = dataKey ? dataKey.seal(key, octets) : octets;
  const record = room(headSize + body.length);
  record[4] = dataKey ? sealedSchema : recordSchema;
  body.copy(record, headSize);
  record.writeUInt32BE(checksum(key, record), 0);
  return record;
}

/** Makes a record of octets that stand behind room for its head, without a copy. */
export function frameOctets(key: Buffer, record: Buffer): void {
  record[4] = recordSchema;
  record.writeUInt32BE(checksum(key, record), 0);
}

const slabBytes = 262_144;
let slab = Buffer.alloc(0);
let slabUsed = 0;

/**
 * Memory for a record. They stand behind each other until their batch is written: one for each
 * would cost the collector of garbage more than the copy.
 */
function room(size: number): Buffer {
  if (size > slabBytes / 4) return Buffer.allocUnsafeSlow(size);
  if (slabUsed + size > slab.length) {
    slab = Buffer.allocUnsafeSlow(slabBytes);
    slabUsed = 0;
  }
  const from = slabUsed;
  slabUsed += size;
  return slab.subarray(from, slabUsed);
}

/** The octets of a record; those of one that is not sealed as a view on it. */
export function decodeOctets(key: Buffer, record: Buffer, dataKey?: DataKey): Buffer {
  const body = checkedBody(key, record);
  if (record[4] === recordSchema) return body;
  if (!dataKey) throw new StoreError('STORE_KEY', 'a record is sealed, and there is no key');
  return dataKey.open(key, body);
}

/** Octets that a record holds, checked as far as that is possible without its data key. */
export function lengthOf(key: Buffer, record: Buffer): number {
  const { length } = checkedBody(key, record);
  if (record[4] === recordSchema) return length;
  if (length < sealBytes) throw new StoreError('STORE_DAMAGED', 'a sealed record is too short');
  return length - sealBytes;
}

export function isSealed(record: Buffer): boolean {
  return record[4] === sealedSchema;
}

/** CRC32 of the key and of what stands behind the checksum. */
function checksum(key: Buffer, record: Buffer): number {
  const crc = crcOf(key, 0, -1);
  if (record.length <= shortBytes) return ~crcOf(record, 4, crc) >>> 0;
  return crc32(record.subarray(4), ~crc >>> 0);
}

/** Of so few octets a call into zlib costs more than they do. */
const shortBytes = 32;

const polynomial = 0xedb88320;
const crcTable = Int32Array.from({ length: 256 }, (_, octet) => {
  let crc = octet;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
  return crc;
});

function crcOf(octets: Buffer, from: number, begun: number): number {
  let crc = begun;
  for (let at = from; at < octets.length; at++) {
    crc = crcTable[(crc ^ octets[at]!) & 0xff]! ^ (crc >>> 8);
  }
  return crc;
}

function checkedBody(key: Buffer, record: Buffer): Buffer {
  if (record.length < headSize) throw new StoreError('STORE_DAMAGED', 'a record is too short');
  if (checksum(key, record) !== record.readUInt32BE(0)) {
    throw new StoreError('STORE_DAMAGED', 'a record fails its checksum');
  }
  if (record[4] !== recordSchema && record[4] !== sealedSchema) {
    throw new StoreError('STORE_NEWER', `a record has schema ${String(record[4])}`);
  }
  return record.subarray(headSize);
}
