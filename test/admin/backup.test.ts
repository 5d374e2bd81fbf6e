/** The whole store over HTTP while it is served. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { afterEach, expect, test } from 'vitest';
import { openLevelStore } from '../../src/store/level.js';
import { openMaintenance, restoreStore } from '../../src/store/maintenance.js';
import { silent } from '../store/silent.js';
import { startAdmin, token } from './scene.js';
import type { AdminWorld } from './scene.js';

let world: AdminWorld;
let directory: string | undefined;

afterEach(async () => {
  await world.end();
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
});

test('U26: a backup under load is whole, with every message acknowledged before it began', async () => {
  world = await startAdmin();
  const alice = await world.client('alice');
  for (let n = 0; n < 20; n++) await alice.send('sip:bob@example.org', `before ${n}`);
  const before = (await world.ask('GET', '/v1/accounts/bob%40example.org')).body.messages;
  expect(before).toBe(20);
  const load = Array.from({ length: 40 }, (_, n) => alice.send('sip:eve@example.org', `${n}`));
  const answer = await fetch(`${world.url()}/v1/backup`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(answer.status).toBe(200);
  directory = mkdtempSync(join(tmpdir(), 'poste-backup-'));
  const restored = join(directory, 'store');
  const octets = Readable.fromWeb(answer.body as ReadableStream);
  expect(await restoreStore(restored, octets)).toBeGreaterThan(40);
  await Promise.all(load);
  const maintenance = await openMaintenance(restored);
  const totals = await maintenance.verify((finding) => expect.fail(finding.code));
  await maintenance.close();
  expect(totals).toMatchObject({ findings: 0 });
  expect(totals.messages).toBeGreaterThanOrEqual(20);
  const store = await openLevelStore({ directory: restored, durability: 'os', log: silent });
  const rows = await store.scan('bob@example.org', { kind: 'ua', limit: 100 });
  expect(rows).toHaveLength(20);
  const bodies = await Promise.all(
    rows.map(async ({ key }) => {
      const content = await store.content('bob@example.org', key[1] as number);
      return (await content!.read(0, content!.size)).toString();
    }),
  );
  await store.close();
  for (const [n, body] of bodies.entries()) expect(body).toContain(`before ${n}`);
  expect((await world.ask('GET', '/v1/backup', { token: null })).status).toBe(401);
});

test('U26: a second backup is refused, and one that is given up makes room for the next', async () => {
  world = await startAdmin();
  const alice = await world.client('alice');
  const headers = { authorization: `Bearer ${token}` };
  // More than the buffers of a reader that does not read.
  const body = Buffer.alloc(16_000_000, 'x');
  await alice.sendLarge('sip:bob@example.org', body, { contentType: 'text/plain' });
  const abort = new AbortController();
  const slow = await fetch(`${world.url()}/v1/backup`, { headers, signal: abort.signal });
  expect(slow.status).toBe(200);
  const second = await world.ask('GET', '/v1/backup');
  expect([second.status, second.body.code]).toEqual([409, 'ADMIN_BACKUP_BUSY']);
  // A reader that is slow holds nobody back.
  expect(await alice.send('sip:bob@example.org', 'meanwhile')).toMatchObject({ status: 202 });
  abort.abort();
  let third = await fetch(`${world.url()}/v1/backup`, { headers });
  while (third.status === 409) third = await fetch(`${world.url()}/v1/backup`, { headers });
  directory = mkdtempSync(join(tmpdir(), 'poste-backup-'));
  const octets = Readable.fromWeb(third.body as ReadableStream);
  expect(await restoreStore(join(directory, 'store'), octets)).toBeGreaterThan(10);
});
