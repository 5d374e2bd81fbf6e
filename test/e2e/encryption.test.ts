/** A server whose store is sealed: users notice nothing, and whoever has the disk neither. */

import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { startWorld, type World } from './world.js';

const files = mkdtempSync(join(tmpdir(), 'poste-keys-'));
const file = join(files, 'store.key');
writeFileSync(file, randomBytes(32).toString('base64'));
const encryption = { keys: { first: file }, current: 'first' };

let world: World;
afterEach(() => world.end());
afterAll(() => rmSync(files, { recursive: true }));

/** All octets of the store of the world. */
function disk(): Buffer {
  const entries = readdirSync(world.directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Buffer.concat(files.map(({ parentPath, name }) => readFileSync(join(parentPath, name))));
}

const text = 'the blue pot by the door';
const large = Buffer.from(`${text}. `.repeat(10_000));

test('pager and large messages are kept sealed, and are given out after a restart', async () => {
  world = await startWorld({}, 'tcp', { store: { encryption } });
  const alice = await world.client('alice');
  expect((await alice.send('sip:bob@example.org', text)).status).toBe(202);
  const taken = await alice.sendLarge('sip:bob@example.org', large, { contentType: 'text/plain' });
  expect(taken.status).toBe(200);
  expect(disk().includes(text)).toBe(false);
  await alice.stop();
  await world.restart();
  expect(disk().includes(text)).toBe(false);
  const bob = await world.client('bob');
  const { messages } = await bob.retrieve();
  expect(messages.map(({ body }) => body.length)).toEqual([text.length, large.length]);
  expect(messages[1]!.body.equals(large)).toBe(true);
});
