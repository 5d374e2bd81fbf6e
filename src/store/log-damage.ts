/**
 * Damage in the log of LevelDB, which skips what it cannot read there and says so in a file of its
 * own alone. The logs are kept beside until it is known whether anything of them was lost.
 */

import { link, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from './level-error.js';
import { blockEndAt, headBytes, recordEnd } from './log-format.js';

const keptName = 'recovery';
const lostName = 'lost';

/** Links the logs, before LevelDB reads them and removes them. */
export async function keepLogs(directory: string): Promise<void> {
  const kept = join(directory, keptName);
  await rm(kept, { recursive: true, force: true });
  const logs = (await namesIn(directory)).filter((name) => name.endsWith('.log'));
  if (logs.length === 0) return;
  await mkdir(kept);
  for (const name of logs) await link(join(directory, name), join(kept, name));
}

/**
 * Octets of logs that LevelDB has not been able to read although others stand behind them: writes
 * that were durable. Such logs stay in `lost`. A damaged end is a torn write, which nobody was told
 * of, or cannot be told from one.
 */
export async function judgeLogs(directory: string): Promise<number> {
  const kept = join(directory, keptName);
  let lost = 0;
  if (await hasDropped(directory)) {
    for (const name of await namesIn(kept)) {
      const octets = lostIn(await readFile(join(kept, name)));
      if (octets === 0) continue;
      lost += octets;
      await mkdir(join(directory, lostName), { recursive: true });
      await rename(join(kept, name), join(directory, lostName, name));
    }
  }
  await rm(kept, { recursive: true, force: true });
  return lost;
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** What LevelDB tells of the opening that has just been. */
async function hasDropped(directory: string): Promise<boolean> {
  const text = await readFile(join(directory, 'LOG'), 'latin1').catch((error: unknown) => {
    // Who cannot know looks.
    if (codeOf(error) === 'ENOENT') return 'dropping';
    throw error;
  });
  return text.includes('dropping');
}

/** Octets between whole records that belong to none. */
export function lostIn(log: Buffer): number {
  let lost = 0;
  let damagedAt: number | undefined;
  for (let at = 0; at < log.length;) {
    const blockEnd = blockEndAt(log, at);
    const end = recordEnd(log, at);
    if (end !== undefined) {
      if (damagedAt !== undefined) lost += at - damagedAt;
      damagedAt = undefined;
      at = end;
    } else if (blockEnd - at < headBytes) {
      at = blockEnd;
    } else {
      damagedAt ??= at;
      at++;
    }
  }
  return lost;
}
