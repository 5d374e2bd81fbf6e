/** The move of a mailbox to another server as docs/operating.md has it, command by command. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { accountCommand } from '../../src/cli/account.js';
import type { Print } from '../../src/cli/admin-connection.js';
import { mailboxCommand } from '../../src/cli/mailbox.js';
import { ManualClock } from '../../src/testing/clock.js';
import { openSipPeer, type SipPeer } from '../../src/testing/sip-peer.js';
import { asking, expectNothing, nextReport } from './imdn-scene.js';
import { sceneAt, type WireScene } from './sip-scene.js';
import { startWorld, type World } from './world.js';

const token = 'a-token-of-the-tests';
const aor = 'sip:tomas@example.org';
const makers: Readonly<Record<string, (print: Print) => Command>> = {
  account: accountCommand,
  mailbox: mailboxCommand,
};

let directory: string;
let clock: ManualClock;
let old: World;
let fresh: World;
let peer: SipPeer;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'poste-move-'));
  clock = new ManualClock();
  const admin = { port: 0, tokens: [{ name: 'tests', token }] };
  old = await startWorld({}, 'udp', { admin }, { clock });
  fresh = await startWorld({}, 'udp', { admin });
  peer = await openSipPeer('udp');
  scene = sceneAt(peer, old.server.sip.find(({ transport }) => transport === 'udp')!.port);
});
afterEach(async () => {
  await peer.close();
  await old.end();
  await fresh.end();
  rmSync(directory, { recursive: true, force: true });
});

/** Of the old server. */
let scene: WireScene;

/** The commands of the page, in their order. */
function commands(): string[] {
  const page = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8');
  const chapter = page.split('## Moving a mailbox to another server')[1]!.split('\n\n', 2)[1]!;
  return chapter
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('poste-restante '));
}

/** Runs a command of the page, with the servers, files and serial of this test in it. */
async function run(line: string, last: number): Promise<Record<string, unknown>> {
  const urlOf = ({ server }: World): string => `http://127.0.0.1:${server.admin!.port}`;
  const words = line.split(' ').slice(1);
  const args = words.slice(1).map((word) => {
    if (word === '$OLD') return urlOf(old);
    if (word === '$NEW') return urlOf(fresh);
    if (word === 'bob@example.org') return aor;
    if (word === '7') return String(last);
    return word.endsWith('.mailbox') ? join(directory, word) : word;
  });
  const printed: unknown[] = [];
  const command = makers[words[0]!]!((value) => void printed.push(value));
  await command.exitOverride().parseAsync([...args, '--token', token], { from: 'user' });
  return printed[0] as Record<string, unknown>;
}

async function store(id: string): Promise<void> {
  expect((await scene.ask(asking(scene, { id }))).status).toBe(202);
}

test('U26: the documented move keeps every message, and no report leaves with --moved', async () => {
  const [pause, exported, imported, restOut, restIn, remove, resume, ...more] = commands();
  expect(more).toEqual([]);
  expect(remove).toContain('--moved');
  for (const id of ['one', 'two', 'three']) await store(id);
  expect(await run(pause!, 0)).toEqual({ paused: true });
  const { messages, last } = await run(exported!, 0);
  expect(messages).toBe(3);
  expect(await run(imported!, 0)).toMatchObject({ kept: 3, known: 0 });
  // Between the export and the change of the routes.
  await store('meanwhile');
  expect(await run(restOut!, last as number)).toMatchObject({ messages: 1 });
  expect(await run(restIn!, 0)).toMatchObject({ kept: 1, known: 0 });
  expect(await run(remove!, 0)).toEqual({ deleted: 4 });
  await expectNothing({ ...scene, world: old }, clock);
  expect(await old.server.accounts.summary('tomas@example.org')).toMatchObject({ messages: 0 });
  const tomas = await fresh.client('tomas');
  const pushed = tomas.deliveries();
  expect((await tomas.register()).status).toBe(200);
  expect(await run(resume!, 0)).toEqual({ paused: false });
  for (const id of ['one', 'two', 'three', 'meanwhile']) {
    const { value } = await pushed.next();
    expect((value as { body: Buffer }).body.toString()).toContain(`imdn.Message-ID: ${id}\r\n`);
  }
  // Nor later, nor from what the next process finds.
  await expectNothing({ ...scene, world: old }, clock);
  await old.restart();
  await expectNothing({ ...scene, world: old }, clock);
});

test('U26: without --moved each sender hears that the message is lost', async () => {
  await store('one');
  const remove = commands().find((line) => line.includes('account remove'))!;
  expect(await run(remove.replace(' --moved', ''), 0)).toEqual({ deleted: 1 });
  const { imdn } = await nextReport(scene, { clock });
  expect(imdn).toMatchObject({ messageId: 'one', notification: 'delivery', status: 'failed' });
});
