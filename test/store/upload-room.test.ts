/** Uploads wait for the disk: together they never fill the queue that others need. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openLevelStore } from '../../src/store/level.js';
import type { LevelStore } from '../../src/store/level.js';
import { silent } from './silent.js';

const chunk = Buffer.alloc(65_536, 7);
const chunks = 6;
const uploads = 48;

let directory: string;
let store: LevelStore;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'poste-room-'));
  const limits = { pendingBytes: 1_048_576 };
  store = await openLevelStore({ directory, durability: 'os', log: silent, limits });
});
afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

test(`U16: ${uploads} large messages at a time with room for 16 chunks: all wait, none fails`, async () => {
  const { version } = await store.load('bob@example.org');
  let most = 0;
  const one = async (): Promise<void> => {
    const upload = await store.upload('alice@example.org');
    for (let i = 0; i < chunks; i++) {
      await upload.write(i * chunk.length, chunk);
      most = Math.max(most, store.stats().pendingBytes);
    }
    await upload.finish(chunks * chunk.length);
  };
  const all = Array.from({ length: uploads }, one);
  // A commit that cannot wait has its half of the room.
  const change = { puts: [], deletes: [], drops: [], keeps: [{ serial: 1, content: chunk }] };
  await store.commit('bob@example.org', version, change);
  await Promise.all(all);
  expect(most).toBeGreaterThan(0);
  expect(store.stats().refused).toBe(0);
});

test('who waits for room is let go when the store closes', async () => {
  const writing = Array.from({ length: uploads }, async () => {
    const upload = await store.upload('alice@example.org');
    for (let i = 0; i < chunks; i++) await upload.write(i * chunk.length, chunk);
  });
  const settled = Promise.allSettled(writing);
  await store.close();
  for (const outcome of await settled) {
    if (outcome.status === 'rejected')
      expect(outcome.reason).toMatchObject({ code: 'STORE_CLOSED' });
  }
});
