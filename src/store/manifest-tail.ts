/**
 * The end of a MANIFEST after a power cut. LevelDB passes over a record that is cut short, but does
 * not open when its length is there and some of its octets are zeros, as file systems leave them
 * that write lengths first. Nothing follows from a record before it is synced, so it may go.
 */

import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from './level-error.js';
import { blockEndAt, headBytes, recordEnd } from './log-format.js';
import { lostIn } from './log-damage.js';

/**
 * Opens a database; where LevelDB finds damage a torn end of the MANIFEST is cut off, and it is opened
 * again. Only then, for nobody else holds the directory then.
 */
export async function openUntorn<Database>(
  directory: string,
  open: () => Promise<Database>,
): Promise<Database> {
  try {
    return await open();
  } catch (error) {
    const isDamaged = codeOf(error) === 'STORE_DAMAGED';
    if (!isDamaged || (await cutManifest(directory)) === 0) throw error;
    return open();
  }
}

/** Returns how many octets a torn end had. What looks like damage stays as it is. */
async function cutManifest(directory: string): Promise<number> {
  const path = await currentManifest(directory);
  if (path === undefined) return 0;
  const manifest = await readFile(path);
  const { whole, records } = wholeRecords(manifest);
  if (whole === manifest.length || manifest.at(-1) !== 0 || lostIn(manifest) > 0) return 0;
  // A record that counted had a log removed: without it the one before would be looked for in vain.
  const log = logNumberOf(records);
  const names = await readdir(directory);
  if (!names.some((name) => name.endsWith('.log') && Number.parseInt(name) === log)) return 0;
  const file = await open(path, 'r+');
  try {
    await file.truncate(whole);
    await file.sync();
  } finally {
    await file.close();
  }
  return manifest.length - whole;
}

async function currentManifest(directory: string): Promise<string | undefined> {
  try {
    const name = (await readFile(join(directory, 'CURRENT'), 'latin1')).trim();
    // Anything else is for LevelDB to complain of.
    return /^MANIFEST-\d+$/.test(name) ? join(directory, name) : undefined;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** The records up to the first one that is not whole, and where that begins. */
function wholeRecords(manifest: Buffer): { whole: number; records: Buffer[] } {
  const records: Buffer[] = [];
  const pieces: Buffer[] = [];
  let at = 0;
  for (;;) {
    const end = recordEnd(manifest, at);
    if (end === undefined) {
      const blockEnd = blockEndAt(manifest, at);
      const isTrailer = blockEnd - at < headBytes && blockEnd < manifest.length;
      if (!isTrailer) return { whole: at, records };
      at = blockEnd;
      continue;
    }
    pieces.push(manifest.subarray(at + headBytes, end));
    const type = manifest[at + 6];
    if (type === full || type === last) records.push(Buffer.concat(pieces.splice(0)));
    at = end;
  }
}

const full = 1;
const last = 4;

/** What a field of a VersionEdit consists of, by its tag: numbers, and octets with their length. */
const fields = new Map<number, readonly ('number' | 'octets')[]>([
  [1, ['octets']],
  [2, ['number']],
  [3, ['number']],
  [4, ['number']],
  [5, ['number', 'octets']],
  [6, ['number', 'number']],
  [7, ['number', 'number', 'number', 'octets', 'octets']],
  [9, ['number']],
]);
const logNumber = 2;

/** The log that is read back first; undefined when that cannot be told. */
function logNumberOf(records: readonly Buffer[]): number | undefined {
  let found: number | undefined;
  for (const record of records) {
    let at = 0;
    const next = (): number => {
      let value = 0;
      for (let scale = 1; ; scale *= 128) {
        const octet = record[at++] ?? 0;
        value += (octet & 127) * scale;
        if (octet < 128) return value;
      }
    };
    while (at < record.length) {
      const tag = next();
      const parts = fields.get(tag);
      if (!parts) return undefined;
      for (const part of parts) {
        const value = next();
        if (part === 'octets') at += value;
        else if (tag === logNumber) found = value;
      }
    }
  }
  return found;
}
