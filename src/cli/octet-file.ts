/** Octets written to a file, whole or not at all; `-` is standard output. */

import { createWriteStream } from 'node:fs';
import { rename, unlink } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

/** What is cut off leaves no file behind. */
export async function writeOctets(octets: AsyncIterable<Buffer>, file: string): Promise<void> {
  if (file === '-') {
    await pipeline(octets, process.stdout, { end: false });
    return;
  }
  const part = `${file}.part`;
  try {
    await pipeline(octets, createWriteStream(part, { mode: 0o600, flush: true }));
  } catch (error) {
    await unlink(part).catch(() => undefined); // there may be no file at all
    throw error;
  }
  await rename(part, file);
}
