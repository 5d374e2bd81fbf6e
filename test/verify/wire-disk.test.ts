/** The log of a simulated disk: what was not synced is lost or torn, and what was durable is not. */

import { describe, expect, test } from 'vitest';
import type { Row } from '../../src/ports.js';
import { AccountStore, storeLimits } from '../../src/store/account-store.js';
import { takeBlocks } from '../../src/store/number-blocks.js';
import type { Operation } from '../../src/store/table.js';
import { SimulatedDisk } from '../../src/verify/simulation/disk.js';
import type { DiskFault } from '../../src/verify/simulation/disk.js';
import { LogTable } from '../../src/verify/simulation/log-table.js';
import { SeededRandom, VirtualClock } from '../../src/verify/virtual-clock.js';

const log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

function scene(seed = 1) {
  const clock = new VirtualClock(Date.UTC(2026, 10, 20, 9));
  const random = new SeededRandom(seed);
  const faults = new Set<DiskFault>();
  const disk = new SimulatedDisk({ clock, random, fails: (kind) => faults.has(kind) });
  /** Time goes on until it has settled. */
  const during = async <Result>(work: Promise<Result>): Promise<Result> => {
    let isOver = false;
    const over = (): void => void (isOver = true);
    work.then(over, over);
    while (!isOver) await clock.runUntil(clock.now() + 10, () => undefined);
    return work;
  };
  return { clock, disk, faults, during };
}

const put = (name: string, value: string): Operation => ({
  key: Buffer.from(name),
  value: Buffer.from(value),
});

describe('a log', () => {
  test.each([1, 2, 3, 4, 5, 6])(
    'without power, seed %i: a prefix of what was asked',
    async (seed) => {
      const { disk, during, faults } = scene(seed);
      const table = new LogTable(disk);
      await during(table.write([put('a', '1'), put('b', '2')]));
      faults.add('torn-write');
      const lost = table.write([put('a', '3'), put('b', '4')]);
      lost.catch(() => undefined);
      disk.crash('power');
      const after = new LogTable(disk);
      const values = ['a', 'b'].map((name) => String(after.get(Buffer.from(name))));
      expect(['1 2', '3 4']).toContain(values.join(' '));
      await during(after.write([put('c', '5')]));
      expect(String(new LogTable(disk).get(Buffer.from('c')))).toBe('5');
    },
  );

  test('what a full disk has cut is cut off at the next opening, and nothing behind it is lost', async () => {
    const { disk, during, faults } = scene();
    const table = new LogTable(disk);
    await during(table.write([put('a', '1')]));
    faults.add('disk-full');
    await expect(during(table.write([put('a', '2')]))).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(table.failed).toBe(true);
    faults.clear();
    disk.clear();
    await table.ready();
    await during(table.write([put('b', '3')]));
    const after = new LogTable(disk);
    expect(String(after.get(Buffer.from('a')))).toBe('1');
    expect(String(after.get(Buffer.from('b')))).toBe('3');
  });
});

test('a disk that something else has filled has no room for minutes, and then it has', async () => {
  const { clock, disk, during, faults } = scene();
  const table = new LogTable(disk);
  faults.add('disk-full');
  while (disk.figures.fullTimes === 0) {
    await expect(during(table.write([put('a', '1')]))).rejects.toThrow('ENOSPC');
  }
  faults.clear();
  await table.ready();
  await expect(during(table.write([put('a', '1')]))).rejects.toThrow('ENOSPC');
  await clock.runUntil(clock.now() + 600_000, () => undefined);
  await table.ready();
  await during(table.write([put('a', '2')]));
  expect(String(new LogTable(disk).get(Buffer.from('a')))).toBe('2');
});

test('a write that a crash has taken is not written by the process that has died', async () => {
  const { disk, during, faults } = scene();
  const table = new LogTable(disk);
  await during(table.write([put('a', '1')]));
  faults.add('torn-write');
  const lost = table.write([put('a', '2')]);
  const rejected = expect(lost).rejects.toThrow('EIO');
  disk.crash('power');
  faults.clear();
  const after = new LogTable(disk);
  const before = String(after.get(Buffer.from('a')));
  await during(after.write([put('b', '3')]));
  await rejected;
  expect(String(new LogTable(disk).get(Buffer.from('a')))).toBe(before);
});

test('an upload that a commit of unknown outcome has kept is not taken away by its end', async () => {
  const { clock, disk, during, faults } = scene();
  const table = new LogTable(disk);
  const { blocks, operations } = takeBlocks(table);
  await during(table.write(operations));
  const store = new AccountStore({
    ...{ table, log, clock, blocks, limits: storeLimits },
    defer: queueMicrotask,
  });
  const account = 'bob@example.org';
  const octets = Buffer.alloc(200_000, 'large ');
  const { version } = await during(store.load(account));
  const upload = await during(store.upload(account));
  await during(Promise.resolve(upload.write(0, octets)));
  await during(upload.finish(octets.length));
  const rows: Row[] = [{ key: ['ua', 1], value: { state: 'stored' } }];
  faults.add('disk-sync');
  const change = { puts: rows, deletes: [], keeps: [{ serial: 1, content: upload.id }], drops: [] };
  const commit = during(store.commit(account, version, change));
  await expect(commit).rejects.toMatchObject({ code: 'STORE_UNKNOWN' });
  faults.clear();
  // Whoever has heard that it failed ends the upload at once.
  await during(upload.abort());
  await during(store.load(account));
  expect(await during(store.get(account, [['ua', 1]]))).toEqual([{ state: 'stored' }]);
  const content = await during(store.content(account, 1));
  expect(await during(Promise.resolve(content!.read(0, octets.length)))).toEqual(octets);
});
