/** A real server on loopback with a store of its own, and real clients, for one test. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createImClient } from '../../src/client/connect.js';
import type { ImClient, ImClientOptions } from '../../src/client/im-client.js';
import { settingsOf } from '../../src/config.js';
import type { SettingsInput } from '../../src/config.js';
import { startServer } from '../../src/server.js';
import type { Server, ServerParts } from '../../src/server.js';
import { freePort } from '../loopback-port.js';

export interface World {
  server: Server;
  /** Of its store. */
  readonly directory: string;
  /** A started client of `user@example.org`. */
  client(user: string, options?: Partial<ImClientOptions>): Promise<ImClient>;
  /** Stops the server and starts it again on the same store and ports. */
  restart(): Promise<void>;
  /** Stops everything and removes the store. */
  end(): Promise<void>;
}

/** `POSTE_SHARDS=2 npx vitest run test/e2e` runs these tests with that many shards (built server). */
export const shards = Number(process.env['POSTE_SHARDS'] ?? 1);
export const shardProgram = fileURLToPath(
  new URL('../../dist/program/shard-program.js', import.meta.url),
);

export const hostname = 'store.example.org';

/**
 * The serials of the stored messages of an account, oldest first: which ones are given out nobody
 * may assume, since every shard draws them from a block of its own.
 */
export async function serialsOf(
  { server }: World,
  account = 'tomas@example.org',
): Promise<readonly number[]> {
  const histories = await server.accounts.histories(account, { limit: 100 });
  return histories.map(({ serial }) => serial);
}

export async function startWorld(
  limits: SettingsInput['limits'] = {},
  transport: 'udp' | 'tcp' = 'udp',
  more: Omit<SettingsInput, 'sip' | 'limits' | 'log'> = {},
  parts: ServerParts = {},
): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), 'poste-e2e-'));
  const clients: ImClient[] = [];
  // Its own also while it is down between two lives.
  const ports = { sip: await freePort(), msrp: await freePort() };
  const start = () =>
    startServer(
      settingsOf({
        ...more,
        ...(Object.keys(parts).length === 0 && { cluster: { shards, ...more.cluster } }),
        sip: {
          listen: [
            { transport: 'udp', port: ports.sip },
            { transport: 'tcp', port: ports.sip },
          ],
        },
        msrp: { ...more.msrp, port: ports.msrp },
        store: { ...more.store, directory: join(directory, 'store') },
        identity: { hostname, domains: ['example.org'], ...more.identity },
        limits,
        log: { level: 'silent' },
      }),
      { ...parts, shardProgram },
    );
  const portOf = (server: Server, wanted: string): number =>
    server.sip.find((address) => address.transport === wanted)!.port;
  const world: World = {
    server: await start(),
    directory: join(directory, 'store'),
    async client(user, options = {}) {
      const client = createImClient({
        aor: `sip:${user}@example.org`,
        server: { host: '127.0.0.1', port: portOf(world.server, transport), transport },
        identity: 'asserted',
        deferredUri: `sip:Deferred@${hostname}`,
        ...options,
      });
      clients.push(client);
      await client.start();
      return client;
    },
    async restart() {
      await world.server.stop(0);
      world.server = await start();
    },
    async end() {
      await Promise.all(clients.map((client) => client.stop()));
      await world.server.stop(0);
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return world;
}
