import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Level } from 'level';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encodeKey } from '../../src/store/keys.js';
import { openLevelStore } from '../../src/store/level.js';
import { openMaintenance } from '../../src/store/maintenance.js';
import { mainPath } from '../server-process.js';
import { silent } from './silent.js';

// Each command is a process of its own.
const bob = 'bob@example.org';

let root: string;
let data: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'poste-store-command-'));
  data = join(root, 'data');
  const store = await openLevelStore({ directory: data, durability: 'fsync', log: silent });
  const { version } = await store.load(bob);
  await store.commit(bob, version, {
    ...{ puts: [{ key: ['ua', 1], value: 1 }], deletes: [], drops: [] },
    keeps: [{ serial: 1, content: Buffer.from('hello') }],
  });
  await store.close();
});
afterEach(() => rm(root, { recursive: true }));

function run(...args: string[]): Promise<{ code: number; lines: unknown[]; error: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [mainPath, 'store', ...args], (_, out, error) => {
      const lines = out.split('\n').filter((line) => line !== '');
      resolve({
        code: child.exitCode ?? -1,
        lines: lines.map((line) => JSON.parse(line) as unknown),
        error,
      });
    });
  });
}

test('a store is checked, copied, brought back and made smaller', async () => {
  const file = join(root, 'backup');
  const copy = join(root, 'copy');
  const whole = { event: 'verified', accounts: 1, messages: 1, contentOctets: 5, findings: 0 };
  const verified = await run('verify', data);
  expect(verified.code).toBe(0);
  expect(verified.lines).toEqual([expect.objectContaining(whole)]);
  expect((await run('backup', data, file)).code).toBe(0);
  expect((await run('restore', copy, file)).lines).toMatchObject([{ event: 'restored' }]);
  expect((await run('compact', copy)).code).toBe(0);
  expect((await run('stats', copy)).lines).toMatchObject([{ event: 'stats', messages: 1 }]);
  expect((await run('verify', copy)).lines).toEqual([expect.objectContaining(whole)]);
});

test('what is damaged is told and taken out, and kept beside the store', async () => {
  const key = encodeKey(['content', bob, 1]);
  const store = await openMaintenance(data);
  const record = Buffer.from((await store.get(key))!);
  await store.close();
  const backup = join(root, 'backup');
  await run('backup', data, backup);
  await tamper(key, record);
  expect(await run('verify', data)).toMatchObject({
    code: 1,
    lines: [
      { event: 'finding', code: 'STORE_DAMAGED' },
      { event: 'verified', findings: 1 },
    ],
  });
  const repaired = await run('repair', data);
  expect(repaired.lines.at(-1)).toMatchObject({ event: 'repaired', removed: 1, left: 0 });
  const [line] = (await readFile(`${data}.removed.ndjson`, 'utf8')).trim().split('\n');
  expect(JSON.parse(line!)).toMatchObject({ key: key.toString('base64') });
  // The message is still known: that it has no content is told, not hidden.
  expect(await run('verify', data)).toMatchObject({
    code: 1,
    lines: [{ code: 'STORE_INCOMPLETE' }, { event: 'verified' }],
  });
});

test('what cannot be used ends with 3 and one line', async () => {
  const junk = join(root, 'junk');
  await writeFile(junk, 'no backup at all, by far');
  for (const args of [
    ['verify', join(root, 'nowhere')],
    ['restore', join(root, 'copy'), junk],
    ['restore', data, junk],
  ]) {
    const { code, error } = await run(...args);
    expect(code).toBe(3);
    expect(error).toMatch(/^poste-restante: STORE_[A-Z]+: [^\n]+\n$/);
  }
  expect((await run('forget')).code).toBe(2);
});

/** The last bit of the record flips. */
async function tamper(key: Buffer, record: Buffer): Promise<void> {
  record[record.length - 1]! ^= 1;
  const encodings = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const;
  const table = new Level<Buffer, Buffer>(data, encodings);
  await table.put(key, record);
  await table.close();
}
