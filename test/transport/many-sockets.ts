/**
 * Tests that need nearly all sockets a process may have take turns: files run beside each other, in
 * threads of one process.
 */

import { mkdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

/** Between two attempts to have the turn, in ms. */
const againMs = 50;

export async function withManySockets(work: () => Promise<void>): Promise<void> {
  const turn = join(tmpdir(), `poste-many-sockets-${process.pid}`);
  while (!taken(turn)) await setTimeout(againMs);
  try {
    await work();
  } finally {
    rmdirSync(turn);
  }
}

/** Making a directory is something that only one can do. */
function taken(turn: string): boolean {
  try {
    mkdirSync(turn);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
