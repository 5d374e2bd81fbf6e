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
import { behindInput, cover, walks, type AccountPath } from './covering.js';
import { beginning, type Given } from './inputs.js';
import { brokenAtRest, brokenIn } from './judge.js';
import { Notes } from './noted.js';
import { comparable, Player, rowsOf } from './player.js';

/** Transitions that an account takes on its paths; the others need limits or defects of their own. */
const taken: Readonly<Record<string, number>> = {
  ...{ mailbox: 120, 'virtual-ua': 20, push: 25, focus: 29, recording: 23 },
  ...{ subscription: 19, forward: 10, bridge: 17, conference: 18 },
};

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

test('the paths take the transitions of every machine of an account', () => {
  const found = [...machines].map(([name, { all, missed }]) => {
    console.info(`${name}: ${all - missed.length} of ${all} transitions in an account`);
    return [name, all - missed.length] as const;
  });
  console.info(`${states} states, ${paths.length} paths`);
  const fewer = found.filter(([name, count]) => count < (taken[name] ?? Infinity));
  expect(fewer).toEqual([]);
  expect(found.map(([name]) => name).sort()).toEqual(Object.keys(taken).sort());
});

test('every path leaves the same rows in memory and in LevelDB', { timeout: 120_000 }, async () => {
  let inputs = 0;
  for (const [i, path] of paths.entries()) inputs += await play(path, `path-${i}`, [memory, level]);
  console.info(`${paths.length} paths, ${inputs} inputs in both stores`);
});

test('walks by chance do, restarts in between', { timeout: 600_000 }, async () => {
  const walked = walks(walkCount, walkLength);
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
  { inputs }: AccountPath,
  name: string,
  stores: readonly StorePort[],
): Promise<number> {
  const players = await Promise.all(stores.map((store) => Player.begin(name, store)));
  let state = beginning;
  for (const [i, input] of inputs.entries()) {
    const before = state;
    await Promise.all(players.map((player) => player.give(input, before)));
    state = behindInput(before, input, notes);
    const where = (): string =>
      `${name}: ${inputs
        .slice(0, i + 1)
        .map(wordsOf)
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

function wordsOf(input: Given): string {
  if (input.type === 'event') return `${input.to} ${input.event.type}`;
  return input.type === 'bring' ? input.event.type : input.type;
}

function isRestart(type: string): boolean {
  return type === 'restart' || type === 'passivate';
}
