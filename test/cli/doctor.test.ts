/** U27: the doctor names the statement that fails, for everything that keeps a server from starting. */

import { createServer } from 'node:net';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort } from '../loopback-port.js';
import { claimLayout } from '../../src/cluster/layout.js';
import { doctorCommand, examine } from '../../src/cli/doctor.js';
import { createLog } from '../../src/server.js';
import { openLevelStore } from '../../src/store/level.js';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'poste-doctor-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const vector = (name: string): string =>
  fileURLToPath(new URL(`../vectors/tls/${name}`, import.meta.url));

function settings(more: object = {}): string {
  const file = join(directory, 'poste.yaml');
  const base = {
    sip: { listen: [{ transport: 'udp', port: 0 }] },
    msrp: { port: 0 },
    store: { directory: join(directory, 'store') },
    cluster: { shards: 1 },
  };
  writeFileSync(file, JSON.stringify({ ...base, ...more }));
  return file;
}

async function failures(file: string): Promise<string[]> {
  const findings = await examine(file);
  return findings.filter(({ ok }) => !ok).map(({ check, found }) => `${check}: ${found}`);
}

test('U27: what is in order is told, one line for each check', async () => {
  const findings = await examine(settings());
  expect(findings.filter(({ ok }) => !ok)).toEqual([]);
  expect(findings.map(({ check }) => check.split(' ')[0])).toEqual([
    ...['settings', 'sip.listen', 'msrp', 'store', 'store', 'clock'],
  ]);
  const lines: string[] = [];
  const command = doctorCommand((text) => lines.push(text));
  await command.parseAsync(['--config', settings()], { from: 'user' });
  expect(process.exitCode).toBe(0);
  expect(lines.every((line) => line.startsWith('ok    '))).toBe(true);
  process.exitCode = undefined;
});

test('U27: as many stores are looked at as the server would open', async () => {
  const cluster = { shards: 'auto' };
  const stores = async (): Promise<number> =>
    (await examine(settings({ cluster }))).filter(({ check }) => check.startsWith('store /'))
      .length;
  const store = join(directory, 'store');
  await claimLayout(store, 3);
  // Of three shards, and the front.
  expect(await stores()).toBe(4);
  rmSync(join(store, 'shards.json'));
  writeFileSync(join(store, 'CURRENT'), '');
  expect(await stores()).toBe(1);
  writeFileSync(join(store, 'reshard.json'), '{}');
  expect(await failures(settings({ cluster }))).toEqual([
    expect.stringMatching(/^store .*CLUSTER_LAYOUT.*store reshard/),
  ]);
});

test('U27: a damaged store is no new directory, also where nobody says how many shards', async () => {
  const file = settings({ cluster: {} });
  const store = join(directory, 'store');
  const held = await openLevelStore({
    ...{ directory: store, durability: 'os', log: createLog('silent') },
  });
  await held.close();
  rmSync(join(store, 'CURRENT'));
  expect(await failures(file)).toEqual([expect.stringContaining('STORE_DAMAGED')]);
});

test('U27: settings that cannot be used are named by their keys', async () => {
  expect(await failures(settings({ sip: { port: 5060 } }))).toEqual([
    expect.stringMatching(/^settings: CONFIG_INVALID: .*"port"[^]*sip/),
  ]);
  expect(await failures(join(directory, 'none.yaml'))).toEqual([
    expect.stringContaining('CONFIG_UNREADABLE'),
  ]);
});

test('U27: an address that is taken, or is none of this machine, is named', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const found = await failures(settings({ msrp: { port } }));
  server.close();
  expect(found).toEqual([
    expect.stringMatching(/^msrp 127\.0\.0\.1:\d+: DOCTOR_ADDRESS: .*EADDRINUSE.*running already/),
  ]);
  const elsewhere = { listen: [{ transport: 'tcp', host: '192.0.2.1', port: 5060 }] };
  const identity = { domains: ['example.org'] };
  expect(await failures(settings({ sip: elsewhere, identity }))).toEqual([
    expect.stringMatching(/DOCTOR_ADDRESS: .*EADDRNOTAVAIL/),
  ]);
});

test('U27: a certificate that has expired, or is not of its key, is named', async () => {
  const tls = (certificate: string, key: string) => ({
    sip: {
      listen: [{ transport: 'tls', port: 0 }],
      tls: { certificate: vector(certificate), key: vector(key) },
    },
  });
  expect(await failures(settings(tls('server.pem', 'server.key')))).toEqual([]);
  expect(await failures(settings(tls('expired.pem', 'expired.key')))).toEqual([
    expect.stringMatching(/^sip\.tls: DOCTOR_CERTIFICATE: .*expired\.pem expired/),
  ]);
  expect(await failures(settings(tls('server.pem', 'second.key')))).toEqual([
    expect.stringMatching(/^sip\.tls: DOCTOR_CERTIFICATE: .*mismatch/),
  ]);
  expect(await failures(settings(tls('none.pem', 'second.key')))).toEqual([
    expect.stringMatching(/^sip\.tls: .*ENOENT.*none\.pem/),
  ]);
});

test('U27: a store that another process holds, is damaged or cannot be made is named', async () => {
  const file = settings();
  const store = join(directory, 'store');
  const held = await openLevelStore({
    ...{ directory: store, durability: 'os', log: createLog('silent') },
  });
  expect(await failures(file)).toEqual([expect.stringContaining('STORE_LOCKED')]);
  await held.close();
  expect(await failures(file)).toEqual([]);
  rmSync(join(store, 'CURRENT'));
  expect(await failures(file)).toEqual([expect.stringContaining('STORE_DAMAGED')]);
  writeFileSync(join(directory, 'plain'), '');
  const under = { store: { directory: join(directory, 'plain', 'store') } };
  expect(await failures(settings(under))).toContainEqual(expect.stringContaining('DOCTOR_STORE'));
});

test('U27: an XDMS that cannot be reached is named', async () => {
  const port = await freePort();
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  const file = settings({ xdms: { root: `http://127.0.0.1:${port}/xcap` } });
  expect(await failures(file)).toEqual([]);
  server.close();
  await once(server, 'close');
  expect(await failures(file)).toEqual([
    expect.stringMatching(/^xdms .*DOCTOR_XDMS: 127\.0\.0\.1:\d+: .*ECONNREFUSED/),
  ]);
});
