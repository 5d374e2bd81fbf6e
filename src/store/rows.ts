/**
 * Records of the store: `crc32 u32 | schema u8 | body`. The checksum covers the key, the schema
 * number and the body, so a value that stands under the wrong key is damage too: LevelDB checks
 * nothing when it reads.
 */

import { crc32 } from 'node:zlib';

import { Packr } from 'msgpackr';

import { StoreError } from './store-error.js';

/** Schema of records; one written by a later version is refused. */
const recordSchema = 1;

/** Octets in front of the body of a record. */
const headSize = 5;

// With records on, another instance cannot read the data. Octets are copied when decoded: a view
// would keep the whole record alive, or change with it.
const packr = new Packr({ useRecords: false, variableMapSize: true, copyBuffers: true });

/** A record with plain data as MessagePack. Throws STORE_INVALID for what it cannot hold. */
export function encodeRow(key: Buffer, value: unknown): Buffer {
  let body: Buffer;
  try {
    body = packr.pack(value);
  } catch (error) {
    throw new StoreError('STORE_INVALID', 'a value is not plain data', error);
  }
  return encodeOctets(key, body);
}

/** Throws STORE_DAMAGED rather than return what was not written. */
export function decodeRow(key: Buffer, record: Buffer): unknown {
  const body = decodeOctets(key, record);
  try {
    return packr.unpack(body);
  } catch (error) {
    throw new StoreError('STORE_DAMAGED', 'a record is not MessagePack', error);
  }
}

/** A record with octets as they are. */
export function encodeOctets(key: Buffer, body: Buffer): Buffer {
  const record = Buffer.allocUnsafe(headSize + body.length);
  record[4] = recordSchema;
  body.copy(record, headSize);
  record.writeUInt32BE(crc32(record.subarray(4), crc32(key)), 0);
  return record;
}

/** The octets of a record, as a view on it. */
export function decodeOctets(key: Buffer, record: Buffer): Buffer {
  if (record.length < headSize) throw new StoreError('STORE_DAMAGED', 'a record is too short');
  if (crc32(record.subarray(4), crc32(key)) !== record.readUInt32BE(0)) {
    throw new StoreError('STORE_DAMAGED', 'a record fails its checksum');
  }
  if (record[4] !== recordSchema) {
    throw new StoreError('STORE_NEWER', `a record has schema ${String(record[4])}`);
  }
  return record.subarray(headSize);
}
