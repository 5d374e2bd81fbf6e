/** Message-IDs as they are told, used, and never used again (S1 12.4.2.3). */

import { afterEach, expect, test } from 'vitest';
import type { ImClient } from '../../src/client/im-client.js';
import { hostname, startWorld, type World } from './world.js';

let world: World;
afterEach(() => world.end());

const pattern = new RegExp(`^sip:([^@\\s]+)@${hostname.replaceAll('.', '\\.')}$`);

async function send(alice: ImClient, user: string): Promise<void> {
  expect((await alice.send(`sip:${user}@example.org`, 'hello')).status).toBe(202);
}

/** Message-IDs of a user by the metadata, as URIs. */
async function idsOf(user: string): Promise<string[]> {
  const account = `${user}@example.org`;
  const histories = await world.server.accounts.histories(account, { limit: 1000 });
  return histories.map(({ reference }) => reference);
}

test('S1-MSGID-FORM, D-01, D-04: an id is a URI of the host, taken with and without scheme', async () => {
  world = await startWorld({ subscribe: { throttleMs: 1 } });
  const bob = await world.client('bob');
  const states = bob.watch();
  await states.next();
  const alice = await world.client('alice');
  await send(alice, 'bob');
  const { value } = await states.next();
  await states.return?.();
  const told = new Map(value!.messages[0]).get('Message-ID')!;
  const [id] = await idsOf('bob');
  expect(id).toMatch(pattern);
  expect(told).toBe(id!.slice('sip:'.length));
  for (const form of [told, id!]) {
    const { messages } = await bob.retrieve({ ids: [form] });
    expect(messages.map(({ body }) => body.toString())).toEqual(['hello']);
  }
});

test('S1-MSGID-FORM, D-02: no id is given twice, over users, deletions and restarts', async () => {
  world = await startWorld();
  const given: string[] = [];
  for (let round = 0; round < 4; round++) {
    const alice = await world.client('alice');
    for (const user of ['bob', 'carol']) {
      for (let count = 0; count < 5; count++) await send(alice, user);
      given.push(...(await idsOf(user)));
      await world.server.accounts.purge(`${user}@example.org`);
      expect(await idsOf(user)).toEqual([]);
    }
    await alice.stop();
    await world.restart();
  }
  expect(given).toHaveLength(40);
  expect(new Set(given).size).toBe(40);
  for (const id of given) expect(id).toMatch(pattern);
});

test('S1-MSGID-NEXT: the next message of a mailbox has the next number; strictly, of the host', async () => {
  world = await startWorld({}, 'udp', { bounds: { accountBlock: 1 } });
  const alice = await world.client('alice');
  for (const user of ['bob', 'carol', 'carol', 'bob']) await send(alice, user);
  const numbers = async (user: string): Promise<number[]> =>
    (await idsOf(user)).map((id) => Number(pattern.exec(id)![1]));
  const [first, fourth] = await numbers('bob');
  expect(await numbers('carol')).toEqual([first! + 1, first! + 2]);
  expect(fourth).toBe(first! + 3);
});
