/**
 * Paths of whole accounts, found by `xstate/graph` over all their machines and the turn, played
 * through the production account on the store in memory and in LevelDB: after every input both have
 * the rows of the model, and the invariants hold. `WALKS=300` adds that many walks by chance.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StorePort } from '../../../src/ports.js';
import { openLevelStore, type LevelStore } from '../../../src/store/level.js';
import { createMemoryStore } from '../../../src/store/memory.js';
import { alphabets } from '../alphabet.js';
import { behindInput, cover, limitsOf, walks, type AccountPath } from './covering.js';
import { beginning, wordsOfInput } from './inputs.js';
import { brokenAtRest, brokenIn } from './judge.js';
import { Notes } from './noted.js';
import { comparable, Player, rowsOf } from './player.js';
import { unreachable } from './unreachable.js';

const walkCount = Number(process.env['WALKS'] ?? '10');
const walkLength = 25;

const notes = new Notes();
const directory = mkdtempSync(join(tmpdir(), 'account-paths-'));
const memory = createMemoryStore({});
let level: LevelStore;

const open = (): Promise<LevelStore> => {
  const silent = (): void => undefined;
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  return openLevelStore({ directory, durability: 'os', log });
};

beforeAll(async () => {
  level = await open();
});

afterAll(async () => {
  await level.close();
  rmSync(directory, { recursive: true });
});

const { paths, machines, states } = cover();

const isKnown = (machine: string, where: string): boolean =>
  unreachable[machine]?.[where.slice(machine.length + 1)] !== undefined;

test('the paths take every transition that an account can take', () => {
  for (const [name, { all, missed }] of machines) {
    const known = missed.filter((where) => isKnown(name, where));
    const possible = all - known.length;
    console.info(
      `${name}: ${all - missed.length} of ${possible} transitions in an account` +
        (known.length > 0 ? `, ${known.length} of ${all} out of reach` : ''),
    );
  }
  console.info(`${states} states, ${paths.length} paths`);
  const missed = [...machines].map(([name, one]) => [name, one.missed.sort()] as const);
  const expected = [...machines.keys()].map((name) => {
    const names = Object.keys(unreachable[name] ?? {});
    return [name, names.map((where) => `${name} ${where}`).sort()] as const;
  });
  expect(missed).toEqual(expected);
  expect([...machines.keys()].sort()).toEqual(alphabets.map(({ name }) => name).sort());
});

test('every path leaves the same rows in memory and in LevelDB', async () => {
  let inputs = 0;
  for (const [i, path] of paths.entries()) inputs += await play(path, `path-${i}`, [memory, level]);
  console.info(`${paths.length} paths, ${inputs} inputs in both stores`);
});

test('walks by chance do, restarts in between', { timeout: 600_000 }, async () => {
  const { paths: walked, taken } = walks(walkCount, walkLength);
  const known = [...taken].filter((where) => isKnown(where.split(' ')[0]!, where));
  expect(known).toEqual([]);
  let inputs = 0;
  for (const [i, path] of walked.entries())
    inputs += await play(path, `walk-${i}`, [memory, level]);
  const restarts = walked.flatMap((one) => one.inputs).filter(({ type }) => isRestart(type));
  console.info(`${walked.length} walks, ${inputs} inputs, ${restarts.length} restarts`);
  expect(restarts.length).toBeGreaterThan(walkCount);
});

test('LevelDB that is closed and opened again has what the store in memory has', async () => {
  await level.close();
  level = await open();
  const accounts = await level.accounts({ limit: 10_000 });
  expect(accounts.length).toBeGreaterThan(50);
  for (const account of accounts) {
    const rows = await Promise.all([memory, level].map((store) => rowsOf(store, account)));
    expect(comparable(rows[1]!)).toEqual(comparable(rows[0]!));
  }
});

test('a store that forgets a timer is found out', async () => {
  const forgetful: StorePort = {
    ...memory,
    commit: (account, version, change) => {
      const puts = change.puts.filter(({ key }) => key[0] !== 'timer');
      return memory.commit(account, version, { ...change, puts });
    },
  };
  const failed: number[] = [];
  for (const [i, path] of paths.slice(0, 20).entries()) {
    await play(path, `forgotten-${i}`, [forgetful]).catch(() => failed.push(i));
  }
  expect(failed.length).toBeGreaterThan(0);
});

/** The inputs of a path in each store; returns how many there were. */
async function play(
  { scene, inputs }: AccountPath,
  name: string,
  stores: readonly StorePort[],
): Promise<number> {
  const limits = limitsOf(scene);
  const players = await Promise.all(stores.map((store) => Player.begin(name, store, limits)));
  let state = beginning;
  for (const [i, input] of inputs.entries()) {
    const before = state;
    await Promise.all(players.map((player) => player.give(input, before)));
    state = behindInput(before, input, notes, limits);
    const where = (): string =>
      `${name}: ${inputs
        .slice(0, i + 1)
        .map(wordsOfInput)
        .join(' > ')}`;
    const wrong = brokenIn(state);
    if (wrong !== undefined) expect.fail(`${wrong} after ${where()}`);
    const expected = comparable([...state.rows.values()]);
    for (const player of players) {
      const rows = await player.rows();
      const seen = comparable(rows);
      if (!isDeepStrictEqual(seen, expected)) expect(seen, where()).toEqual(expected);
      if (i < inputs.length - 1) continue;
      const serials = rows.flatMap(({ key }) => (key[0] === 'ua' ? [key[1]] : []));
      const lost = brokenAtRest(state, rows, await player.contents(serials));
      if (lost !== undefined) expect.fail(`${lost} in the store after ${where()}`);
    }
  }
  for (const player of players) player.end();
  return inputs.length;
}

function isRestart(type: string): boolean {
  return type === 'restart' || type === 'passivate';
}
