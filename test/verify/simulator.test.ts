/** The simulator: a fixed set of seeds passes, a run can be repeated, and planted defects are found. */

import { describe, expect, test, vi } from 'vitest';
import type { MemoryStore } from '../../src/store/memory.js';
import { verifySimCommand } from '../../src/cli/verify-sim.js';
import { shrink } from '../../src/verify/simulation-shrink.js';
import { faultKinds, simulate, type FaultKind } from '../../src/verify/simulator.js';
import { VirtualClock } from '../../src/verify/virtual-clock.js';

// They compute all the time, and share the machine.
vi.setConfig({ testTimeout: 60_000 });

describe('users, networks and disks that fail', () => {
  test.each([11, 12])('seed %i: every property holds', async (seed) => {
    const { failure, figures } = await simulate({ seed, hours: 6, users: 8 });
    console.info(`seed ${seed}: ${JSON.stringify(figures)}`);
    expect(failure).toBeUndefined();
    expect(figures.acknowledged).toBeGreaterThan(50);
    expect(figures.faults).toBeGreaterThan(20);
  });

  test('without faults everything arrives', async () => {
    const { failure, figures } = await simulate({ seed: 1, hours: 4, users: 6, faults: [] });
    expect(failure).toBeUndefined();
    expect(figures).toMatchObject({ crashes: 0, faults: 0, diskFaults: 0 });
    expect(figures.acknowledged).toBe(figures.messages);
  });

  test('the same seed is the same run', async () => {
    const options = { seed: 5, hours: 2, users: 5 };
    const [one, other] = [await simulate(options), await simulate(options)];
    expect(one.figures).toEqual(other.figures);
    const { figures } = await simulate({ ...options, seed: 6 });
    expect(figures).not.toEqual(one.figures);
  });
});

describe('a planted defect', () => {
  /** Says that it has written what it has not, now and then. */
  const forgets = (store: MemoryStore): MemoryStore => {
    let commits = 0;
    return {
      ...store,
      commit: async (account, version, change) => {
        if (++commits % 20 === 0 && change.keeps.length > 0) {
          const nothing = { ...change, puts: [], keeps: [], deletes: [], drops: [] };
          return store.commit(account, version, nothing);
        }
        return store.commit(account, version, change);
      },
      crash: () => forgets(store.crash()),
    };
  };

  test('of the disk is found, and the simulation made smaller', async () => {
    const options = { seed: 1, hours: 12, users: 8, wrap: forgets };
    const { failure } = await simulate(options);
    expect(failure).toBeDefined();
    const smaller = await shrink(options, failure!);
    expect(smaller.failure.property).toBe(failure!.property);
    expect(smaller.options.hours).toBeLessThanOrEqual(12);
    const faults = smaller.options.faults as readonly FaultKind[];
    expect(faults.length).toBeLessThan(faultKinds.length);
    const again = await simulate(smaller.options);
    expect(again.failure?.property).toBe(failure!.property);
  });
});

test('verify sim prints the seed, the figures and the verdict', async () => {
  let text = '';
  const before = process.exitCode;
  const command = verifySimCommand((part) => (text += part));
  await command.parseAsync(['--seed', '9', '--hours', '1', '--users', '3'], { from: 'user' });
  expect(process.exitCode ?? 0).toBe(0);
  process.exitCode = before;
  expect(text).toMatch(/^verify sim --seed 9 --hours 1 --users 3\ninputs \d+, messages \d+/);
  expect(text).toContain('every property holds');
});

test('a virtual clock calls in order of time, then of asking, and not what was withdrawn', async () => {
  const clock = new VirtualClock(0);
  const heard: string[] = [];
  for (const [name, ms] of [
    ['c', 3],
    ['a', 1],
    ['b', 1],
    ['d', 9],
  ] as const) {
    clock.after(ms, () => heard.push(`${name}${clock.now()}`));
  }
  clock.after(2, () => heard.push('never'))();
  await clock.runUntil(5, () => undefined);
  expect(heard).toEqual(['a1', 'b1', 'c3']);
  expect(clock.now()).toBe(5);
});
