/** A server of two shards in processes of its own, with MSRP over TCP, TLS and WebSocket. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, vi } from 'vitest';
import { shardAmong } from '../../src/cluster/layout.js';
import { freePort } from '../loopback-port.js';
import { startServerProcess } from '../server-process.js';
import type { ServerProcess } from '../server-process.js';
import { tlsOptions } from '../transport/msrp/certificates.js';
import { LargePeer } from './large-peer.js';

export interface SharedProcess {
  server: ServerProcess;
  readonly tlsPort: number;
  readonly webSocketPort: number;
  /** A peer whose sessions are over TLS. */
  peer(user: string): Promise<LargePeer>;
  /** Of `/metrics`, as it is at this moment; 0 when it is not there. */
  metric(name: string): Promise<number>;
  /** Process ids of the shards, in no order. */
  shards(): readonly number[];
  /** Closes the peers, and waits until the front has no connection. */
  quiet(): Promise<void>;
  /** Ends the process that was started, and starts another one in its place. */
  again(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  end(): Promise<void>;
}

const file = (name: string): string =>
  fileURLToPath(new URL(`../transport/msrp/certificates/${name}`, import.meta.url));

const token = 'of-the-tests-alone';

let users = 0;

/** A user of that shard whom no other test has. */
export function userIn(shard: number): string {
  for (;;) {
    const user = `user${++users}`;
    if (shardAmong(`${user}@example.org`, 2) === shard) return user;
  }
}

/** `msrp`: further settings of it, such as `connections: 8`. */
export async function startShared(msrp: readonly string[] = []): Promise<SharedProcess> {
  const root = mkdtempSync(join(tmpdir(), 'poste-shared-'));
  const [sipPort, msrpPort] = [await freePort(), await freePort()];
  const [tlsPort, webSocketPort, adminPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const certificate = `certificate: ${file('server.pem')}, key: ${file('server.key')}`;
  const config = join(root, 'poste.yaml');
  writeFileSync(
    config,
    [
      'identity: { hostname: store.example.org }',
      `admin: { port: ${adminPort}, openMetrics: true, tokens: [{ name: tests, token: ${token} }] }`,
      'cluster: { restartMs: 10 }',
      'msrp:',
      `  tls: { port: ${tlsPort}, ${certificate}, preferred: true }`,
      `  webSocket: { port: ${webSocketPort} }`,
      ...msrp.map((line) => `  ${line}`),
      '',
    ].join('\n'),
  );
  const directory = join(root, 'store');
  const start = (): Promise<ServerProcess> =>
    startServerProcess({ directory, sipPort, msrpPort, shards: 2, args: ['--config', config] });
  const peers: LargePeer[] = [];
  const closePeers = async (): Promise<void> => {
    for (const one of peers.splice(0)) await one.close();
  };
  const running: SharedProcess = {
    ...{ server: await start(), tlsPort, webSocketPort },
    async peer(user) {
      const peer = await LargePeer.open(user, { sipPort, tls: tlsOptions('server') });
      peers.push(peer);
      return peer;
    },
    async metric(name) {
      const answer = await fetch(`http://127.0.0.1:${adminPort}/metrics`);
      const found = new RegExp(`^\\w*${name} (\\d+)$`, 'm').exec(await answer.text());
      return Number(found?.[1] ?? 0);
    },
    shards() {
      const { pid } = running.server;
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
      return children.trim().split(' ').map(Number);
    },
    async quiet() {
      await closePeers();
      const none = async (): Promise<void> =>
        expect(await running.metric('cluster_msrp_connections')).toBe(0);
      await vi.waitFor(none, { timeout: 60_000, interval: 50 });
    },
    async again(signal) {
      await closePeers();
      await running.server.end(signal);
      running.server = await start();
    },
    async end() {
      await closePeers();
      await running.server.end('SIGTERM');
      rmSync(root, { recursive: true, force: true });
    },
  };
  return running;
}
