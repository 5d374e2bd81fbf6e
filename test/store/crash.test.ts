import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { afterEach, beforeEach, expect, test } from 'vitest';

import type { LevelStore } from '../../src/store/level.js';
import { openLevelStore } from '../../src/store/level.js';
import { silent } from './silent.js';
import { transpileStore } from './transpile.js';

let directory: string;
let script: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'poste-restante-crash-'));
  script = await transpileStore(directory, 'test/store/child.mjs');
});

afterEach(() => rm(directory, { recursive: true }));

interface Acknowledged {
  readonly commits: Map<string, number[]>;
  readonly versions: string[];
  readonly reserved: number[];
  readonly failures: string[];
}

test('kill -9: everything acknowledged is there, versions and counters are not used again', async () => {
  const known = none();
  const data = join(directory, 'data');
  for (let round = 0; round < 4; round++) {
    const base = round * 1_000_000;
    const child = start('node', [script, data, '16', String(base), '400']);
    await listen(child, known, () => count(known) >= (round + 1) * 700 + round * 13);
    await kill(child, known);
    const store = await openLevelStore({ directory: data, durability: 'fsync', log: silent });
    await check(store, known);
    const next = await store.reserve('serials', 1);
    expect(next).toBeGreaterThan(Math.max(...known.reserved) + 2);
    known.reserved.push(next);
    await store.close();
  }
  expect(new Set(known.versions).size).toBe(known.versions.length);
  expect(new Set(known.reserved).size).toBe(known.reserved.length);
});

test('no room: acknowledged commits stay, commits work again when there is room', async () => {
  const known = none();
  const data = join(directory, 'data');
  // A log of LevelDB may grow to 160 kB, below what it keeps in memory: an append is cut off.
  const child = start('bash', [
    '-c',
    'ulimit -S -f 160; exec node "$@"',
    'bash',
    ...[script, data, '8', '0', '3000'],
  ]);
  await listen(child, known, () => known.failures.length > 20);
  expect(known.failures).toContain('STORE_UNKNOWN');
  const before = count(known);
  const lifted = start('prlimit', [`--pid=${child.pid}`, '--fsize=unlimited']);
  await once(lifted, 'exit');
  expect(lifted.exitCode).toBe(0);
  await listen(child, known, () => count(known) > before + 500);
  await kill(child, known);
  const store = await openLevelStore({ directory: data, durability: 'fsync', log: silent });
  await check(store, known);
  await store.close();
  expect(new Set(known.versions).size).toBe(known.versions.length);
  expect(new Set(known.reserved).size).toBe(known.reserved.length);
});

function none(): Acknowledged {
  return { commits: new Map(), versions: [], reserved: [], failures: [] };
}

function count(known: Acknowledged): number {
  return known.versions.length;
}

function start(command: string, parameters: string[]): ReturnType<typeof spawn> {
  return spawn(command, parameters, { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Takes down what the child tells until there is enough of it; the child goes on meanwhile. */
async function listen(
  child: ReturnType<typeof spawn>,
  known: Acknowledged,
  enough: () => boolean,
): Promise<void> {
  const lines = linesOf(child);
  while (!enough()) {
    const line = await lines.next();
    if (line.done === true) throw new Error('the child ended by itself');
    take(known, line.value);
  }
}

const iterators = new WeakMap<object, AsyncIterator<string>>();

function linesOf(child: ReturnType<typeof spawn>): AsyncIterator<string> {
  let lines = iterators.get(child);
  if (!lines) {
    lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    iterators.set(child, lines);
  }
  return lines;
}

function take(known: Acknowledged, line: string): void {
  const [word, ...rest] = line.split(' ');
  if (word === 'reserve') {
    known.reserved.push(Number(rest[0]));
    return;
  }
  if (word === 'failed') {
    known.failures.push(rest[0]!);
    return;
  }
  const [account, serial, version] = rest;
  const serials = known.commits.get(account!) ?? [];
  serials.push(Number(serial));
  known.commits.set(account!, serials);
  known.versions.push(`${account} ${version}`);
}

/** Kills without warning, and reads what it had told until then. */
async function kill(child: ReturnType<typeof spawn>, known: Acknowledged): Promise<void> {
  child.kill('SIGKILL');
  const lines = linesOf(child);
  for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
    take(known, line.value);
  }
}

async function check(store: LevelStore, known: Acknowledged): Promise<void> {
  expect(known.commits.size).toBeGreaterThan(0);
  for (const [account, serials] of known.commits) {
    for (const serial of serials) {
      const [value] = await store.get(account, [['ua', serial]]);
      expect(value, `${account} ${serial}`).toEqual({ serial, account });
      const content = (await store.content(account, serial))!;
      expect((await content.read(0, 1))[0]).toBe(serial & 0xff);
    }
    const { wakeAt } = await store.load(account);
    expect(wakeAt).toBeGreaterThan(Math.max(...serials));
    store.release(account);
  }
  const due = await store.due(Number.MAX_SAFE_INTEGER, 1000);
  expect(new Set(due).size).toBe(due.length);
  expect(due.toSorted()).toEqual([...known.commits.keys()].toSorted());
}
