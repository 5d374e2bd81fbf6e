/** An XCAP server on loopback for one test. */

import { DeferredListUsage } from '../../../src/transport/xcap/deferred-list.js';
import type { XcapServerOptions } from '../../../src/transport/xcap/options.js';
import { createXcapServer } from '../../../src/transport/xcap/server.js';
import type { XcapServer } from '../../../src/transport/xcap/server.js';
import { settingsUsage } from '../../../src/transport/xcap/settings.js';
import { MapAccounts } from './accounts.js';
import { RawHttp } from './raw-http.js';

export interface World {
  readonly accounts: MapAccounts;
  readonly server: XcapServer;
  readonly logs: { readonly level: string; readonly fields: object; readonly message: string }[];
  connect(): RawHttp;
  end(): Promise<void>;
}

export async function startXcap(
  options: Partial<XcapServerOptions> = {},
  accounts = new MapAccounts({ 'tomas@example.net': 3, 'klara@example.net': 0 }),
): Promise<World> {
  const logs: World['logs'] = [];
  const log = (level: string) => (fields: object, message: string) =>
    void logs.push({ level, fields, message });
  const root = options.root ?? '/xcap';
  const server = createXcapServer({
    host: '127.0.0.1',
    port: 0,
    root,
    usages: [
      new DeferredListUsage(accounts),
      settingsUsage({
        accounts,
        root,
        auid: 'org.openmobilealliance.im-service-settings',
        contentType: 'application/im-settings+xml',
        name: 'im-settings',
      }),
    ],
    trustedProxies: ['127.0.0.1'],
    product: 'XDM-serv/OMA1.0 PosteRestante/0.1.0',
    log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    ...options,
  });
  await server.start();
  const connections: RawHttp[] = [];
  return {
    ...{ accounts, server, logs },
    connect() {
      const connection = new RawHttp(server.address.port);
      connections.push(connection);
      return connection;
    },
    async end() {
      for (const connection of connections) connection.end();
      await server.stop(0);
    },
  };
}
