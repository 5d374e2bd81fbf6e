/** U26: a mailbox is written out of one server and brought into another, whole or not at all. */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { mailboxStreamType } from '../../src/wire/mailbox-stream/frame.js';
import { account, messagesOf, startAdmin, token } from './scene.js';
import type { AdminWorld, Answer } from './scene.js';

let here: AdminWorld;
let there: AdminWorld;
let spool: string;

const bob = account('bob@example.org');

beforeEach(async () => {
  spool = mkdtempSync(join(tmpdir(), 'poste-spool-'));
  here = await startAdmin();
  there = await startAdmin({
    admin: { spool, importOctets: 8_000_000, requestMs: 3_000, requestsPerMinute: 100_000 },
  });
});
afterEach(async () => {
  await Promise.all([here.end(), there.end()]);
  rmSync(spool, { recursive: true, force: true });
});

async function written(world = here, query = ''): Promise<Buffer> {
  const answer = await fetch(`${world.url()}${bob}/mailbox${query}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe(mailboxStreamType);
  return Buffer.from(await answer.arrayBuffer());
}

async function brought(
  stream: Buffer,
  world = there,
  path = bob,
): Promise<Answer['body'] & object> {
  const answer = await fetch(`${world.url()}${path}/mailbox`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': mailboxStreamType },
    body: new Uint8Array(stream),
  });
  return { status: answer.status, ...((await answer.json()) as object) } as never;
}

async function fill(...bodies: readonly (string | Buffer)[]): Promise<void> {
  const alice = await here.client('alice');
  for (const body of bodies) await alice.send('sip:bob@example.org', body);
}

test('U26: messages arrive byte for byte with their times, and a second import changes nothing', async () => {
  const large = Buffer.alloc(700_000, 'large and larger ');
  const binary = Buffer.from([0, 1, 2, 255, 13, 10, 0]);
  await fill('one', 'two');
  const alice = await here.client('alice');
  await alice.send('sip:bob@example.org', binary, { contentType: 'application/octet-stream' });
  await alice.sendLarge('sip:bob@example.org', large, { contentType: 'text/plain' });
  const before = messagesOf(await here.ask('GET', `${bob}/messages`));
  const stream = await written();
  expect(await brought(stream)).toEqual({ status: 200, accounts: 1, kept: 4, known: 0 });
  expect(await brought(stream)).toEqual({ status: 200, accounts: 1, kept: 0, known: 4 });
  const after = messagesOf(await there.ask('GET', `${bob}/messages`));
  const bare = ({ id: _id, serial: _serial, ...rest }: (typeof after)[0]) => rest;
  expect(after.map(bare)).toEqual(before.map(bare));
  const retrieved = async (world: AdminWorld) =>
    (await (await world.client('bob')).retrieve()).messages.map(({ body }) => body);
  const [from, to] = [await retrieved(here), await retrieved(there)];
  expect(to).toHaveLength(4);
  expect(to.map((body, index) => body.equals(from[index]!))).toEqual([true, true, true, true]);
  expect(to[2]!.equals(binary)).toBe(true);
  expect(to[3]!.equals(large)).toBe(true);
  expect(readdirSync(spool)).toEqual([]);
});

test('U26: what was read, paused and set stays so, and survives a restart', async () => {
  await fill('one', 'two');
  await here.ask('PUT', `${bob}/settings`, { body: { offlineDelivery: false } });
  const [one] = messagesOf(await here.ask('GET', `${bob}/messages`));
  await (await here.client('bob')).retrieve({ ids: [one!.id] });
  await here.ask('POST', `${bob}/pause`);
  expect((await here.ask('GET', bob)).body).toMatchObject({ messages: 2, unread: 1, paused: true });
  await brought(await written());
  await there.restart();
  expect((await there.ask('GET', bob)).body).toMatchObject({
    ...{ messages: 2, unread: 1, paused: true },
    settings: { offlineDelivery: false },
  });
});

test('U26: a provisioned account is provisioned there as it was here', async () => {
  const { body: given } = await here.ask('PUT', bob, {
    body: { identities: ['tel:+12025550147'], limits: { messages: 7 } },
  });
  await fill('one');
  await brought(await written());
  const { body } = await there.ask('GET', bob);
  expect(body.limits).toEqual(given.limits);
  expect(body).toMatchObject({ provisioned: true, identities: ['+12025550147'], messages: 1 });
});

test('U26: what is damaged, cut off, another format or another version brings nothing in', async () => {
  await fill('one', 'two', 'three');
  const stream = await written();
  const altered = Buffer.from(stream);
  altered[stream.length - 60]! ^= 1;
  const newer = Buffer.from(stream);
  newer[newer.indexOf(0x31)] = 0x32;
  for (const [octets, status, code] of [
    [stream.subarray(0, -1), 422, 'MAILBOX_TRUNCATED'],
    [stream.subarray(0, stream.length / 2), 422, 'MAILBOX_TRUNCATED'],
    [Buffer.alloc(0), 422, 'MAILBOX_TRUNCATED'],
    [altered, 422, 'MAILBOX_DAMAGED'],
    [Buffer.concat([stream, stream]), 422, 'MAILBOX_DAMAGED'],
    [Buffer.from('something else that is long enough'), 422, 'MAILBOX_FORMAT'],
    [newer, 422, 'MAILBOX_VERSION'],
    [Buffer.alloc(8_000_001), 413, 'ADMIN_TOO_LARGE'],
  ] as const) {
    expect(await brought(octets)).toMatchObject({ status, code });
  }
  expect((await there.ask('GET', bob)).body.messages).toBe(0);
  expect(readdirSync(spool)).toEqual([]);
  const typed = await there.ask('POST', `${bob}/mailbox`, { body: {} });
  expect([typed.status, typed.body.code]).toEqual([415, 'ADMIN_MEDIA_TYPE']);
});

test('U26: what there is no room for is refused before the first message', async () => {
  await fill('one', 'two', 'three');
  const stream = await written();
  await there.ask('PUT', bob, { body: { limits: { messages: 2 } } });
  expect(await brought(stream)).toMatchObject({ status: 507, code: 'ACCOUNT_FULL' });
  expect((await there.ask('GET', bob)).body.messages).toBe(0);
  await there.ask('PATCH', bob, { body: { limits: { messages: 3 } } });
  expect(await brought(stream)).toMatchObject({ kept: 3 });
  // What is there already needs no room.
  expect(await brought(stream)).toMatchObject({ kept: 0, known: 3 });
});

test('U26: a stream that does not go on, or whose sender goes away, leaves nothing', async () => {
  await fill('one');
  const stream = await written();
  const { port } = there.server.admin!;
  const begin = async () => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.on('error', () => undefined).resume();
    socket.write(
      `POST ${bob}/mailbox HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n` +
        `Content-Type: ${mailboxStreamType}\r\nContent-Length: ${stream.length}\r\n\r\n`,
    );
    socket.write(stream.subarray(0, 40));
    return socket;
  };
  const slow = await begin();
  await busy();
  const gone = once(slow, 'close');
  await gone; // after requestMs without an octet
  await begun();
  const away = await begin();
  await busy();
  away.destroy();
  await begun();
  expect((await there.ask('GET', bob)).body.messages).toBe(0);
  expect(readdirSync(spool)).toEqual([]);

  /** A second import of the same account is refused while the first one stands. */
  async function busy(): Promise<void> {
    while (readdirSync(spool).length === 0) await there.ask('GET', '/healthz');
    expect(await brought(stream)).toMatchObject({ status: 409, code: 'ADMIN_IMPORT_BUSY' });
  }
  async function begun(): Promise<void> {
    while (readdirSync(spool).length > 0) await there.ask('GET', '/healthz');
  }
});

test('U26: only what came behind a serial is written out with after', async () => {
  await fill('one', 'two');
  const [one] = messagesOf(await here.ask('GET', `${bob}/messages`));
  expect(await brought(await written(here, `?after=${one!.serial}`))).toMatchObject({ kept: 1 });
  const reader = await there.client('bob');
  const { messages } = await reader.retrieve();
  expect(messages.map(({ body }) => body.toString())).toEqual(['two']);
});
