/**
 * Backups of several stores as one stream of octets, for a directory that is divided:
 *
 *     poste-restante stores 1 LF
 *     name length u32 | name | (piece length u32 | piece)… | 0 u32      for every store
 *     0 u32                                                             the end
 *
 * The pieces of a store are its backup, which proves itself.
 */

import { OctetReader } from './octet-reader.js';
import { StoreError } from './store-error.js';

const firstLine = Buffer.from('poste-restante stores 1\n');
const nothing = Buffer.alloc(4);
/** Octets of a name and of a piece at most: more is no backup of ours. */
const nameMax = 255;
const pieceMax = 67_108_864;
/** Names of front and shards: nothing that leads out of a directory. */
const nameForm = /^(?:front|shard-\d{1,2})$/;

export interface NamedBackup {
  readonly name: string;
  readonly octets: AsyncIterable<Buffer>;
}

export async function* writeBackupSet(
  stores: Iterable<NamedBackup> | AsyncIterable<NamedBackup>,
): AsyncGenerator<Buffer> {
  yield firstLine;
  for await (const { name, octets } of stores) {
    yield framed(Buffer.from(name));
    for await (const piece of octets) if (piece.length > 0) yield framed(piece);
    yield nothing;
  }
  yield nothing;
}

function framed(piece: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(piece.length, 0);
  return Buffer.concat([head, piece]);
}

/** What a stream begins with tells which it is; what was read of it comes again. */
export async function isBackupSet(
  octets: AsyncIterable<Uint8Array>,
): Promise<{ readonly isSet: boolean; readonly reader: OctetReader }> {
  const reader = new OctetReader(octets);
  const line = await reader.peek(firstLine.length);
  return { isSet: line?.equals(firstLine) === true, reader };
}

/**
 * Calls `restore` for the backup of each store, which it has to read to its end. Throws
 * `STORE_DAMAGED` for what is cut off.
 */
export async function readBackupSet(
  reader: OctetReader,
  restore: (name: string, octets: AsyncIterable<Buffer>) => Promise<void>,
): Promise<void> {
  await reader.take(firstLine.length);
  for (;;) {
    const name = await piece(reader, nameMax);
    if (!name) break;
    const text = name.toString('latin1');
    if (!nameForm.test(text)) throw new StoreError('STORE_DAMAGED', 'a store has no name of ours');
    await restore(text, piecesOf(reader));
  }
  if (await reader.take(1)) throw new StoreError('STORE_DAMAGED', 'the backup does not end');
}

async function* piecesOf(reader: OctetReader): AsyncGenerator<Buffer> {
  for (;;) {
    const octets = await piece(reader, pieceMax);
    if (!octets) return;
    yield octets;
  }
}

async function piece(reader: OctetReader, max: number): Promise<Buffer | undefined> {
  const head = await reader.take(4);
  const length = head?.readUInt32BE(0) ?? -1;
  if (length === 0) return undefined;
  const octets = length < 0 || length > max ? undefined : await reader.take(length);
  if (!octets) throw new StoreError('STORE_DAMAGED', 'the backup is cut off');
  return octets;
}
