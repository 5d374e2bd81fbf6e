// A server inside a program of your own: Alice writes to Bob, who is offline and fetches it later.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { settingsOf, startServer } from 'poste-restante';
import { createImClient } from 'poste-restante/client';

const directory = mkdtempSync(join(tmpdir(), 'poste-restante-'));
const server = await startServer(
  settingsOf({
    sip: { listen: [{ transport: 'udp', port: 0 }] },
    msrp: { port: 0 },
    store: { directory },
    identity: { hostname: 'store.example.org', domains: ['example.org'] },
    log: { level: 'warn' },
  }),
);
const client = (user) =>
  createImClient({
    aor: `sip:${user}@example.org`,
    server: { host: '127.0.0.1', port: server.sip[0].port, transport: 'udp' },
    deferredUri: 'sip:Deferred@store.example.org',
    identity: 'asserted',
  });

const alice = client('alice');
await alice.start();
const { status } = await alice.send('sip:bob@example.org', 'The keys are under the blue pot.');
console.log(`stored: ${status}`);

const bob = client('bob');
await bob.start();
const { messages } = await bob.retrieve();
for (const { from, body } of messages) console.log(`${from}: ${body}`);

await alice.stop();
await bob.stop();
await server.stop();
rmSync(directory, { recursive: true });
if (status !== 202 || messages.length !== 1) process.exitCode = 1;
