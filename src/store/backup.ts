/**
 * A store as one stream of octets: a first line, every record, and an end with their number and the
 * hash of everything in front of it, so that a copy that was cut off is told from a whole one.
 *
 *     poste-restante backup 1 LF
 *     key length u32 | value length u32 | key | value      for every record
 *     0 u32 | 40 u32 | records u64 | SHA-256               the end
 */

import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { OctetReader } from './octet-reader.js';
import { StoreError } from './store-error.js';
import type { Entry, Operation } from './table.js';

const firstLine = Buffer.from('poste-restante backup 1\n');
const endBytes = 40;
/** Octets that are put together before they are handed on. */
const pieceBytes = 262_144;
/** Octets of one key and of one value at most: more is no backup of ours. */
const keyMax = 65_536;
const valueMax = 16_777_216;

/** The entries have to be those of one moment. */
export async function* writeBackup(entries: AsyncIterable<Entry>): AsyncGenerator<Buffer> {
  const hash = createHash('sha256').update(firstLine);
  let pieces: Buffer[] = [firstLine];
  let size = firstLine.length;
  let records = 0;
  for await (const { key, value } of entries) {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(key.length, 0);
    head.writeUInt32BE(value.length, 4);
    pieces.push(head, key, value);
    hash.update(head).update(key).update(value);
    size += 8 + key.length + value.length;
    records++;
    if (size < pieceBytes) continue;
    yield Buffer.concat(pieces, size);
    pieces = [];
    size = 0;
  }
  pieces.push(endOf(records, hash));
  yield Buffer.concat(pieces);
}

function endOf(records: number, hash: Hash): Buffer {
  const end = Buffer.alloc(16);
  end.writeUInt32BE(endBytes, 4);
  end.writeBigUInt64BE(BigInt(records), 8);
  return Buffer.concat([end, hash.update(end).digest()]);
}

/**
 * The records of a backup. Throws `STORE_INVALID` for what is none, and `STORE_DAMAGED` when it is
 * cut off or altered, which is certain only at its end.
 */
export async function* readBackup(octets: AsyncIterable<Uint8Array>): AsyncGenerator<Operation> {
  const reader = new OctetReader(octets);
  const hash = createHash('sha256');
  const line = await reader.take(firstLine.length);
  if (!line?.equals(firstLine)) throw new StoreError('STORE_INVALID', 'this is no backup');
  hash.update(line);
  for (let records = 0; ; records++) {
    const head = await reader.take(8);
    if (!head) throw cutOff();
    const keyLength = head.readUInt32BE(0);
    const valueLength = head.readUInt32BE(4);
    if (keyLength === 0 && valueLength === endBytes) {
      await readEnd(reader, hash.update(head), records);
      return;
    }
    if (keyLength === 0 || keyLength > keyMax || valueLength > valueMax) {
      throw new StoreError('STORE_DAMAGED', 'a record of the backup has an impossible length');
    }
    const record = await reader.take(keyLength + valueLength);
    if (!record) throw cutOff();
    hash.update(head).update(record);
    yield { key: record.subarray(0, keyLength), value: record.subarray(keyLength) };
  }
}

async function readEnd(reader: OctetReader, hash: Hash, records: number): Promise<void> {
  const count = await reader.take(8);
  const digest = await reader.take(32);
  if (!count || !digest) throw cutOff();
  const expected = hash.update(count).digest();
  if (count.readBigUInt64BE(0) !== BigInt(records) || !digest.equals(expected)) {
    throw new StoreError('STORE_DAMAGED', 'the backup was altered');
  }
  if (await reader.take(1)) throw new StoreError('STORE_DAMAGED', 'the backup does not end');
}

function cutOff(): StoreError {
  return new StoreError('STORE_DAMAGED', 'the backup is cut off');
}
