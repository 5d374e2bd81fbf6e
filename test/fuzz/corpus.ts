/** Inputs that earlier runs found worth keeping: they ran a block of code that nothing else ran. */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';

/** Files of one target; the corpus is replayed in every run. */
const filesMax = 80;

export function readCorpus(target: string): Buffer[] {
  const folder = folderOf(target);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => readFileSync(new URL(name, folder)));
}

export function addToCorpus(target: string, inputs: readonly Buffer[], prefix = ''): void {
  const folder = folderOf(target);
  mkdirSync(folder, { recursive: true });
  const room = prefix === '' ? Math.max(0, filesMax - readdirSync(folder).length) : Infinity;
  for (const input of inputs.slice(0, room)) {
    const name = createHash('sha256').update(input).digest('hex').slice(0, 12);
    writeFileSync(new URL(`${prefix}${name}`, folder), input);
  }
}

function folderOf(target: string): URL {
  return new URL(`corpus/${target}/`, import.meta.url);
}
