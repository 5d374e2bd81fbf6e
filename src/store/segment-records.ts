/**
 * Where the octets of large contents are. Their first chunks are rows; the others are records of
 * the same form in a file beside LevelDB, `contents/<number of the upload>`, each in a slot of its
 * own: LevelDB writes every octet two to three times, a file once (ADR 0022).
 */

import { open, readdir } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

import { sealBytes } from './encryption/data-key.js';
import { codeOf } from './level-error.js';
import { decodeKey, encodeKey } from './keys.js';
import type { StoreKey } from './keys.js';
import { chunkBytes, isSealed, recordHeadBytes } from './rows.js';
import { StoreError } from './store-error.js';
import type { Entry } from './table.js';

/** Chunks of a content that are rows; the others are in its file. Part of the format. */
export const rowChunks = 16;
/** Octets between the beginnings of two records: room for one that is sealed. */
export const slotBytes = recordHeadBytes + chunkBytes + sealBytes;

/** Slots read at a time. */
const slotsAtOnce = 16;
const nameForm = /^[1-9]\d{0,15}$/;

/** Apart from LevelDB's own, all of which it reads the names of whenever it has made a table. */
export function contentsPath(directory: string): string {
  return join(directory, 'contents');
}

export function segmentPath(directory: string, number: number): string {
  return join(contentsPath(directory), String(number));
}

export function slotStart(index: number): number {
  return (index - rowChunks) * slotBytes;
}

export function recordBytes(octets: number, sealed: boolean): number {
  return recordHeadBytes + octets + (sealed ? sealBytes : 0);
}

/** The record in a slot, which may be longer than its record. */
export function recordIn(slot: Buffer): Buffer {
  return isSealed(slot) ? slot : slot.subarray(0, recordHeadBytes + chunkBytes);
}

/** Numbers of the uploads that have a file. */
export async function segmentNumbers(directory: string): Promise<number[]> {
  try {
    const names = await readdir(contentsPath(directory));
    return names.filter((name) => nameForm.test(name)).map(Number);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** As entries, in order; none when there is no such file, or not any more. */
export async function* segmentRecords(directory: string, number: number): AsyncGenerator<Entry> {
  const file = await openSegment(directory, number);
  if (!file) return;
  try {
    for (let index = rowChunks; ; index += slotsAtOnce) {
      const slots = await readSlots(file, index, slotsAtOnce);
      for (let at = 0; at < slots.length; at += slotBytes) {
        const key = encodeKey(['chunk', number, index + at / slotBytes]);
        yield { key, value: recordIn(slots.subarray(at, at + slotBytes)) };
      }
      if (slots.length < slotsAtOnce * slotBytes) return;
    }
  } finally {
    await file.close();
  }
}

/** The record of a chunk that is in a file; undefined for any other key. */
export async function segmentRecord(directory: string, key: Buffer): Promise<Buffer | undefined> {
  const decoded = knownKey(key);
  if (decoded?.[0] !== 'chunk' || decoded[2] < rowChunks) return undefined;
  const file = await openSegment(directory, decoded[1]);
  if (!file) return undefined;
  try {
    const slot = await readSlots(file, decoded[2], 1);
    return slot.length === 0 ? undefined : recordIn(slot);
  } finally {
    await file.close();
  }
}

/**
 * The entries of a table in their order, with those of the files in between. Files of uploads that
 * no commit has kept stay out: they may be half written, and nobody was told of them.
 */
export async function* withSegments(
  directory: string,
  entries: AsyncIterable<Entry>,
): AsyncGenerator<Entry> {
  const uploads = new Set<number>();
  for await (const entry of entries) {
    yield entry;
    const upload = uploadOf(entry.key);
    if (upload !== undefined) uploads.add(upload);
    const number = numberBefore(entry.key);
    if (number === undefined || uploads.has(number)) continue;
    yield* segmentRecords(directory, number);
  }
}

/** Rows of uploads stand in front of all chunks. */
function uploadOf(key: Buffer): number | undefined {
  const decoded = knownKey(key);
  return decoded?.[0] === 'upload' ? decoded[2] : undefined;
}

/** The number of the file whose records are next behind this key, if there is one. */
export function numberBefore(key: Buffer): number | undefined {
  if (key.length < 4 || key.readUInt32BE(key.length - 4) !== rowChunks - 1) return undefined;
  const decoded = knownKey(key);
  return decoded?.[0] === 'chunk' ? decoded[1] : undefined;
}

function knownKey(key: Buffer): StoreKey | undefined {
  try {
    return decodeKey(key);
  } catch (error) {
    if (error instanceof StoreError) return undefined;
    throw error;
  }
}

export async function openSegment(
  directory: string,
  number: number,
): Promise<FileHandle | undefined> {
  try {
    return await open(segmentPath(directory, number), 'r');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new StoreError('STORE_UNAVAILABLE', 'a file of contents cannot be opened', error);
  }
}

/** Shorter only at the end of the file. */
export async function readSlots(file: FileHandle, index: number, count: number): Promise<Buffer> {
  const slots = Buffer.allocUnsafeSlow(count * slotBytes);
  let length = 0;
  try {
    while (length < slots.length) {
      const rest = slots.length - length;
      const { bytesRead } = await file.read(slots, length, rest, slotStart(index) + length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
  } catch (error) {
    throw new StoreError('STORE_UNAVAILABLE', 'a file of contents cannot be read', error);
  }
  return slots.subarray(0, length);
}
