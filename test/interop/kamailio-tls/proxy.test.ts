import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createImClient, type ImClient } from '../../../src/client/connect.js';
import { settingsOf } from '../../../src/config.js';
import type { TraceEntry } from '../../../src/ports.js';
import { startServer, type Server } from '../../../src/server.js';
import { isInstalled } from '../../server-process.js';
import { startProxy, type TlsProxy } from './kamailio.js';

const vector = (name: string): string =>
  fileURLToPath(new URL(`../../vectors/tls/${name}`, import.meta.url));
const run = promisify(execFile);
/** SIPp speaks to Kamailio over TCP: that of Debian is built without TLS. */
const count = 300;
const ca = readFileSync(vector('authority.pem'), 'utf8');

let directory: string;
let server: Server;
let proxy: TlsProxy;
let clients: ImClient[];
let traced: TraceEntry[];

/** The server lets nobody in but who has a certificate of the authority: Kamailio. */
async function open(): Promise<void> {
  directory = mkdtempSync(join(tmpdir(), 'poste-kamailio-'));
  clients = [];
  traced = [];
  const settings = settingsOf({
    sip: {
      listen: [{ transport: 'tls', port: 0 }],
      tls: {
        ...{ certificate: vector('server.pem'), key: vector('server.key') },
        ...{ ca: [vector('authority.pem')], requestCertificate: 'require' },
      },
    },
    msrp: { port: 0 },
    store: { directory: join(directory, 'store') },
    identity: { hostname: 'store.example.org', domains: ['example.org'] },
    log: { level: 'silent' },
  });
  server = await startServer(settings, { trace: { record: (entry) => traced.push(entry) } });
  proxy = await startProxy(server.sip[0]!.port);
}

async function close(): Promise<void> {
  await Promise.all(clients.map((client) => client.stop()));
  await proxy.stop();
  await server.stop(0);
  rmSync(directory, { recursive: true, force: true });
}

/** A client that knows the proxy and the authority, and has no certificate of its own. */
async function start(user: string): Promise<ImClient> {
  const client = createImClient({
    aor: `sip:${user}@example.org`,
    server: { host: '127.0.0.1', port: proxy.port, transport: 'tls' },
    tls: { ca: [ca] },
    identity: 'asserted',
    deferredUri: 'sip:Deferred@store.example.org',
  });
  clients.push(client);
  await client.start();
  return client;
}

describe.skipIf(!isInstalled('kamailio'))(
  'Kamailio as TLS proxy (skipped where kamailio is not installed)',
  () => {
    beforeEach(open);
    afterEach(close);

    test('TP-01: what is sent is retrieved byte for byte, every hop over TLS', async () => {
      const alice = await start('alice');
      const bodies = [Buffer.from('Grüße'), randomBytes(1_000), randomBytes(30_000)];
      for (const body of bodies) {
        const sent = await alice.send('sip:bob@example.org', body, {
          contentType: 'application/octet-stream',
        });
        expect(sent.status, proxy.log()).toBe(202);
      }
      const bob = await start('bob');
      const { status, messages } = await bob.retrieve();
      expect(status, proxy.log()).toBe(200);
      expect(messages.map(({ body }) => body.toString('hex'))).toEqual(
        bodies.map((body) => body.toString('hex')),
      );
      const sip = traced.filter(({ protocol }) => protocol === 'sip');
      expect(new Set(sip.map(({ transport }) => transport))).toEqual(new Set(['tls']));
    });

    test('TP-01: at REGISTER what is stored is pushed back through the proxy', async () => {
      const alice = await start('alice');
      const texts = Array.from({ length: 20 }, (_, n) => `message ${n}`);
      for (const text of texts) {
        expect((await alice.send('sip:bob@example.org', text)).status).toBe(202);
      }
      const bob = await start('bob');
      const deliveries = bob.deliveries();
      expect((await bob.register()).status, proxy.log()).toBe(200);
      const pushed: string[] = [];
      for await (const { body } of deliveries) {
        pushed.push(body.toString());
        if (pushed.length === texts.length) break;
      }
      expect(pushed).toEqual(texts);
      expect((await bob.unregister()).status).toBe(200);
    });

    test.skipIf(!isInstalled('sipp'))(
      `TP-01: ${count} messages of SIPp are stored once each (skipped where sipp is not installed)`,
      async () => {
        const scenario = fileURLToPath(new URL('../sipp/store.xml', import.meta.url));
        const load = ['-sf', scenario, '-m', String(count), '-r', '200', '-l', '64', '-nostdin'];
        const socket = ['-t', 't1', '-i', '127.0.0.1', '-timeout', '90s'];
        await run('sipp', [`127.0.0.1:${proxy.plainPort}`, ...load, ...socket], {
          cwd: directory,
          maxBuffer: 1 << 28,
        });
        const bob = await start('bob');
        const { messages } = await bob.retrieve();
        const numbers = messages.map(({ body }) => Number(/^id=(\d+); /.exec(String(body))![1]));
        expect(numbers.sort((a, b) => a - b)).toEqual(
          Array.from({ length: count }, (_, index) => index + 1),
        );
        const sip = traced.filter(({ protocol }) => protocol === 'sip');
        expect(new Set(sip.map(({ transport }) => transport))).toEqual(new Set(['tls']));
      },
    );

    test('TP-01: message waiting is notified through the proxy', async () => {
      const bob = await start('bob');
      const states = bob.watch();
      expect((await states.next()).value?.waiting, proxy.log()).toBe(false);
      const alice = await start('alice');
      await alice.send('sip:bob@example.org', 'hello');
      expect((await states.next()).value?.waiting, proxy.log()).toBe(true);
    });
  },
);
