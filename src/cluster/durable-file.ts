/** Small files that say how a directory is divided. */

import { open, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The file as a whole or not at all, and durable when resolved. */
export async function noteDurably(directory: string, name: string, value: object): Promise<void> {
  const path = join(directory, name);
  await writeFile(`${path}.new`, `${JSON.stringify(value)}\n`, { flush: true });
  await rename(`${path}.new`, path);
  await syncDirectory(directory);
}

/** Names that were made or removed there survive a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
