/** A server behind Kamailio as SIP/IP core, and clients that know the core only. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createImClient, type ImClient } from '../../../src/client/connect.js';
import type { ImClientOptions } from '../../../src/client/im-client.js';
import { settingsOf } from '../../../src/config.js';
import { startServer, type Server } from '../../../src/server.js';
import { WireLog } from '../../e2e/wire-log.js';
import { startKamailio, type Kamailio } from '../kamailio.js';
import { freePort } from '../../loopback-port.js';

const configuration = fileURLToPath(new URL('core.cfg', import.meta.url));

export interface Core {
  readonly server: Server;
  readonly kamailio: Kamailio;
  /** What the server sent and received. */
  readonly wire: WireLog;
  /** Ports of the core for user agents and for the server, and those of the server. */
  readonly ports: readonly number[];
  /** A started client whose next hop is the core, which says who it is. */
  client(user: string, options?: Partial<ImClientOptions>): Promise<ImClient>;
  stop(): Promise<void>;
}

export async function startCore(): Promise<Core> {
  const directory = mkdtempSync(join(tmpdir(), 'poste-core-'));
  const wire = new WireLog();
  const clients: ImClient[] = [];
  const settings = settingsOf({
    sip: { listen: [{ transport: 'tcp', port: 0 }] },
    msrp: { port: 0 },
    store: { directory: join(directory, 'store') },
    identity: {
      hostname: 'store.example.org',
      domains: ['example.org'],
      // Users register at the core.
      registrar: false,
      trustedPeers: ['127.0.0.1'],
    },
    limits: { subscribe: { throttleMs: 1 } },
    log: { level: 'silent' },
  });
  const server = await startServer(settings, { trace: wire });
  const [sip] = server.sip;
  const [port, iscPort] = [await freePort(), await freePort()];
  const kamailio = await startKamailio({
    configuration,
    port: iscPort,
    listen: [`udp:127.0.0.1:${port}`, `tcp:127.0.0.1:${port}`, `tcp:127.0.0.1:${iscPort}`],
    definitions: [
      `AS="sip:127.0.0.1:${sip!.port};transport=tcp"`,
      `SCSCF="sip:127.0.0.1:${iscPort};transport=tcp"`,
      `ISC_PORT=${iscPort}`,
    ],
  });
  return {
    server,
    kamailio,
    wire,
    ports: [port, iscPort, sip!.port, server.msrp.port],
    async client(user, options = {}) {
      const client = createImClient({
        aor: `sip:${user}@example.org`,
        server: { host: '127.0.0.1', port, transport: 'udp' },
        deferredUri: 'sip:Deferred@store.example.org',
        ...options,
      });
      clients.push(client);
      await client.start();
      return client;
    },
    async stop() {
      await Promise.all(clients.map((client) => client.stop()));
      await kamailio.stop();
      await server.stop(0);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
