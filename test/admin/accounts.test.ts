/** `/v1/accounts` over HTTP, and what it means to those who send over SIP. */

import { afterEach, expect, test } from 'vitest';
import type { SendOutcome } from '../../src/client/im-client.js';
import { account, startAdmin } from './scene.js';
import type { AdminWorld } from './scene.js';

let world: AdminWorld;

afterEach(() => world.end());

const provisioned = { identity: { accounts: 'provisioned' as const } };

async function statusOf(sending: Promise<SendOutcome>): Promise<number> {
  return (await sending).status;
}

test('U5: unknown and offline are different answers, as provisioning says', async () => {
  world = await startAdmin(provisioned);
  const alice = await world.client('alice');
  const send = () => statusOf(alice.send('sip:bob@example.org', 'hello'));
  expect(await send()).toBe(404);
  const made = await world.ask('PUT', account('sip:bob@example.org'), { body: {} });
  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({ account: 'bob@example.org', provisioned: true, messages: 0 });
  expect(await send()).toBe(202);
  await world.restart();
  expect(await send()).toBe(202);
  await world.ask('PATCH', account('bob@example.org'), { body: { disabled: true } });
  expect(await send()).toBe(404);
  const shown = await world.ask('GET', account('bob@example.org'));
  expect(shown.body).toMatchObject({ disabled: true, messages: 2 });
});

test('U5: an identity of an implicit set leads to the account, until it is taken away', async () => {
  world = await startAdmin(provisioned);
  const alice = await world.client('alice');
  const identities = ['tel:+1-202-555-0147', 'sip:robert@example.org'];
  await world.ask('PUT', account('bob@example.org'), { body: { identities } });
  expect(await statusOf(alice.send('sip:robert@example.org', 'a'))).toBe(202);
  const byNumber = await world.ask('GET', account('+12025550147'));
  expect(byNumber.body).toMatchObject({
    account: 'bob@example.org',
    identities: ['+12025550147', 'robert@example.org'],
    messages: 1,
  });
  await world.ask('PATCH', account('bob@example.org'), { body: { identities: [] } });
  expect(await statusOf(alice.send('sip:robert@example.org', 'b'))).toBe(404);
  expect((await world.ask('GET', account('robert@example.org'))).status).toBe(404);
});

test('U17: the quota of an account is its own, and is taken away with null', async () => {
  world = await startAdmin();
  const alice = await world.client('alice');
  const send = () => statusOf(alice.send('sip:bob@example.org', 'hello'));
  const path = account('bob@example.org');
  await world.ask('PUT', path, { body: { limits: { messages: 1, octets: 10_000 } } });
  expect([await send(), await send()]).toEqual([202, 603]);
  const changed = await world.ask('PATCH', path, { body: { limits: { messages: null } } });
  expect(changed.body.limits).toEqual({ octets: 10_000 });
  expect(await send()).toBe(202);
});

test('U15: count, octets and age of a mailbox are there at once', async () => {
  world = await startAdmin();
  const alice = await world.client('alice');
  const before = Date.now();
  await alice.send('sip:bob@example.org', 'one');
  await alice.send('sip:bob@example.org', 'two');
  const { status, body } = await world.ask('GET', account('bob@example.org'));
  expect(status).toBe(200);
  expect(body).toMatchObject({ messages: 2, unread: 2, provisioned: false, available: false });
  expect(body.octets).toBeGreaterThan(300);
  expect(Date.parse(body.oldestAt)).toBeGreaterThanOrEqual(before - 1);
});

test('accounts are listed in pages: provisioned ones, and those that only have messages', async () => {
  world = await startAdmin();
  const alice = await world.client('alice');
  for (const user of ['eve', 'bob']) {
    await alice.send(`sip:${user}@example.org`, 'x');
  }
  for (const user of ['dora', 'bob', 'anna']) {
    await world.ask('PUT', account(`${user}@example.org`), { body: { disabled: user === 'anna' } });
  }
  const names: string[] = [];
  let after: string | undefined;
  let pages = 0;
  do {
    const query = after === undefined ? '' : `&after=${encodeURIComponent(after)}`;
    const { body } = await world.ask('GET', `/v1/accounts?limit=2${query}`);
    for (const one of body.accounts) {
      names.push(`${one.account} ${one.provisioned} ${one.disabled}`);
    }
    after = body.next;
    pages++;
  } while (after !== undefined && pages < 10);
  expect(names).toEqual([
    'anna@example.org true true',
    'bob@example.org true false',
    'dora@example.org true false',
    'eve@example.org false false',
  ]);
});

test('U14: an account goes with all its messages, and the next of that name is another', async () => {
  world = await startAdmin(provisioned);
  const alice = await world.client('alice');
  const path = account('bob@example.org');
  await world.ask('PUT', path, { body: { limits: { messages: 3 } } });
  for (const body of ['1', '2', '3']) await alice.send('sip:bob@example.org', body);
  const removed = await world.ask('DELETE', path);
  expect([removed.status, removed.body]).toEqual([200, { deleted: 3 }]);
  expect(await statusOf(alice.send('sip:bob@example.org', '4'))).toBe(404);
  await world.restart();
  const again = await world.ask('PUT', path, { body: {} });
  expect(again.body).toMatchObject({ messages: 0, limits: {} });
  expect((await world.ask('GET', `${path}/messages`)).body).toEqual({ messages: [] });
  expect(await statusOf(alice.send('sip:bob@example.org', '5'))).toBe(202);
});

test('what cannot be provisioned is refused with its code, and changes nothing', async () => {
  world = await startAdmin(provisioned);
  const path = account('bob@example.org');
  const codeOf = async (method: string, at: string, body?: unknown, headers = {}) => {
    const answer = await world.ask(method, at, { headers, ...(body !== undefined && { body }) });
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ status: answer.status, type: 'about:blank' });
    return `${answer.status} ${answer.body.code}`;
  };
  expect(await codeOf('GET', path)).toBe('404 ADMIN_NO_ACCOUNT');
  expect(await codeOf('DELETE', path)).toBe('404 ADMIN_NO_ACCOUNT');
  expect(await codeOf('PATCH', path, {})).toBe('404 ADMIN_NO_ACCOUNT');
  expect(await codeOf('PUT', account('http://x/'), {})).toBe('400 ADMIN_IDENTITY');
  expect(await codeOf('PUT', path, { identities: ['mailto:a@b'] })).toBe('400 ADMIN_IDENTITY');
  expect(await codeOf('PUT', path, { quota: 1 })).toBe('400 ADMIN_INVALID');
  expect(await codeOf('PUT', path, { limits: { messages: -1 } })).toBe('400 ADMIN_INVALID');
  expect(await codeOf('PUT', path, { disabled: 'yes' })).toBe('400 ADMIN_INVALID');
  expect(await codeOf('PUT', path, '{"disabled":')).toBe('400 ADMIN_INVALID');
  expect(await codeOf('PUT', path)).toBe('400 ADMIN_INVALID');
  expect(await codeOf('PUT', path, { __proto__: null, constructor: {} })).toBe('400 ADMIN_INVALID');
  const xml = { 'content-type': 'application/xml' };
  expect(await codeOf('PUT', path, '<a/>', xml)).toBe('415 ADMIN_MEDIA_TYPE');
  expect(await codeOf('PUT', path, ' '.repeat(1_100_000))).toBe('413 ADMIN_TOO_LARGE');
  expect((await world.ask('GET', '/v1/accounts')).body).toEqual({ accounts: [] });
  expect((await world.ask('PUT', path, { body: {} })).status).toBe(201);
  const create = { 'if-none-match': '*' };
  expect(await codeOf('PUT', path, {}, create)).toBe('412 ADMIN_EXISTS');
  const stolen = { identities: ['sip:bob@example.org'] };
  expect(await codeOf('PUT', account('eve@example.org'), stolen)).toBe('409 STORE_CONFLICT');
  expect(await codeOf('GET', '/v1/accounts?limit=0')).toBe('400 ADMIN_INVALID');
  expect(await codeOf('GET', '/v1/accounts?page=1')).toBe('400 ADMIN_INVALID');
  expect(await codeOf('GET', '/v1/nothing')).toBe('404 ADMIN_NOT_FOUND');
});
