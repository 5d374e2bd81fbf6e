/** What an operator does with a mailbox over HTTP. */

import { afterEach, expect, test } from 'vitest';
import { account, messagesOf, startAdmin } from './scene.js';
import type { AdminWorld } from './scene.js';

let world: AdminWorld;

afterEach(() => world.end());

const bob = account('bob@example.org');

async function store(...bodies: readonly string[]): Promise<void> {
  const alice = await world.client('alice');
  for (const body of bodies) await alice.send('sip:bob@example.org', body);
}

async function refusal(method: string, path: string, body?: unknown): Promise<string> {
  const answer = await world.ask(method, path, body === undefined ? {} : { body });
  return `${answer.status} ${answer.body.code}`;
}

test('U15: metadata of the messages come in pages, oldest first', async () => {
  world = await startAdmin();
  await store('one', 'two', 'three');
  const first = await world.ask('GET', `${bob}/messages?limit=2`);
  expect(messagesOf(first)).toHaveLength(2);
  expect(messagesOf(first)[0]).toMatchObject({
    id: expect.stringMatching(/^sip:\d+@store\.example\.org$/) as string,
    from: 'sip:alice@example.org',
    to: 'sip:bob@example.org',
  });
  expect(Date.parse(messagesOf(first)[0]!.expiresAt)).toBeGreaterThan(Date.now());
  const rest = await world.ask('GET', `${bob}/messages?limit=2&after=${first.body.next}`);
  expect(messagesOf(rest)).toHaveLength(1);
  expect(rest.body.next).toBeUndefined();
  const [last] = messagesOf(rest);
  const { id, serial } = last!;
  for (const name of [id, id.slice(4), String(serial)]) {
    const path = `${bob}/messages/${encodeURIComponent(name)}`;
    expect((await world.ask('GET', path)).body).toEqual(last);
  }
  expect(first.text + rest.text).not.toContain('three');
});

test('U25: one message is dropped, and then it is gone for its owner too', async () => {
  world = await startAdmin();
  await store('one', 'two', 'three');
  const stored = messagesOf(await world.ask('GET', `${bob}/messages`));
  const [one, two, three] = stored.map(({ id }) => id);
  const dropped = await world.ask('DELETE', `${bob}/messages/${encodeURIComponent(two!)}`);
  expect([dropped.status, dropped.body]).toEqual([200, { deleted: 1 }]);
  const reader = await world.client('bob');
  const { messages } = await reader.retrieve();
  expect(messages.map(({ body: content }) => content.toString())).toEqual(['one', 'three']);
  const ids = [one, two, three, 'sip:999999@store.example.org', 'sip:x@elsewhere.example'];
  const many = await world.ask('POST', `${bob}/messages/delete`, { body: { ids } });
  expect(many.body).toEqual({ deleted: 2 });
  expect((await world.ask('GET', bob)).body).toMatchObject({ messages: 0, unread: 0 });
});

test('every message goes with all=true, and with nothing less', async () => {
  world = await startAdmin();
  await store('one', 'two');
  expect(await refusal('DELETE', `${bob}/messages`)).toBe('400 ADMIN_INVALID');
  expect(await refusal('DELETE', `${bob}/messages?all=yes`)).toBe('400 ADMIN_INVALID');
  expect((await world.ask('GET', bob)).body.messages).toBe(2);
  const purged = await world.ask('DELETE', `${bob}/messages?all=true`);
  expect(purged.body).toEqual({ deleted: 2 });
  await world.restart();
  expect((await world.ask('GET', `${bob}/messages`)).body).toEqual({ messages: [] });
});

test('D-41: settings are provisioned, decide on the push, and survive a restart', async () => {
  world = await startAdmin({ identity: { registrar: true } });
  expect((await world.ask('GET', `${bob}/settings`)).body).toEqual({});
  const set = (offlineDelivery: boolean | null) =>
    world.ask('PUT', `${bob}/settings`, { body: { offlineDelivery } });
  expect((await set(false)).body).toEqual({ offlineDelivery: false });
  await world.restart();
  expect((await world.ask('GET', `${bob}/settings`)).body).toEqual({ offlineDelivery: false });
  expect((await set(null)).body).toEqual({});
  const path = `${bob}/settings`;
  expect(await refusal('PUT', path, { offlineDelivery: 'no' })).toBe('400 ADMIN_INVALID');
  expect(await refusal('PUT', path, { offline: true })).toBe('400 ADMIN_INVALID');
});

test('U25: what waits is pushed at once, when there is somebody to push to', async () => {
  world = await startAdmin();
  await store('one', 'two');
  expect(await refusal('POST', `${bob}/push`)).toBe('409 ADMIN_UNREACHABLE_USER');
  await world.ask('PUT', `${bob}/settings`, { body: { offlineDelivery: false } });
  const reader = await world.client('bob');
  const pushed = reader.deliveries();
  await reader.register();
  expect((await world.ask('POST', `${bob}/push`)).body).toEqual({ outcome: 'nothing' });
  await world.ask('PUT', `${bob}/settings`, { body: { offlineDelivery: true } });
  expect((await world.ask('POST', `${bob}/push`)).body).toEqual({ outcome: 'pushing' });
  const bodies = [await pushed.next(), await pushed.next()].map(({ value }) =>
    value?.body.toString(),
  );
  expect(bodies).toEqual(['one', 'two']);
});

test('what names no message or nobody is refused with its code', async () => {
  world = await startAdmin({ identity: { accounts: 'provisioned' } });
  for (const [method, path, body] of [
    ['GET', '/messages'],
    ['DELETE', '/messages?all=true'],
    ['POST', '/messages/delete', { ids: ['1'] }],
    ['GET', '/messages/1'],
    ['DELETE', '/messages/1'],
    ['GET', '/settings'],
    ['PUT', '/settings', {}],
    ['POST', '/push'],
  ] as const) {
    expect(await refusal(method, `${bob}${path}`, body)).toBe('404 ADMIN_NO_ACCOUNT');
  }
  await world.ask('PUT', bob, { body: {} });
  for (const id of ['1', '0', 'x', 'sip:1@store.example.org', 'sip:1@elsewhere.example', '%00']) {
    const path = `${bob}/messages/${id === '%00' ? id : encodeURIComponent(id)}`;
    expect(await refusal('GET', path)).toBe('404 ADMIN_NO_MESSAGE');
    expect(await refusal('DELETE', path)).toBe('404 ADMIN_NO_MESSAGE');
  }
  const path = `${bob}/messages/delete`;
  expect(await refusal('POST', path, { ids: '1' })).toBe('400 ADMIN_INVALID');
  expect(await refusal('POST', path, {})).toBe('400 ADMIN_INVALID');
  const many = Array.from({ length: 1_001 }, (_, index) => String(index + 1));
  expect(await refusal('POST', path, { ids: many })).toBe('400 ADMIN_INVALID');
  expect(await refusal('GET', `${bob}/messages?after=-1`)).toBe('400 ADMIN_INVALID');
});
