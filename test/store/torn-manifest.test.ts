/** U1: a power cut inside a write of LevelDB's MANIFEST; its octets as a file system leaves them. */

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDatabase } from '../../src/store/maintenance.js';

const count = 200;
const headBytes = 7;

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'poste-manifest-'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

/** A store as it is while it runs, and the record that its MANIFEST gets next. */
async function interrupted(): Promise<{ directory: string; record: Buffer }> {
  const directory = join(root, 'store');
  const before = join(root, 'before');
  const database = await openDatabase(directory, true);
  for (let n = 0; n < count; n++) await database.put(key(n), Buffer.alloc(1_000, n));
  cpSync(directory, before, { recursive: true });
  await database.compactRange(key(0), key(count));
  await database.close();
  const written = readFileSync(manifestIn(directory));
  const known = readFileSync(manifestIn(before)).length;
  expect(written.length).toBeGreaterThan(known);
  const end = known + headBytes + written.readUInt16LE(known + 4);
  return { directory: before, record: written.subarray(known, end) };
}

function key(n: number): Buffer {
  return Buffer.from(`key${String(n).padStart(5, '0')}`);
}

function manifestIn(directory: string): string {
  const name = readdirSync(directory).find((one) => one.startsWith('MANIFEST'))!;
  return join(directory, name);
}

async function countIn(directory: string): Promise<number> {
  const database = await openDatabase(directory, false);
  try {
    return (await database.keys().all()).length;
  } finally {
    await database.close();
  }
}

test('cut short or filled with zeros anywhere: the store opens, and everything is there', async () => {
  const { directory, record } = await interrupted();
  const whole = readFileSync(manifestIn(directory));
  for (let kept = 0; kept < record.length; kept++) {
    for (const zeros of [0, record.length - kept]) {
      const torn = Buffer.concat([record.subarray(0, kept), Buffer.alloc(zeros)]);
      // It ends with zeros itself.
      if (torn.equals(record)) continue;
      const copy = join(root, 'copy');
      cpSync(directory, copy, { recursive: true });
      writeFileSync(manifestIn(copy), Buffer.concat([whole, torn]));
      expect(await countIn(copy), `${kept} octets and ${zeros} zeros`).toBe(count);
      rmSync(copy, { recursive: true });
    }
  }
});

test('STORE_DAMAGED: a record that counted is not taken for torn, whatever is in it', async () => {
  const { directory, record } = await interrupted();
  const path = manifestIn(directory);
  const torn = Buffer.concat([readFileSync(path), record]);
  torn.subarray(torn.length - record.length + headBytes).fill(0);
  writeFileSync(path, torn);
  // The record was durable: the log that it made needless is gone.
  for (const name of readdirSync(directory)) {
    if (name.endsWith('.log')) rmSync(join(directory, name));
  }
  await expect(openDatabase(directory, false)).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
  expect(readFileSync(path).equals(torn)).toBe(true);
});

test('STORE_DAMAGED: with whole records behind it, it is no torn end', async () => {
  const { directory, record } = await interrupted();
  const path = manifestIn(directory);
  const damaged = Buffer.concat([readFileSync(path), record, record, Buffer.alloc(9)]);
  damaged[damaged.length - record.length - 9 - 1]! ^= 1;
  writeFileSync(path, damaged);
  await expect(openDatabase(directory, false)).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
  expect(readFileSync(path).equals(damaged)).toBe(true);
});
