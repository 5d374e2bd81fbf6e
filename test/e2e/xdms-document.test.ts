/** The document in an external XDMS, request by request: how it begins, and how it is mended. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { startXdmsPeer } from '../../src/testing/xdms.js';
import type { XdmsPeer } from '../../src/testing/xdms.js';
import { startXdmsProxy } from '../transport/xcap/proxy.js';
import type { XdmsProxy } from '../transport/xcap/proxy.js';
import { hostname, serialsOf, startWorld, type World } from './world.js';

const bob = 'sip:bob@example.org';
const account = 'bob@example.org';

/** What a document begins with. */
const created = [
  'PUT history 409',
  'PUT document * 201',
  'PUT history If-Match 201',
  'PUT document If-Match 200',
];

let ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.reverse()) await end();
  ends = [];
});

interface Scene {
  readonly world: World;
  readonly xdms: XdmsPeer;
  readonly proxy: XdmsProxy;
  readonly lines: readonly string[];
  /** A message for bob, and its history where it belongs. */
  store(): Promise<void>;
  /** Resolves when the document has exactly these: 1 is the first message that was stored. */
  listed(places: readonly number[]): Promise<void>;
  /** The serials they were given, in the order of these. */
  readonly given: readonly number[];
}

async function start(settings: object = {}): Promise<Scene> {
  const directory = mkdtempSync(join(tmpdir(), 'poste-document-'));
  ends.push(() => rmSync(directory, { recursive: true, force: true }));
  const xdms = await startXdmsPeer({ stores: [`sip:Deferred@${hostname}`] });
  ends.push(() => xdms.stop());
  const proxy = await startXdmsProxy(xdms.port);
  ends.push(() => proxy.stop());
  const { root, lines } = proxy;
  const world = await startWorld({}, 'udp', { xdms: { root, pauseMs: 50, ...settings } });
  ends.push(() => world.end());
  const alice = await world.client('alice');
  const given: number[] = [];
  const listed = (places: readonly number[]): Promise<void> =>
    vi.waitFor(
      async () =>
        expect(await xdms.references(bob)).toEqual(
          places.map((place) => `sip:${given[place - 1]}@${hostname}`),
        ),
      { timeout: 60_000, interval: 10 },
    );
  const store = async (): Promise<void> => {
    expect((await alice.send(bob, 'hi')).status).toBe(202);
    const fresh = (await serialsOf(world, account)).filter((serial) => !given.includes(serial));
    given.push(...fresh);
  };
  return { world, xdms, proxy, lines, store, listed, given };
}

test('D-82: the first message creates the document, and the last one leaves an empty root', async () => {
  const { world, xdms, lines, store, listed, given } = await start();
  expect(await xdms.document(bob)).toBeUndefined();
  await store();
  await listed([1]);
  // A document that is missing may have been lost: what is in it is made sure of, and once only.
  await vi.waitFor(() => expect(lines).toEqual(created), { timeout: 60_000, interval: 10 });
  await store();
  await listed([1, 2]);
  await world.server.accounts.deleteMessages(account, given);
  await listed([]);
  expect((await xdms.document(bob))!.content.toString()).toMatch(/<history-list [^>]*\/?>/);
  await store();
  await listed([3]);
  // It was there all the time: nobody has created it again, or put it whole.
  await vi.waitFor(() => expect(lines).toHaveLength(created.length + 4), { timeout: 60_000 });
  expect(lines.slice(created.length)).toEqual([
    'PUT history If-Match 201',
    'DELETE history If-Match 200',
    'DELETE history If-Match 200',
    'PUT history If-Match 201',
  ]);
});

test('D-82, XCAP-10: messages of a new user that come at once make one document, and wait for it', async () => {
  const { xdms, proxy, lines, store, listed } = await start();
  const held = proxy.hold('PUT document *');
  await store();
  const creating = await held;
  await Promise.all([store(), store()]);
  expect(await xdms.document(bob)).toBeUndefined();
  expect(lines).toEqual(['PUT history 409']);
  await creating.release();
  await listed([1, 2, 3]);
  const rebuilt = 'PUT document If-Match 200';
  await vi.waitFor(() => expect(lines).toContain(rebuilt), { timeout: 60_000 });
  expect(lines.filter((line) => line.includes('document *'))).toEqual(['PUT document * 201']);
  expect(await xdms.references(bob)).toHaveLength(3);
});

test('D-83: what somebody else has written is found at the next change, and put right', async () => {
  const { xdms, lines, store, listed } = await start();
  await store();
  await store();
  await listed([1, 2]);
  const foreign = '<history-list xmlns="urn:oma:xml:im:history-list"/>';
  await xdms.tamper(bob, Buffer.from(foreign));
  await store();
  await listed([1, 2, 3]);
  expect(lines).toContain('PUT history If-Match 412');
});

test('D-83: a document that is taken away is put anew from time to time, though nothing happens', async () => {
  const { xdms, store, listed } = await start({ rebuildMs: 200 });
  await store();
  await listed([1]);
  await xdms.tamper(bob, undefined);
  await listed([1]);
  await xdms.tamper(bob, Buffer.from('<history-list xmlns="urn:oma:xml:im:history-list"/>'));
  await listed([1]);
});
