/** The document in an external XDMS, request by request: how it begins, and how it is mended. */

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request as askHttp } from 'node:http';
import type { IncomingMessage, Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { startXdmsPeer } from '../../src/testing/xdms.js';
import type { XdmsPeer } from '../../src/testing/xdms.js';
import { hostname, startWorld, type World } from './world.js';

const bob = 'sip:bob@example.org';
const account = 'bob@example.org';

let ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.reverse()) await end();
  ends = [];
});

/** A proxy before the XDMS that writes down what passes: method, kind of node, conditions, status. */
async function recorded(port: number): Promise<{ root: string; lines: string[] }> {
  const lines: string[] = [];
  const proxy: HttpServer = createServer((asked, answer) => {
    const { method = '', url: path = '', headers } = asked;
    const onward = askHttp({ port, host: '127.0.0.1', method, path, headers }, (answered) => {
      lines.push(`${lineOf(asked)} ${answered.statusCode}`);
      answer.writeHead(answered.statusCode!, answered.headers);
      answered.pipe(answer);
    });
    asked.pipe(onward);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  ends.push(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return { root: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/xcap`, lines };
}

function lineOf({ method, url = '', headers }: IncomingMessage): string {
  const what = url.includes('~~') ? 'history' : 'document';
  const created = headers['if-none-match'] === undefined ? '' : ` ${headers['if-none-match']}`;
  return `${method} ${what}${created}${headers['if-match'] === undefined ? '' : ' If-Match'}`;
}

interface Scene {
  readonly world: World;
  readonly xdms: XdmsPeer;
  readonly lines: string[];
  /** A message for bob, and its history where it belongs. */
  store(): Promise<void>;
  /** Resolves when the document has exactly these. */
  listed(serials: readonly number[]): Promise<void>;
}

async function start(settings: object = {}): Promise<Scene> {
  const directory = mkdtempSync(join(tmpdir(), 'poste-document-'));
  ends.push(() => rmSync(directory, { recursive: true, force: true }));
  const xdms = await startXdmsPeer({ stores: [`sip:Deferred@${hostname}`] });
  ends.push(() => xdms.stop());
  const { root, lines } = await recorded(xdms.port);
  const world = await startWorld({}, 'udp', { xdms: { root, pauseMs: 50, ...settings } });
  ends.push(() => world.end());
  const alice = await world.client('alice');
  const listed = (serials: readonly number[]): Promise<void> =>
    vi.waitFor(
      async () =>
        expect(await xdms.references(bob)).toEqual(
          serials.map((serial) => `sip:${serial}@${hostname}`),
        ),
      { timeout: 60_000, interval: 10 },
    );
  const store = async (): Promise<void> => {
    expect((await alice.send(bob, 'hi')).status).toBe(202);
  };
  return { world, xdms, lines, store, listed };
}

test('D-82: the first message creates the document, and the last one leaves an empty root', async () => {
  const { world, xdms, lines, store, listed } = await start();
  expect(await xdms.document(bob)).toBeUndefined();
  await store();
  await listed([1]);
  // One whose answer was lost may be followed by a rebuild; it is created once all the same.
  expect(lines.filter((line) => line.includes('document *'))).toEqual(['PUT document * 201']);
  await store();
  await listed([1, 2]);
  await world.server.accounts.deleteMessages(account, [1, 2]);
  await listed([]);
  expect((await xdms.document(bob))!.content.toString()).toMatch(/<history-list [^>]*\/?>/);
  await store();
  await listed([3]);
  // It was there all the time: nobody has created it again.
  expect(lines.filter((line) => line.includes('document *'))).toEqual(['PUT document * 201']);
  expect(lines.filter((line) => line.startsWith('DELETE document'))).toEqual([]);
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
