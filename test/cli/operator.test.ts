/** The commands of the operator against a real server. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Command } from 'commander';
import { accountCommand } from '../../src/cli/account.js';
import type { Print } from '../../src/cli/admin-connection.js';
import { configCommand } from '../../src/cli/config.js';
import { mailboxCommand } from '../../src/cli/mailbox.js';
import { startAdmin, token } from '../admin/scene.js';
import type { AdminWorld } from '../admin/scene.js';

let world: AdminWorld;
let directory: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'poste-cli-'));
  world = await startAdmin({ identity: { accounts: 'provisioned' } });
});
afterEach(async () => {
  await world.end();
  rmSync(directory, { recursive: true, force: true });
});

async function run(
  make: (print: Print) => Command,
  args: readonly string[],
  connection = ['--url', world.url(), '--token', token],
): Promise<Record<string, unknown>[]> {
  const printed: Record<string, unknown>[] = [];
  const command = make((value) => void printed.push(value as Record<string, unknown>));
  await command.exitOverride().parseAsync([...args, ...connection], { from: 'user' });
  return printed;
}

const bob = 'sip:bob@example.org';

test('account: add, set, show, list and remove do what they say', async () => {
  const added = await run(accountCommand, [
    ...['add', bob, '--identity', 'tel:+12025550147'],
    ...['--max-messages', '2', '--push', 'no'],
  ]);
  expect(added).toMatchObject([
    {
      account: 'bob@example.org',
      identities: ['+12025550147'],
      limits: { messages: 2, push: false },
    },
  ]);
  await expect(run(accountCommand, ['add', bob])).rejects.toMatchObject({ code: 'ADMIN_EXISTS' });
  const [changed] = await run(accountCommand, ['set', bob, '--push', 'none', '--disable']);
  expect(changed).toMatchObject({ disabled: true, limits: { messages: 2 } });
  const [enabled] = await run(accountCommand, ['set', bob, '--enable', '--max-messages', 'none']);
  expect(enabled).toMatchObject({ disabled: false, limits: {} });
  await run(accountCommand, ['add', 'alice@example.org']);
  const names = (await run(accountCommand, ['list'])).map(({ account }) => account);
  expect(names).toEqual(['alice@example.org', 'bob@example.org']);
  expect(await run(accountCommand, ['remove', bob, '--yes'])).toEqual([{ deleted: 0 }]);
  await expect(run(accountCommand, ['show', bob])).rejects.toMatchObject({
    code: 'ADMIN_NO_ACCOUNT',
    exitCode: 1,
  });
});

test('U15, U25: mailbox shows what is stored, drops one message, and flushes', async () => {
  await run(accountCommand, ['add', bob]);
  const alice = await world.client('alice');
  for (const body of ['1', '2', '3']) await alice.send(bob, body);
  const listed = await run(mailboxCommand, ['ls', bob]);
  expect(listed).toHaveLength(3);
  const [count] = await run(mailboxCommand, ['ls', bob, '--count']);
  expect(count).toMatchObject({ messages: 3, unread: 3 });
  const first = String(listed[0]!['id']);
  expect(await run(mailboxCommand, ['rm', bob, first])).toEqual([{ deleted: 1 }]);
  await expect(run(mailboxCommand, ['rm', bob])).rejects.toMatchObject({ code: 'OPERATOR_USAGE' });
  await expect(run(mailboxCommand, ['rm', bob, first, '--all'])).rejects.toMatchObject({
    exitCode: 2,
  });
  await expect(run(mailboxCommand, ['flush', bob])).rejects.toMatchObject({
    code: 'ADMIN_UNREACHABLE_USER',
  });
  expect(await run(mailboxCommand, ['settings', bob, 'off'])).toEqual([{ offlineDelivery: false }]);
  expect(await run(mailboxCommand, ['settings', bob])).toEqual([{ offlineDelivery: false }]);
  expect(await run(mailboxCommand, ['settings', bob, 'default'])).toEqual([{}]);
  expect(await run(mailboxCommand, ['rm', bob, '--all'])).toEqual([{ deleted: 2 }]);
});

test('U25, U26: mailbox pauses, requeues, and is written out and brought in again', async () => {
  await run(accountCommand, ['add', bob]);
  const alice = await world.client('alice');
  for (const body of ['1', '2']) await alice.send(bob, body);
  expect(await run(mailboxCommand, ['pause', bob])).toEqual([{ paused: true }]);
  const file = join(directory, 'bob.mailbox');
  const [written] = await run(mailboxCommand, ['export', bob, file]);
  const listed = await run(mailboxCommand, ['ls', bob]);
  expect(written).toMatchObject({ messages: 2, last: listed[1]!['serial'] });
  const [requeued] = await run(mailboxCommand, ['requeue', bob, String(listed[0]!['id'])]);
  expect(requeued).toEqual({ requeued: true });
  expect(await run(mailboxCommand, ['import', bob, file])).toMatchObject([{ kept: 0, known: 2 }]);
  const eve = 'sip:eve@example.org';
  await run(accountCommand, ['add', eve]);
  expect(await run(mailboxCommand, ['import', eve, file])).toMatchObject([{ kept: 2, known: 0 }]);
  expect((await run(mailboxCommand, ['ls', eve, '--count']))[0]).toMatchObject({ messages: 2 });
  expect(await run(mailboxCommand, ['resume', bob])).toEqual([{ paused: false }]);
  writeFileSync(file, readFileSync(file).subarray(0, -1));
  const damaged = { code: 'MAILBOX_TRUNCATED', exitCode: 1 };
  await expect(run(mailboxCommand, ['import', bob, file])).rejects.toMatchObject(damaged);
  const nowhere = join(directory, 'none', 'bob.mailbox');
  await expect(run(mailboxCommand, ['export', bob, nowhere])).rejects.toThrow('ENOENT');
});

test('where the server is comes from its settings, and what is wrong is told', async () => {
  const { port } = world.server.admin!;
  const file = join(directory, 'poste.yaml');
  writeFileSync(file, `admin: { port: ${port}, tokens: [{ name: ops, token: ${token} }] }\n`);
  expect(await run(accountCommand, ['list'], ['--config', file])).toEqual([]);
  const wrong = run(accountCommand, ['list'], ['--url', world.url(), '--token', 'nothing']);
  await expect(wrong).rejects.toMatchObject({ code: 'ADMIN_UNAUTHORISED', exitCode: 1 });
  const nobody = run(accountCommand, ['list'], ['--url', 'http://127.0.0.1:1']);
  await expect(nobody).rejects.toMatchObject({ code: 'OPERATOR_UNREACHABLE', exitCode: 3 });
  const usage = { code: 'OPERATOR_USAGE', exitCode: 2 };
  await expect(run(accountCommand, ['list'], ['--url', 'nowhere'])).rejects.toMatchObject(usage);
  writeFileSync(file, '{}\n');
  await expect(run(accountCommand, ['list'], ['--config', file])).rejects.toMatchObject(usage);
});

test.each([
  ['{ default: 101, max: 100 }', false],
  ['{ default: 100, max: 100 }', true],
  // The default that nobody has set is above it, too.
  ['{ max: 100 }', false],
])('D-21: limits.expiry %s is a setting: %s', async (expiry, isOne) => {
  const file = join(directory, 'poste.yaml');
  writeFileSync(file, `limits: { expiry: ${expiry} }\n`);
  const checked = run(configCommand, ['check', file], []);
  if (isOne) expect(await checked).toEqual([{ file, valid: true }]);
  else {
    await expect(checked).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('limits.expiry.default') as string,
    });
  }
});

test('config: a file is checked by the schema that is printed', async () => {
  const [schema] = await run(configCommand, ['schema'], []);
  expect(schema).toMatchObject({ type: 'object', additionalProperties: false });
  expect(Object.keys(schema!['properties'] as object)).toEqual(
    expect.arrayContaining(['sip', 'msrp', 'store', 'identity', 'admin', 'limits']),
  );
  const file = join(directory, 'poste.yaml');
  writeFileSync(file, 'limits: { quota: { messages: 5 } }\n');
  expect(await run(configCommand, ['check', file], [])).toEqual([{ file, valid: true }]);
  writeFileSync(file, 'limits: { quota: { message: 5 } }\n');
  await expect(run(configCommand, ['check', file], [])).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
  });
});
