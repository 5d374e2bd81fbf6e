/** The simulator down to the octets: seeds pass, runs can be repeated, planted defects are found. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test, vi } from 'vitest';
import type { StorePort } from '../../src/ports.js';
import { verifySimCommand } from '../../src/cli/verify-sim.js';
import { shrinkRun } from '../../src/verify/simulation-shrink.js';
import { wireFaultKinds } from '../../src/verify/simulation/wire-options.js';
import type { WireFigures, WireOptions } from '../../src/verify/simulation/wire-options.js';
import { simulateWire } from '../../src/verify/simulation/wire-simulator.js';

// They compute all the time, and share the machine.
vi.setConfig({ testTimeout: 60_000 });

const execute = promisify(execFile);

/** Stands between the server and its store. */
function storeWith(
  store: StorePort,
  commit: (forward: StorePort['commit']) => StorePort['commit'],
): StorePort {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      const bound: unknown = typeof value === 'function' ? value.bind(target) : value;
      return name === 'commit' ? commit(bound as StorePort['commit']) : bound;
    },
  });
}

/** Whatever came once more has one cause, and without these nothing came more than once. */
function expectCauses(figures: WireFigures): void {
  const { delivered, repeated, messages, retrievedAgain } = figures;
  const { pushedUnconfirmed, pushedUnheard, pushedUnwritten } = figures;
  const pushedAgain = pushedUnconfirmed + pushedUnheard + pushedUnwritten;
  expect(retrievedAgain + pushedAgain).toBe(repeated);
  expect(delivered - repeated).toBeLessThanOrEqual(messages);
}

describe('networks, disks, peers and processes that fail', () => {
  test.each([1, 2, 3])('seed %i: every property holds', async (seed) => {
    const result = await simulateWire({ seed, hours: 4, users: 4 });
    console.info(`seed ${seed}: ${JSON.stringify({ ...result.figures, ...result.traffic })}`);
    expect(result.failure).toBeUndefined();
    expect(result.figures.acknowledged).toBeGreaterThan(20);
    expect(result.figures.delivered).toBeGreaterThan(20);
    expect(result.figures.faults).toBeGreaterThan(20);
    expectCauses(result.figures);
    expect(result.traffic.lost).toBeGreaterThan(0);
  });

  test('without faults everything is acknowledged, and nothing is lost', async () => {
    const { failure, figures, traffic } = await simulateWire({
      ...{ seed: 1, hours: 3, users: 4, faults: [] },
    });
    expect(failure).toBeUndefined();
    expect(figures).toMatchObject({ crashes: 0, clientCrashes: 0, partitions: 0, faults: 0 });
    expect(traffic).toMatchObject({ lost: 0, resets: 0 });
    expect(figures.acknowledged).toBe(figures.messages);
    // Only what was retrieved before comes again, and by another retrieval.
    expect(figures.repeated).toBe(figures.retrievedAgain);
    expectCauses(figures);
  });

  test('the same seed is the same octets at the same times', async () => {
    const options = { seed: 5, hours: 2, users: 3 };
    const [one, other] = [await simulateWire(options), await simulateWire(options)];
    expect(other.digest).toBe(one.digest);
    expect(other.figures).toEqual(one.figures);
    expect((await simulateWire({ ...options, seed: 6 })).digest).not.toBe(one.digest);
  });

  test('another process, which loads everything first, has the same octets', async () => {
    const given = ['--wire', '--seed', '5', '--hours', '2', '--users', '3', '--json'];
    const { stdout } = await execute(process.execPath, ['dist/main.js', 'verify', 'sim', ...given]);
    const { digest } = await simulateWire({ seed: 5, hours: 2, users: 3 });
    const memoryMiB: unknown = expect.any(Number);
    expect(JSON.parse(stdout)).toMatchObject({ digest, memoryMiB });
  });
});

describe('a planted defect', () => {
  test('of the disk, which forgets messages, is found and made smaller', async () => {
    let commits = 0;
    const wrap = (store: StorePort): StorePort =>
      storeWith(store, (forward) => (account, version, change) => {
        if (change.keeps.length === 0 || ++commits % 3 !== 0) {
          return forward(account, version, change);
        }
        return forward(account, version, { puts: [], deletes: [], keeps: [], drops: [] });
      });
    const options: WireOptions = { seed: 1, hours: 3, users: 4, wrap };
    const { failure } = await simulateWire(options);
    expect(failure).toBeDefined();
    const simulation = { run: simulateWire, kinds: wireFaultKinds };
    const smaller = await shrinkRun(simulation, { options, failure: failure! });
    expect(smaller.failure.property).toBe(failure!.property);
    expect(smaller.options.faults!.length).toBeLessThan(wireFaultKinds.length);
  });

  test('of the server, which forgets that it has delivered, is found: pushed twice', async () => {
    const wrap = (store: StorePort): StorePort =>
      storeWith(store, (forward) => (account, version, change) => {
        const deletes = change.deletes.filter(([kind]) => kind !== 'ua');
        return forward(account, version, { ...change, deletes, drops: [] });
      });
    const { failure } = await simulateWire({ seed: 2, hours: 4, users: 3, wrap });
    expect(failure).toBeDefined();
  });
});

test('verify sim --wire prints the seed, the figures and the verdict', async () => {
  let text = '';
  const before = process.exitCode;
  const command = verifySimCommand((part) => (text += part));
  const given = ['--wire', '--seed', '9', '--hours', '1', '--users', '2'];
  await command.parseAsync(given, { from: 'user' });
  expect(process.exitCode ?? 0).toBe(0);
  process.exitCode = before;
  expect(text).toMatch(/^verify sim --wire --seed 9 --hours 1 --users 2\ninputs \d+, messages \d+/);
  expect(text).toMatch(/datagrams \d+, .*octets \d+/);
  expect(text).toContain('every property holds');
});
