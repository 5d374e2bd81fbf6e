/** U28: a running server is asked what became of a message. */

import { afterEach, expect, test } from 'vitest';
import { ladderCommand, whyCommand } from '../../src/cli/why.js';
import type { Ladder } from '../../src/verify/index.js';
import { expectInOrder, spoken } from '../verify/spoken.js';
import { account, messagesOf, startAdmin, token } from './scene.js';
import type { AdminWorld } from './scene.js';

let world: AdminWorld;

afterEach(() => world.end());

const bob = account('bob@example.org');
const body = 'a secret of Alice';

async function send(): Promise<string> {
  const alice = await world.client('alice');
  await alice.send('sip:bob@example.org', body);
  return messagesOf(await world.ask('GET', `${bob}/messages`)).at(-1)!.id;
}

function connection(): string[] {
  return ['--url', world.url(), '--token', token];
}

test('U28: why asks a running server for the life of a message, also when it is gone', async () => {
  world = await startAdmin({ admin: { traceOctets: 1_000_000 } });
  const id = await send();
  const reader = await world.client('bob');
  await reader.retrieve({ ids: [id] });
  await world.ask('DELETE', `${bob}/messages/${encodeURIComponent(id)}`);
  const text = await spoken(whyCommand, [id, '--user', 'bob@example.org', ...connection()]);
  expectInOrder(text, ['MESSAGE sip:bob@example.org', '202 Accepted (MESSAGE)', 'MSRP SEND']);
  expect(text).not.toContain(body);
});

test('U28: ladder asks for a call, as text, SVG and JSON', async () => {
  world = await startAdmin({ admin: { traceOctets: 1_000_000 } });
  const id = await send();
  const life = await world.ask(
    'GET',
    `${bob}/messages/${encodeURIComponent(id)}/ladder?format=json`,
  );
  const { rungs } = JSON.parse(life.text) as Ladder;
  expect(rungs.length).toBeGreaterThan(2);
  const svg = await world.ask('GET', `${bob}/messages/1/ladder?format=svg`);
  expect(svg.headers.get('content-type')).toMatch('image/svg+xml');
  expect(svg.text).toMatch(/^<svg/);
  await expect(spoken(ladderCommand, ['nobody@nowhere', ...connection()])).rejects.toMatchObject({
    code: 'ADMIN_NO_LADDER',
  });
});

test('U28: no more is held than the settings say, and the earliest goes first', async () => {
  world = await startAdmin({ admin: { traceOctets: 20_000 } });
  const first = await send();
  for (let count = 0; count < 40; count++) await send();
  const last = await send();
  const ladderOf = (id: string) =>
    world.ask('GET', `${bob}/messages/${encodeURIComponent(id)}/ladder`);
  expect((await ladderOf(first)).body.code).toBe('ADMIN_NO_LADDER');
  expect((await ladderOf(last)).text).toContain('202 Accepted (MESSAGE)');
});

test('U28: a server that holds no trace says so', async () => {
  world = await startAdmin();
  const { status, body: problem } = await world.ask('GET', '/v1/calls/any/ladder');
  expect([status, problem.code]).toEqual([501, 'ADMIN_NO_TRACE']);
  await expect(spoken(whyCommand, ['sip:1@store.example.org'])).rejects.toMatchObject({
    code: 'OPERATOR_USAGE',
  });
});
