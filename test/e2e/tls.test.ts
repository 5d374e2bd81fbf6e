import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createImClient, type ImClient, type ImClientOptions } from '../../src/client/connect.js';
import { settingsOf, type SettingsInput } from '../../src/config.js';
import { startServer, type Server } from '../../src/server.js';
import { shardProgram, shards } from './world.js';

const vector = (name: string): string =>
  fileURLToPath(new URL(`../vectors/tls/${name}`, import.meta.url));
const ca = readFileSync(vector('authority.pem'), 'utf8');

let directory: string;
let server: Server | undefined;
let clients: ImClient[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'poste-tls-'));
  clients = [];
  show('server');
});

afterEach(async () => {
  await Promise.all(clients.map((client) => client.stop()));
  await server?.stop(0);
  server = undefined;
  rmSync(directory, { recursive: true, force: true });
});

/** Puts that certificate where the configuration points. */
function show(name: string): void {
  copyFileSync(vector(`${name}.pem`), join(directory, 'own.pem'));
  copyFileSync(vector(`${name}.key`), join(directory, 'own.key'));
}

function settings(sip: SettingsInput['sip'] = {}): SettingsInput {
  return {
    sip: {
      listen: [{ transport: 'tls', port: 0 }],
      tls: { certificate: join(directory, 'own.pem'), key: join(directory, 'own.key') },
      ...sip,
    },
    msrp: { port: 0 },
    cluster: { shards },
    store: { directory: join(directory, 'store') },
    identity: { hostname: 'store.example.org', domains: ['example.org'] },
    log: { level: 'silent' },
  };
}

async function start(sip?: SettingsInput['sip']): Promise<Server> {
  server = await startServer(settingsOf(settings(sip)), { shardProgram });
  return server;
}

async function client(user: string, options: Partial<ImClientOptions> = {}): Promise<ImClient> {
  const one = createImClient({
    aor: `sip:${user}@example.org`,
    server: { host: '127.0.0.1', port: server!.sip[0]!.port, transport: 'tls' },
    tls: { ca: [ca] },
    identity: 'asserted',
    deferredUri: 'sip:Deferred@store.example.org',
    ...options,
  });
  clients.push(one);
  await one.start();
  return one;
}

async function shown(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', ca });
  await once(socket, 'secureConnect');
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return String(CN);
}

describe('a server that is reached by TLS only', () => {
  test('TP-01: what is stored is pushed on the connection of the client, and retrieved', async () => {
    await start();
    const alice = await client('alice');
    for (const text of ['1', '2', '3']) {
      expect((await alice.send('sip:bob@example.org', text)).status).toBe(202);
    }
    const carol = await client('carol');
    await alice.send('sip:carol@example.org', 'for carol');
    const { messages } = await carol.retrieve();
    expect(messages.map(({ body }) => body.toString())).toEqual(['for carol']);
    const bob = await client('bob');
    const pushed: string[] = [];
    const deliveries = bob.deliveries();
    expect((await bob.register()).status).toBe(200);
    for await (const { body } of deliveries) {
      pushed.push(body.toString());
      if (pushed.length === 3) break;
    }
    expect(pushed).toEqual(['1', '2', '3']);
    expect((await server!.counted())['connectionsOpened']).toBe(0);
  });

  test('TP-01: a client that does not know the authority sends nothing', async () => {
    await start();
    const alice = await client('alice', { tls: {} });
    const failure = alice.send('sip:bob@example.org', 'secret');
    await expect(failure).rejects.toMatchObject({ code: 'CLIENT_UNREACHABLE' });
    expect((await server!.counted())['received']).toBe(0);
  });

  test('TP-01: where a certificate is required, a client needs one', async () => {
    const tls = { certificate: vector('server.pem'), key: vector('server.key') };
    const mutual = { ca: [vector('authority.pem')], requestCertificate: 'require' as const };
    await start({ tls: { ...tls, ...mutual } });
    const own = {
      certificate: readFileSync(vector('proxy.pem'), 'utf8'),
      key: readFileSync(vector('proxy.key'), 'utf8'),
    };
    const alice = await client('alice', { tls: { ca: [ca], ...own } });
    expect((await alice.send('sip:bob@example.org', 'x')).status).toBe(202);
    expect((await server!.counted())['received']).toBe(1);
  });

  test('reload shows the certificate that the files hold, or keeps the former one', async () => {
    const { sip, reload } = await start();
    const { port } = sip[0]!;
    expect(await shown(port)).toBe('test server');
    show('renewed');
    expect(await shown(port)).toBe('test server');
    reload();
    expect(await shown(port)).toBe('test server, renewed');
    writeFileSync(join(directory, 'own.key'), 'no key');
    expect(reload).toThrow(expect.objectContaining({ code: 'SIP_CERTIFICATE' }) as Error);
    rmSync(join(directory, 'own.pem'));
    expect(reload).toThrow(/^SIP_CERTIFICATE: cannot read .*own\.pem: ENOENT$/);
    expect(await shown(port)).toBe('test server, renewed');
  });

  test('a certificate that cannot be used: no start, and the store is free', async () => {
    copyFileSync(vector('proxy.key'), join(directory, 'own.key'));
    await expect(start()).rejects.toMatchObject({ code: 'SIP_CERTIFICATE' });
    show('server');
    expect((await start()).sip).toHaveLength(1);
  });
});

test('SIGHUP: the command shows the renewed certificate and goes on', async () => {
  const configuration = join(directory, 'poste.yaml');
  writeFileSync(configuration, JSON.stringify(settings()));
  const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
  const child = spawn(process.execPath, [main, 'serve', '--config', configuration], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const { sip } = JSON.parse(line.toString()) as { sip: { port: number } };
    expect(await shown(sip.port)).toBe('test server');
    show('renewed');
    child.kill('SIGHUP');
    // The signal is taken some time after it was sent.
    while ((await shown(sip.port)) !== 'test server, renewed') expect(child.exitCode).toBeNull();
  } finally {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  }
});

test.each([
  ['a TLS listener without a certificate', { listen: [{ transport: 'tls' }] }],
  ['wss without a certificate', { listen: [{ transport: 'wss' }], tls: { ca: ['x'] } }],
  ['a certificate without its key', { tls: { certificate: 'x' } }],
  ['a key that is not known', { tls: { certficate: 'x' } }],
])('the configuration is refused for %s', (_what, sip) => {
  expect(() => settingsOf({ sip })).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID' }) as Error,
  );
});
