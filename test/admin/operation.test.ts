/** U25: an operator pauses, resumes, requeues and drains. */

import { afterEach, expect, test } from 'vitest';
import { account, messagesOf, startAdmin } from './scene.js';
import type { AdminWorld } from './scene.js';

let world: AdminWorld;

afterEach(() => world.end());

const bob = account('bob@example.org');

async function send(...bodies: readonly string[]): Promise<void> {
  const alice = await world.client('alice');
  for (const body of bodies) await alice.send('sip:bob@example.org', body);
}

test('U25: what is paused stays and is retrieved; resumed, it is pushed without a new REGISTER', async () => {
  world = await startAdmin();
  expect((await world.ask('POST', `${bob}/pause`)).body).toEqual({ paused: true });
  const reader = await world.client('bob');
  const waiting = reader.watch()[Symbol.asyncIterator]();
  await waiting.next();
  const pushed = reader.deliveries();
  await reader.register();
  await send('one', 'two');
  // Message waiting tells the truth meanwhile.
  expect(await waiting.next()).toMatchObject({ done: false });
  const flush = await world.ask('POST', `${bob}/push`);
  expect([flush.status, flush.body.code]).toEqual([409, 'ADMIN_PAUSED']);
  const [one] = messagesOf(await world.ask('GET', `${bob}/messages`));
  const { messages } = await reader.retrieve({ ids: [one!.id] });
  expect(messages.map(({ body }) => body.toString())).toEqual(['one']);
  expect((await world.ask('GET', bob)).body).toMatchObject({
    ...{ messages: 2, unread: 1, available: true, paused: true },
  });
  expect((await world.ask('POST', `${bob}/resume`)).body).toEqual({ paused: false });
  expect((await pushed.next()).value?.body.toString()).toBe('two');
  expect((await world.ask('GET', bob)).body).not.toHaveProperty('paused');
});

test('U25: a pause survives a restart, and is of one account alone', async () => {
  world = await startAdmin();
  await world.ask('POST', `${bob}/pause`);
  await world.restart();
  expect((await world.ask('GET', bob)).body).toMatchObject({ paused: true });
  expect((await world.ask('GET', account('eve@example.org'))).body).not.toHaveProperty('paused');
  expect((await world.ask('POST', `${account('eve@example.org')}/resume`)).body).toEqual({
    paused: false,
  });
});

test('U25: what was delivered and kept is requeued, and is pushed once more under its id', async () => {
  world = await startAdmin();
  await send('one');
  const [one] = messagesOf(await world.ask('GET', `${bob}/messages`));
  const requeue = `${bob}/messages/${encodeURIComponent(one!.id)}/requeue`;
  const reader = await world.client('bob');
  await reader.retrieve();
  expect((await world.ask('GET', bob)).body).toMatchObject({ messages: 1, unread: 0 });
  const pushed = reader.deliveries();
  await reader.register();
  expect((await world.ask('POST', requeue)).body).toEqual({ requeued: true });
  const { value } = await pushed.next();
  expect(value?.body.toString()).toBe('one');
  const absent = await world.ask('POST', `${bob}/messages/999/requeue`);
  expect([absent.status, absent.body.code]).toEqual([404, 'ADMIN_NO_MESSAGE']);
});

test('U25: a server that is drained begins nothing, says so, and ends what it has begun', async () => {
  world = await startAdmin();
  await send('one');
  const reader = await world.client('bob');
  const pushed = reader.deliveries();
  expect((await world.ask('GET', '/v1/drain')).body).toEqual({ draining: false });
  expect((await world.ask('PUT', '/v1/drain')).body).toEqual({ draining: true });
  const ready = await world.ask('GET', '/readyz');
  expect([ready.status, ready.body.code]).toEqual([503, 'ADMIN_DRAINING']);
  expect((await world.ask('GET', '/healthz')).status).toBe(200);
  const alice = await world.client('alice');
  expect(await alice.send('sip:bob@example.org', 'two')).toMatchObject({ status: 503 });
  const eve = await world.client('eve');
  expect(await eve.register()).toMatchObject({ status: 503, retryAfter: 5 });
  expect((await world.ask('DELETE', '/v1/drain')).body).toEqual({ draining: false });
  await reader.register();
  expect((await pushed.next()).value?.body.toString()).toBe('one');
  await world.ask('PUT', '/v1/drain');
  await world.restart();
  expect((await world.ask('GET', '/v1/drain')).body).toEqual({ draining: false });
});

test('U26: an account that was moved goes without telling anybody that its messages are lost', async () => {
  world = await startAdmin();
  await send('one');
  const wrong = await world.ask('DELETE', `${bob}?moved=yes`);
  expect([wrong.status, wrong.body.code]).toEqual([400, 'ADMIN_INVALID']);
  expect((await world.ask('DELETE', `${bob}?moved=true`)).body).toEqual({ deleted: 1 });
  expect((await world.ask('GET', bob)).body).toMatchObject({ messages: 0 });
});
