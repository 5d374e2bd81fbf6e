import { expect, test } from 'vitest';
import { checkTrace } from '../../../src/verify/check/check.js';
import { recorded, type Stage } from './recorded.js';

const bob = 'sip:bob@example.org';

async function stored({ client }: Stage): Promise<void> {
  const alice = await client('alice');
  expect((await alice.send(bob, 'one')).status).toBe(202);
  expect((await alice.send(bob, 'two')).status).toBe(202);
}

async function watched(stage: Stage): Promise<void> {
  const { client, pass, until } = stage;
  const alice = await client('alice');
  expect((await alice.send(bob, 'one')).status).toBe(202);
  const watcher = await client('bob');
  watcher.watch?.({});
  await until((lines) => lines.some((line) => line.startsWith('NOTIFY')));
  await pass(2);
  expect((await alice.send(bob, 'two')).status).toBe(202);
  await until((lines) => lines.filter((line) => line.startsWith('NOTIFY')).length > 1);
}

test.each([
  ['store', stored],
  ['waiting', watched],
])('%s', async (_name, play) => {
  const messages = await recorded(play);
  const verdict = checkTrace({ messages, remarks: [] });
  expect(verdict.conforms).toBe(true);
});
