/** What an XDMS does with a request that nobody waits for any more, and with one it has served. */

import { afterEach, expect, test } from 'vitest';
import type { HistoryFacts } from '../../../src/ports.js';
import { CountingRandom, ManualClock } from '../../../src/testing/clock.js';
import { startXdmsPeer } from '../../../src/testing/xdms.js';
import type { XdmsPeer } from '../../../src/testing/xdms.js';
import { createXdmsClient } from '../../../src/transport/xcap/client.js';
import type { XdmsClient } from '../../../src/transport/xcap/client.js';
import { startXdmsProxy } from './proxy.js';
import type { XdmsProxy } from './proxy.js';

const store = 'sip:Deferred@s07.poste.example.net';
const tomas = 'tomas@example.net';
const xui = `sip:${tomas}`;
const timeoutMs = 1_000;

let ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.reverse()) await end();
  ends = [];
});

test('XCAP-06, D-83: a rebuild that is given up and served late undoes nothing that came after it', async () => {
  const { peer, proxy, client, clock, restarted } = await start();
  for (const [told, asked] of [
    [client, 'PUT document If-Match'],
    [restarted, 'PUT document If-Match'],
  ] as const) {
    await client.put(tomas, facts(1));
    const held = proxy.hold(asked);
    const first = told.rebuild(tomas, pagesOf(1));
    const late = await held.then((one) => (clock.advance(timeoutMs), one));
    await expect(first).rejects.toMatchObject({ code: 'XDMS_TIMEOUT' });
    await told.rebuild(tomas, pagesOf(1));
    expect(await told.put(tomas, facts(2))).toBe('done');
    expect(await late.release()).toBe(412);
    expect(await peer.references(xui)).toEqual([1, 2].map(referenceOf));
    expect(await told.put(tomas, facts(3))).toBe('done');
    await peer.tamper(xui, undefined);
  }
});

test('XCAP-06, D-82: one that creates the document, served late, does not empty it', async () => {
  const { peer, proxy, client, clock } = await start();
  const held = proxy.hold('PUT document *');
  const first = client.put(tomas, facts(1));
  const late = await held.then((one) => (clock.advance(timeoutMs), one));
  await expect(first).rejects.toMatchObject({ code: 'XDMS_TIMEOUT' });
  expect(await client.put(tomas, facts(1))).toBe('changed');
  expect(await late.release()).toBe(412);
  expect(await peer.references(xui)).toEqual([referenceOf(1)]);
});

test('XCAP-06, D-82: a rebuild makes a document that is not there, and never over one that is', async () => {
  const { peer, proxy, client, clock } = await start();
  const held = proxy.hold('PUT document *');
  const first = client.rebuild(tomas, pagesOf(1));
  const late = await held.then((one) => (clock.advance(timeoutMs), one));
  await expect(first).rejects.toMatchObject({ code: 'XDMS_TIMEOUT' });
  await client.put(tomas, facts(2));
  expect(await late.release()).toBe(412);
  expect(await peer.references(xui)).toEqual([referenceOf(2)]);
  await client.rebuild(tomas, pagesOf(1, 2));
  expect(await peer.references(xui)).toEqual([1, 2].map(referenceOf));
});

test('XCAP-10, D-83: what others write between a look and a rebuild is looked at before it is replaced', async () => {
  const { peer, proxy, client } = await start();
  await client.put(tomas, facts(1));
  const before = proxy.lines.length;
  await peer.tamper(xui, Buffer.from('<history-list xmlns="urn:oma:xml:im:history-list"/>'));
  await client.rebuild(tomas, pagesOf(1, 2));
  expect(proxy.lines.slice(before)).toEqual([
    'PUT document If-Match 412',
    'HEAD document 200',
    'PUT document If-Match 200',
  ]);
  await peer.tamper(xui, undefined);
  await client.rebuild(tomas, pagesOf(1, 2));
  expect(proxy.lines.slice(before + 3)).toEqual([
    'PUT document If-Match 412',
    'HEAD document 404',
    'PUT document * 201',
  ]);
  expect(await peer.references(xui)).toEqual([1, 2].map(referenceOf));
});

test('XCAP-10: a rebuild that others outrun each time ends', async () => {
  const { peer, proxy, client } = await start();
  await client.put(tomas, facts(1));
  let asked = 0;
  async function* pages() {
    asked++;
    await peer.tamper(xui, Buffer.from('<history-list xmlns="urn:oma:xml:im:history-list"/>'));
    yield [facts(1)];
  }
  await expect(client.rebuild(tomas, pages)).rejects.toMatchObject({ code: 'XDMS_RACED' });
  expect(asked).toBe(8);
  expect(proxy.lines.filter((line) => line.endsWith('412'))).toHaveLength(8);
});

test('XCAP-10: an answer that is lost after the write doubles nothing, and is told as a change', async () => {
  const { peer, proxy, client } = await start();
  await client.put(tomas, facts(1));
  // RFC 7230 6.3.1: the connection was idle before, and the request is repeated on another one.
  proxy.lose('PUT history If-Match');
  expect(await client.put(tomas, facts(2))).toBe('changed');
  proxy.lose('PUT document If-Match');
  await client.rebuild(tomas, pagesOf(1, 2));
  proxy.lose('DELETE history If-Match');
  expect(await client.delete(tomas, referenceOf(1))).toBe('changed');
  expect(proxy.lines.filter((line) => line.endsWith('412'))).toHaveLength(3);
  expect(await peer.references(xui)).toEqual([referenceOf(2)]);
});

interface Scene {
  readonly peer: XdmsPeer;
  readonly proxy: XdmsProxy;
  readonly clock: ManualClock;
  readonly client: XdmsClient;
  /** One that remembers no ETag. */
  readonly restarted: XdmsClient;
}

async function start(): Promise<Scene> {
  const peer = await startXdmsPeer({ stores: [store] });
  ends.push(() => peer.stop());
  const proxy = await startXdmsProxy(peer.port);
  ends.push(() => proxy.stop());
  const clock = new ManualClock();
  const clientOf = (): XdmsClient => {
    const client = createXdmsClient({
      ...{ root: proxy.root, clock, limits: { timeoutMs }, random: new CountingRandom() },
      ...{ product: 'XDM-serv/OMA1.0 PosteRestante/0.1', assertedIdentity: store },
    });
    ends.push(() => client.close());
    return client;
  };
  return { peer, proxy, clock, client: clientOf(), restarted: clientOf() };
}

function facts(serial: number): HistoryFacts {
  const from = 'sip:nia@example.com';
  return { reference: referenceOf(serial), size: 952, receivedAt: 1_000, from, to: xui };
}

function referenceOf(serial: number): string {
  return `sip:${serial}@s07.poste.example.net`;
}

function pagesOf(...serials: readonly number[]): () => AsyncIterable<readonly HistoryFacts[]> {
  return async function* () {
    yield await Promise.resolve(serials.map(facts));
  };
}
