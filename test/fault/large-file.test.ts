/** Large contents that have a file, on a disk that loses its power, is full, or cannot sync. */

import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openLevelStore } from '../../src/store/level.js';
import { openMaintenance } from '../../src/store/maintenance.js';
import { silent } from '../store/silent.js';
import { Disk, errno, missing } from './disk.js';
import type { Cut } from './disk.js';
import { seeded } from './random.js';

const script = fileURLToPath(new URL('large-file-child.mjs', import.meta.url));
const bob = 'bob@example.org';
/** Twenty chunks behind those that are rows, and a little. */
const size = 36 * 65_536 + 777;
/** Steps in front of which the power goes; each of them takes half a second. */
const points = Number(process.env['FAULT_POINTS'] ?? 8);
const ways: readonly Cut[] = ['nothing', 'torn', 'zeros'];

let root: string;
let directory: string;
let disk: Disk;
let child: ChildProcessWithoutNullStreams;
let lines: AsyncIterator<string>;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'poste-large-file-'));
  directory = join(root, 'data');
  if (missing === undefined) disk = new Disk(directory);
});
afterEach(async () => {
  await end();
  if (missing === undefined) disk.end();
  rmSync(root, { recursive: true, force: true });
});

async function start(): Promise<void> {
  const env = { ...process.env, ...disk.env };
  child = spawn(process.execPath, [script, directory, String(size)], { env });
  lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  expect(await answer()).toBe('ready');
}

async function answer(): Promise<string> {
  const next = await lines.next();
  return String(next.value);
}

function tell(line: string): Promise<string> {
  child.stdin.write(`${line}\n`);
  return answer();
}

async function end(): Promise<void> {
  if (child?.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

function files(): string[] {
  const contents = join(directory, 'contents');
  return existsSync(contents) ? readdirSync(contents) : [];
}

/**
 * Whether the message is there: then it is whole, and else nothing of it is, after the sweep of a
 * start. It is taken away, and the store is sound before and after.
 */
async function settled(serial: number): Promise<boolean> {
  await expectSound();
  const store = await openLevelStore({ directory, durability: 'os', log: silent });
  await store.sweep(Number.MAX_SAFE_INTEGER);
  const content = await store.content(bob, serial);
  if (content) {
    const whole = await content.read(0, size);
    expect(whole.equals(Buffer.alloc(size, serial))).toBe(true);
  }
  expect(files()).toHaveLength(content ? 1 : 0);
  const { version } = await store.load(bob);
  const change = { puts: [], deletes: [['ua', serial] as const], keeps: [], drops: [serial] };
  await store.commit(bob, version, change);
  await store.sweep(1);
  await store.close();
  expect(files()).toEqual([]);
  await expectSound();
  return content !== undefined;
}

async function expectSound(): Promise<void> {
  const maintenance = await openMaintenance(directory);
  await maintenance.verify(({ code, where }) => expect.fail(`${code} ${where}`));
  await maintenance.close();
}

/** The contents with these numbers are whole, the store is sound, and there are no other files. */
async function expectKept(serials: readonly number[]): Promise<void> {
  const store = await openLevelStore({ directory, durability: 'os', log: silent });
  await store.sweep(Number.MAX_SAFE_INTEGER);
  for (const serial of serials) {
    const content = (await store.content(bob, serial))!;
    const whole = await content.read(0, size);
    expect(whole.equals(Buffer.alloc(size, serial))).toBe(true);
  }
  await store.close();
  expect(files()).toHaveLength(serials.length);
  await expectSound();
}

test.skipIf(missing).each<Cut>(['nothing', 'torn', 'zeros'])(
  `U1: the power goes after a large message was kept, and while another comes in (%s)`,
  async (how) => {
    const draw = seeded(20_261_121);
    await start();
    expect(await tell('keep 1')).toBe('kept');
    await end();
    disk.cut(how, draw);
    await start();
    expect(await tell('keep 2')).toBe('kept');
    expect(await tell('begin 3')).toBe('begun');
    await end();
    disk.cut(how, draw);
    await expectKept([1, 2]);
  },
  30_000,
);

test.skipIf(missing)(
  `U1: the power goes at ${points} steps of keeping and dropping a large message: all or nothing`,
  async () => {
    const draw = seeded(7);
    await start();
    disk.set('steps', 1_000_000);
    expect(await tell('keep 1')).toBe('kept');
    const toKeep = 1_000_000 - disk.steps;
    expect(await tell('drop 1')).toBe('dropped');
    const steps = 1_000_000 - disk.steps;
    expect(files()).toEqual([]);
    await end();
    disk.cut('nothing', draw);
    const seen = { absent: 0, whole: 0 };
    for (let point = 1; point <= points; point++) {
      await start();
      // Half of them around the end of the keeping, where everything comes together.
      const spread = Math.ceil((point * steps) / points);
      disk.set('steps', point % 2 === 0 ? spread : toKeep - 5 + point);
      const kept = await tell('keep 1');
      const dropped = kept === 'kept' ? await tell('drop 1') : undefined;
      disk.set('steps', 0);
      await end();
      disk.cut(ways[point % ways.length]!, draw);
      const isThere = await settled(1);
      disk.settle();
      if (dropped === 'dropped') expect(isThere).toBe(false);
      else if (kept === 'kept' && dropped === undefined) expect(isThere).toBe(true);
      seen[isThere ? 'whole' : 'absent']++;
    }
    expect(seen.absent).toBeGreaterThan(0);
  },
  300_000,
);

test.skipIf(missing)(
  'U1: no room for a large message: it is not kept, nothing of it stays, the next one is',
  async () => {
    await start();
    expect(await tell('keep 1')).toBe('kept');
    disk.octets(1_600_000);
    expect(await tell('keep 2')).toBe('STORE_UNAVAILABLE');
    // What it had is given back although there is no room to write that down.
    expect(files()).toHaveLength(1);
    disk.octets(undefined);
    expect(await tell('keep 3')).toBe('kept');
    await end();
    await expectKept([1, 3]);
  },
  30_000,
);

test.skipIf(missing)(
  'U1: a disk that cannot sync keeps no large message until it can',
  async () => {
    await start();
    disk.set('syncError', errno.EIO);
    expect(await tell('keep 1')).toMatch(/^STORE_UN/);
    disk.set('syncError', 0);
    expect(await tell('keep 2')).toBe('kept');
    await end();
    await expectKept([2]);
  },
  30_000,
);

test.skipIf(missing)(
  'U1: octets whose sync has failed are never trusted again, however often the end is asked for',
  async () => {
    await start();
    expect(await tell('begin 1')).toBe('begun');
    disk.set('syncError', errno.EIO);
    expect(await tell('finish 1')).toBe('STORE_UNAVAILABLE');
    disk.set('syncError', 0);
    expect(await tell('finish 1')).toBe('STORE_UNAVAILABLE');
    expect(await tell('keep 2')).toBe('kept');
    await end();
    await expectKept([2]);
  },
  30_000,
);

test.skipIf(missing)(
  'U1: every octet and every name is synced before the row that says so',
  async () => {
    await start();
    expect(await tell('keep 1')).toBe('kept');
    expect(await tell('keep 2')).toBe('kept');
    await end();
    const done = disk.journal();
    for (const file of files()) {
      const name = `contents/${file}`;
      const whole = statSync(join(directory, name)).size;
      const made = done.indexOf(`C ${name}`);
      const synced = done.lastIndexOf(`S ${name} ${whole}`);
      const named = done.indexOf('D', synced);
      const told = done.findIndex((line, at) => at > named && /^S \d+\.log /.test(line));
      expect(made).toBeGreaterThan(done.indexOf('C contents'));
      expect(done.slice(0, made).some((line) => /^S \d+\.log /.test(line))).toBe(true);
      expect([made, synced, named, told].every((at) => at >= 0)).toBe(true);
      expect([made, synced, named, told]).toEqual(
        [made, synced, named, told].sort((a, b) => a - b),
      );
    }
    expect(files()).toHaveLength(2);
    // The directory itself has its name before any file has one in it.
    expect(done.indexOf('D', done.indexOf('C contents'))).toBeLessThan(
      done.findIndex((line) => line.startsWith('C contents/')),
    );
  },
  30_000,
);
