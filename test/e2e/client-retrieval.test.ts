import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ImClient, MessageWaiting } from '../../src/client/im-client.js';
import { parseMultipart, partHeader } from '../../src/wire/multipart.js';
import { msrpMedia, parseSdp } from '../../src/wire/sdp.js';
import { parseUriList } from '../../src/wire/xml/resource-lists.js';
import { WireLog } from './wire-log.js';
import { hostname, startWorld, type World } from './world.js';

const texts = ['one', 'two', 'three', 'four'];

let world: World;
let wire: WireLog;
let bob: ImClient;
beforeEach(async () => {
  world = await startWorld({ subscribe: { throttleMs: 1 } });
  wire = new WireLog();
  bob = await world.client('bob', { trace: wire });
});
afterEach(() => world.end());

test('IMSpec-DMT-C-002, D-01, LIST-01: what was notified is fetched by its ids, nothing else', async () => {
  const states = bob.watch();
  await states.next();
  const alice = await world.client('alice');
  const named = new Map<string, string>();
  for (const subject of texts) {
    await alice.send('sip:bob@example.org', subject, { subject });
    while (!named.has(subject)) for (const [of, id] of await namedBy(states)) named.set(of, id);
  }
  await states.return?.();
  // As they were notified: without scheme (D-01).
  const ids = ['two', 'four'].map((subject) => named.get(subject)!);
  expect(ids.every((id) => /^\d+@store\.example\.org$/.test(id))).toBe(true);
  const outcome = await bob.retrieve({ ids });
  expect(outcome).toMatchObject({ status: 200, count: 2, ended: 'server' });
  expect(outcome.messages.map(({ body }) => body.toString())).toEqual(['two', 'four']);

  const [invite, ...more] = wire.requests('out', 'INVITE');
  expect(more).toEqual([]);
  expect(invite!.uri).toBe(`sip:Deferred@${hostname}`);
  expect(invite!.header('Accept-Contact')).toMatch(/^\*;\+g\.oma\.sip-im\b/);
  expect(invite!.header('Require')).toBe('recipient-list-invite');
  const [description, list, ...others] = parseMultipart(
    invite!.body,
    invite!.header('Content-Type')!,
  );
  expect(others).toEqual([]);
  expect(partHeader(description!, 'Content-Type')).toBe('application/sdp');
  expect(directionOf(description!.body)).toBe('recvonly');
  expect(partHeader(list!, 'Content-Type')).toBe('application/resource-lists+xml');
  expect(partHeader(list!, 'Content-Disposition')).toBe('recipient-list');
  expect(parseUriList(list!.body)).toEqual(ids.map((id) => `sip:${id}`));
  expect(wire.frames('in', 'SEND')).toHaveLength(2);
});

test.each(['active', 'passive'] as const)(
  'IMSpec-DMT-C-003: everything is fetched without a list, each once, in order (%s)',
  async (msrpRole) => {
    const alice = await world.client('alice');
    for (const text of texts) await alice.send('sip:bob@example.org', text);
    bob = await world.client('bob', { trace: wire, msrpRole });
    const outcome = await bob.retrieve();
    expect(outcome).toMatchObject({ status: 200, count: 4, ended: 'server' });
    expect(outcome.messages.map(({ body }) => body.toString())).toEqual(texts);
    expect(new Set(outcome.messages.map(({ messageId }) => messageId)).size).toBe(4);

    const [invite] = wire.requests('out', 'INVITE');
    expect(invite!.uri).toBe(`sip:Deferred@${hostname}`);
    expect(invite!.header('Accept-Contact')).toMatch(/^\*;\+g\.oma\.sip-im\b/);
    expect(invite!.header('Require')).toBeUndefined();
    expect(invite!.header('Content-Type')).toBe('application/sdp');
    expect(directionOf(invite!.body)).toBe('recvonly');
    expect(wire.frames('in', 'SEND')).toHaveLength(4);
  },
);

/** Subject and Message-ID of the header blocks of the next state. */
async function namedBy(
  states: AsyncIterableIterator<MessageWaiting>,
): Promise<(readonly [string, string])[]> {
  const { value } = (await states.next()) as { value: MessageWaiting };
  return value.messages.map((block) => {
    const fields = new Map(block);
    return [fields.get('Subject')!, fields.get('Message-ID')!] as const;
  });
}

function directionOf(description: Buffer): string {
  return msrpMedia(parseSdp(description))!.direction;
}
