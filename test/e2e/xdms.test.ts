/** A real server that keeps metadata in an external XDMS, over HTTP. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { createImClient } from '../../src/client/connect.js';
import { settingsOf } from '../../src/config.js';
import { startServer } from '../../src/server.js';
import type { Server } from '../../src/server.js';
import { startXdmsPeer } from '../../src/testing/xdms.js';
import { MemoryDocuments } from '../../src/transport/xcap/memory-documents.js';
import { freePort } from '../loopback-port.js';

const hostname = 'store.example.org';
const stores = [`sip:Deferred@${hostname}`];
const bob = 'sip:bob@example.org';

let ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.reverse()) await end();
  ends = [];
});

const startAt = (directory: string, root: string): Promise<Server> =>
  startServer(
    settingsOf({
      sip: { listen: [{ transport: 'udp', port: 0 }] },
      msrp: { port: 0 },
      store: { directory },
      xdms: { root, pauseMs: 50 },
      identity: { hostname, domains: ['example.org'] },
      log: { level: 'silent' },
    }),
  );

test('S1-META-ADD, S1-META-DEL, U24, XCAP-10: metadata follows the store over HTTP, outage and restart included', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'poste-xdms-'));
  ends.push(() => rmSync(directory, { recursive: true, force: true }));
  const documents = new MemoryDocuments();
  let xdms = await startXdmsPeer({ stores, documents, port: await freePort() });
  const { root, port } = xdms;
  let server = await startAt(directory, root);
  ends.push(() => xdms.stop());
  ends.push(() => server.stop(0));
  const alice = createImClient({
    aor: 'sip:alice@example.org',
    server: { host: '127.0.0.1', port: server.sip[0]!.port, transport: 'udp' },
    identity: 'asserted',
    deferredUri: `sip:Deferred@${hostname}`,
  });
  ends.push(() => alice.stop());
  await alice.start();
  const listed = (serials: readonly number[]) =>
    vi.waitFor(
      async () =>
        expect(await xdms.references(bob)).toEqual(
          serials.map((serial) => `sip:${serial}@${hostname}`),
        ),
      { timeout: 60_000, interval: 20 },
    );
  await alice.send(bob, Buffer.from('one'));
  await alice.send(bob, Buffer.from('two'));
  await listed([1, 2]);
  await xdms.stop();
  const sent = await alice.send(bob, Buffer.from('three'));
  expect(sent).toMatchObject({ status: 202 });
  await server.stop(0);
  xdms = await startXdmsPeer({ stores, documents, port });
  server = await startAt(directory, root);
  // Nobody touches the mailbox for long; whoever does wakes what was left behind.
  expect(await server.accounts.deleteMessages('bob@example.org', [1])).toBe(1);
  await listed([2, 3]);
  await xdms.tamper(bob, undefined);
  expect(await server.rebuildMetadata('bob@example.org')).toBe(true);
  await listed([2, 3]);
});
