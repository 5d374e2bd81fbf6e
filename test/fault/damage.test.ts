/** Flipped bits in the files of a store: found and told of, never delivered as content. */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Change } from '../../src/ports.js';
import { openLevelStore } from '../../src/store/level.js';
import type { LevelStore } from '../../src/store/level.js';
import { openMaintenance } from '../../src/store/maintenance.js';
import type { Finding } from '../../src/store/verify.js';
import { silent } from '../store/silent.js';
import { note } from './fault-log.js';
import { bodyOf, seeded } from './random.js';
import type { Draw } from './random.js';

const flips = Number(process.env['FAULT_FLIPS'] ?? 40);
const seed = Number(process.env['FAULT_SEED'] ?? 20_261_121);
const child = fileURLToPath(new URL('damage-child.mjs', import.meta.url));
const accounts = ['ada', 'bob', 'eve'];
const messages = 40;
/** Octets of the last commit: damage there cannot be told from a write that was torn. */
const lastBytes = 500;

let root: string;
/** Everything in the log, and everything in tables. */
const bases = ['log', 'tables'] as const;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'poste-damage-'));
  const store = await open(join(root, 'log'));
  await store.reserve('serials', 7);
  for (const account of accounts) {
    let { version } = await store.load(account);
    for (let serial = 1; serial <= messages; serial++) {
      version = await store.commit(account, version, changeOf(serial));
    }
  }
  await store.close();
  cpSync(join(root, 'log'), join(root, 'tables'), { recursive: true });
  await (await open(join(root, 'tables'))).close();
  await (await open(join(root, 'tables'))).close();
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

function open(directory: string): Promise<LevelStore> {
  return openLevelStore({ directory, durability: 'os', log: silent });
}

function changeOf(serial: number): Change {
  return {
    puts: [
      { key: ['ua', serial], value: { serial } },
      { key: ['actor', 'mailbox'], value: { last: serial } },
    ],
    deletes: [],
    keeps: [{ serial, content: bodyOf(serial, 300 + serial) }],
    drops: [],
  };
}

/** What came of one flipped bit: a line of the child. */
interface Outcome {
  /** The store did not open until it was mended. */
  readonly refused: string;
  readonly lost: number;
  readonly findings: readonly string[];
  /** Of reads that were refused. */
  readonly codes: readonly string[];
  readonly contents: readonly (readonly [serial: number, base64: string])[];
  readonly missing: number;
}

interface Trial {
  readonly file: string;
  readonly at: number;
  readonly length: number;
  readonly directory: string;
}

function flipped(base: string, draw: Draw): Trial[] {
  const files = filesOf(base).filter((name) => readFileSync(join(root, base, name)).length > 0);
  return Array.from({ length: flips }, (_, number) => {
    const directory = join(root, `${base}-${number}`);
    cpSync(join(root, base), directory, { recursive: true });
    const file = files[draw(files.length)]!;
    const octets = readFileSync(join(directory, file));
    const at = draw(octets.length);
    octets[at]! ^= 1 << draw(8);
    writeFileSync(join(directory, file), octets);
    return { file, at, length: octets.length, directory };
  });
}

/** The outcomes of all trials; undefined: LevelDB has ended the process rather than go on. */
function outcomesOf(trials: readonly Trial[]): (Outcome | undefined)[] {
  const outcomes: (Outcome | undefined)[] = [];
  while (outcomes.length < trials.length) {
    const directories = trials.slice(outcomes.length).map(({ directory }) => directory);
    const task = JSON.stringify({ directories, accounts, messages });
    const options = { encoding: 'utf8', maxBuffer: 2 ** 28 } as const;
    const ran = spawnSync(process.execPath, [child, task], options);
    const lines = ran.stdout.split('\n').filter((line) => line !== '');
    outcomes.push(...lines.map((line) => JSON.parse(line) as Outcome));
    if (lines.length === directories.length) break;
    expect(ran.signal, ran.stderr).toBe('SIGABRT');
    outcomes.push(undefined);
  }
  return outcomes;
}

async function missingIn(store: LevelStore): Promise<number> {
  let missing = 0;
  for (const account of accounts) {
    for (let serial = 1; serial <= messages; serial++) {
      if (!(await store.content(account, serial))) missing++;
    }
  }
  return missing;
}

/** The files that LevelDB lives by. */
function filesOf(base: string): string[] {
  return readdirSync(join(root, base)).filter((name) => /\.(log|ldb)$|^MANIFEST/.test(name));
}

test.each(bases)(
  `U1: ${flips} flipped bits, everything in the %s: nothing wrong is read, nothing is lost unseen`,
  (base) => {
    const unseen: string[] = [];
    const seen = { flips, refused: 0, damaged: 0, harmless: 0, torn: 0, aborted: 0 };
    const trials = flipped(base, seeded(seed));
    for (const [index, outcome] of outcomesOf(trials).entries()) {
      const { file, at, length } = trials[index]!;
      if (!outcome) {
        seen.aborted++;
        continue;
      }
      for (const [serial, base64] of outcome.contents) {
        expect(base64, `${file} ${at}`).toBe(bodyOf(serial, 300 + serial).toString('base64'));
      }
      for (const code of outcome.codes) expect(code).toBe('STORE_DAMAGED');
      if (outcome.refused !== '') {
        expect(outcome.refused).toMatch(/^STORE_(DAMAGED|UNAVAILABLE)$/);
        seen.refused++;
      }
      const { refused, lost, findings, missing } = outcome;
      const isSeen = refused !== '' || lost > 0 || findings.length > 0;
      if (missing === 0) seen.harmless++;
      else if (isSeen) seen.damaged++;
      else if (file.endsWith('.log') && at > length - lastBytes) seen.torn++;
      else unseen.push(`${file} at ${at} of ${length}: ${missing} missing`);
      // One flip costs what stands beside it, not the mailbox.
      expect(missing, `${file} ${at}`).toBeLessThan(accounts.length * messages);
    }
    note(`flipped bits, everything in the ${base}`, { ...seen, unseen: unseen.length });
    expect(unseen).toEqual([]);
  },
);

test('a log with a record of before that cannot be read: counters leap, and verify tells of it until it is repaired', async () => {
  const directory = join(root, 'middle');
  cpSync(join(root, 'log'), directory, { recursive: true });
  const name = filesOf('log').find((file) => file.endsWith('.log'))!;
  const octets = readFileSync(join(directory, name));
  octets[Math.floor(octets.length / 2)]! ^= 4;
  writeFileSync(join(directory, name), octets);
  const store = await open(directory);
  expect(store.stats().lostOctets).toBeGreaterThan(300);
  expect(await store.reserve('serials', 1)).toBe(8 + 2 ** 33);
  await store.close();
  expect(readdirSync(join(directory, 'lost'))).toEqual([name]);
  const again = await open(directory);
  expect(again.stats().lostOctets).toBe(0);
  await again.close();
  const maintenance = await openMaintenance(directory);
  const findings: Finding[] = [];
  await maintenance.verify((finding) => findings.push(finding));
  expect(findings.map(({ code }) => code)).toContain('STORE_DAMAGED');
  await maintenance.remove(findings.map(({ key }) => key));
  const { findings: left } = await maintenance.verify(() => undefined);
  await maintenance.close();
  expect(left).toBeLessThan(findings.length);
});

test('a log that ends in a torn record has lost nothing that was acknowledged', async () => {
  const directory = join(root, 'torn');
  cpSync(join(root, 'log'), directory, { recursive: true });
  const name = filesOf('log').find((file) => file.endsWith('.log'))!;
  const octets = readFileSync(join(directory, name));
  writeFileSync(join(directory, name), octets.subarray(0, octets.length - 100));
  const store = await open(directory);
  expect(store.stats().lostOctets).toBe(0);
  expect(await missingIn(store)).toBe(1);
  await store.close();
  expect(readdirSync(directory)).not.toContain('recovery');
});
